"""How a person or thing looks, as numbers that can be compared across cameras.

A crop is described in two parts: the encoder's map, pooled in horizontal stripes from one forward pass (as in PCB,
Sun et al. 2018, https://arxiv.org/abs/1711.09349, without training), and colour statistics of stripes. A tracklet is
the mean of its crops, weighted by quality. Cameras see colours differently: the mean of what a camera saw is taken
away from all that it sees, for each part, before they are compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from lookalike.encoders.base import Encoder, Encoding
from lookalike.encoders.geometry import geometry
from lookalike.encoders.spec import Resize
from lookalike.errors import InputError
from lookalike.tracking.colours import colour_statistics
from lookalike.types import Embeddings, Image
from lookalike.vectors.metrics import normalise

Parts: TypeAlias = Mapping[str, npt.NDArray[np.float32]]
"""What describes n crops or tracklets, by part: ``network`` float32 (n, d), ``colour`` float32 (n, 36)."""

Part: TypeAlias = Literal["network", "colour"]
PARTS: tuple[Part, ...] = get_args(Part)

STRIPES = 7
"""Horizontal parts of the encoder's map, or as many as it has rows."""

RESIZE: Resize = "pad"
"""How crops become an encoder's input: a centre crop would cut off head and feet, and squashing makes everybody stout.
Measured on re-identification (stripes, cameras' means taken away): mAP 0.58 padded, 0.50 cropped, 0.48 squashed."""

PRIOR = 5.0
"""Tracklets that the mean of all cameras counts for in the mean of one: a camera that saw one person has no mean."""


def describe_crops(
    images: Iterable[Image], encoder: Encoder | None, *, parts: Sequence[Part] = PARTS
) -> dict[str, npt.NDArray[np.float32]]:
    """Describe crops.

    Args:
        images: uint8 (h, w, 3) each, upright crops of people or things; taken one by one.
        encoder: Loaded with :data:`RESIZE`, so that it sees all of a crop. Its map is pooled in stripes; one that
        gives a vector (a re-identification network) is taken as it
            is. None where ``parts`` has no ``network``.
        parts: Which parts.

    Returns:
        The parts; each row of ``network`` has length 1.

    Raises:
        InputError: If a part is not known, none is asked for, or the encoder is missing.
    """
    wrong = [part for part in parts if part not in PARTS]
    if wrong or not parts or ("network" in parts and encoder is None):
        raise InputError(
            f"parts {tuple(parts)} with encoder {None if encoder is None else encoder.spec.name}: expected some of "
            f"{', '.join(PARTS)}, and an encoder for network"
        )
    colours: list[npt.NDArray[np.float32]] = []
    sizes: list[tuple[int, int]] = []

    def prepared() -> Iterable[npt.NDArray[np.uint8]]:
        for image in images:
            if "colour" in parts:
                colours.append(colour_statistics(image))
            sizes.append((image.shape[1], image.shape[0]))
            yield encoder.prepare(image) if encoder is not None else np.empty(0, np.uint8)

    described: dict[str, npt.NDArray[np.float32]] = {}
    if "network" in parts and encoder is not None:
        encodings = encoder.encode(prepared(), spatial=True)
        rows = [striped(one, *sizes[at], encoder) for at, one in enumerate(encodings)]
        described["network"] = np.stack(rows) if rows else np.empty((0, 0), np.float32)
    else:
        for _ in prepared():
            pass
    if "colour" in parts:
        described["colour"] = np.stack(colours) if colours else np.empty((0, 0), np.float32)
    return described


def striped(encoding: Encoding, width: int, height: int, encoder: Encoder) -> npt.NDArray[np.float32]:
    """An encoding as a vector of stripes, each of length 1, together of length 1.

    Args:
        encoding: Of one crop, with its map.
        width, height: Of the crop, pixels.
        encoder: What made it: positions that show border rather than crop count for nothing.

    Returns:
        float32 (stripes * channels,), or (d,) where the encoder gives a vector.
    """
    if encoding.spatial is None:
        return normalise(encoding.raw_embedding)
    rows, columns, channels = encoding.spatial.shape
    placed = geometry(width, height, encoder.spec)
    shown = placed.shown(rows, columns)
    edges = np.linspace(0, rows, min(STRIPES, rows) + 1).round().astype(int)
    stripes = np.zeros((len(edges) - 1, channels))
    for at, (first, last) in enumerate(pairwise(edges)):
        weight = shown[first:last]
        if weight.sum() > 0:
            stripes[at] = np.einsum("rcx,rc->x", encoding.spatial[first:last], weight) / weight.sum()
    lengths = np.sqrt(np.einsum("sx,sx->s", stripes, stripes))
    stripes /= np.where(lengths > 0, lengths, 1)[:, None]
    if not stripes.any():
        stripes[:] = 1.0  # a crop without any response has no direction; it is like all such crops
    return normalise(stripes.ravel())


def pooled(
    parts: Parts, owner: npt.NDArray[np.int64], weight: npt.NDArray[np.float64], count: int
) -> dict[str, npt.NDArray[np.float32]]:
    """Crops joined into tracklets by weighted means.

    Args:
        parts: Of n crops.
        owner: int64 (n,), the number of the tracklet of each crop, from 0.
        weight: float64 (n,), greater than 0.
        count: Number of tracklets; each has a crop.

    Returns:
        The parts of ``count`` tracklets.

    Raises:
        InputError: If a tracklet has no crop; names the first.
    """
    total = np.bincount(owner, weights=weight, minlength=count)
    if not (total > 0).all():
        raise InputError(f"tracklet {int(np.argmin(total > 0))} has no crop: expected one at least of each")
    joined = {}
    for name, values in parts.items():
        sums = np.zeros((count, values.shape[1]))
        np.add.at(sums, owner, weight[:, None] * values)
        joined[name] = (sums / total[:, None]).astype(np.float32)
    return joined


@dataclass(frozen=True, slots=True)
class AppearanceSpace:
    """What makes descriptions of different cameras comparable.

    Args:
        cameras: Names of the cameras that were looked at.
        means: By part, float32 (1 + cameras, d): the mean of all, which stands for a camera that was not looked at,
            and that of each camera.
    """

    cameras: tuple[str, ...]
    means: Mapping[str, npt.NDArray[np.float32]]

    @classmethod
    def fitted(cls, parts: Parts, cameras: Sequence[str], *, prior: float = PRIOR) -> AppearanceSpace:
        """Learn what each camera sees on average.

        Args:
            parts: Of n tracklets, so that somebody who stays for long counts once.
            cameras: n names, the camera of each.
            prior: Tracklets that the mean of all cameras counts for in that of each.

        Raises:
            InputError: If there is no tracklet, or numbers differ.
        """
        n = len(cameras)
        if n == 0 or not parts or any(len(values) != n for values in parts.values()):
            raise InputError(
                f"{n} cameras for parts of {[len(v) for v in parts.values()]} rows: expected one of each a tracklet, "
                "and at least one tracklet"
            )
        names = tuple(sorted(set(cameras)))
        of = np.array([names.index(name) for name in cameras])
        means = {}
        for part, values in parts.items():
            everywhere = np.mean(
                [values[of == c].mean(axis=0, dtype=np.float64) for c in range(len(names))], axis=0
            )
            table = [everywhere]
            for c in range(len(names)):
                seen = values[of == c].astype(np.float64)
                table.append((seen.sum(axis=0) + prior * everywhere) / (len(seen) + prior))
            means[part] = np.stack(table).astype(np.float32)
        return cls(names, means)

    def embed(self, parts: Parts, cameras: Sequence[str]) -> Embeddings:
        """Descriptions as vectors whose cosine says how alike two things look.

        Args:
            parts: Of n crops or tracklets; those that the space was fitted on.
            cameras: n names.

        Returns:
            float32 (n, d), L2-normalised rows; parts count alike. A row whose description is the mean itself says
            nothing of its thing and is 0: its cosine with everything is 0, and nothing is matched with it.

        Raises:
            InputError: If parts or numbers of rows are not those expected.
        """
        if parts.keys() != self.means.keys() or any(len(v) != len(cameras) for v in parts.values()):
            raise InputError(
                f"parts {', '.join(parts)} of {[len(v) for v in parts.values()]} rows for {len(cameras)} cameras: "
                f"expected {', '.join(self.means)}, a row a camera"
            )
        if not len(cameras):
            return np.empty((0, sum(table.shape[1] for table in self.means.values())), np.float32)
        of = np.array([self.cameras.index(c) + 1 if c in self.cameras else 0 for c in cameras])
        joined = np.hstack([_directions(parts[name] - table[of]) for name, table in self.means.items()])
        found = np.zeros(joined.shape, np.float32)
        tells = joined.any(axis=1)
        if tells.any():
            found[tells] = normalise(joined[tells])
        return found

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """The space as arrays for ``numpy.savez``."""
        return {
            "cameras": np.array(self.cameras, dtype=np.str_),
            **{f"mean.{n}": t for n, t in self.means.items()},
        }

    @classmethod
    def restored(cls, state: Mapping[str, npt.NDArray[Any]]) -> AppearanceSpace:
        """The space that :meth:`state` was taken of."""
        means = {name[5:]: table for name, table in state.items() if name.startswith("mean.")}
        return cls(tuple(state["cameras"].tolist()), means)


def _directions(differences: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Rows of length 1; a row that is the mean itself stays 0, since it says nothing."""
    wide = differences.astype(np.float64)
    lengths = np.sqrt(np.einsum("nd,nd->n", wide, wide))
    directions: npt.NDArray[np.float64] = wide / np.where(lengths > 1e-6, lengths, np.inf)[:, None]
    return directions
