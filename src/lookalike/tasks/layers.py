"""What a layer of a network responds to in an image: where, and with which channels.

A channel's response is compared with its own typical one, over a set of reference images, since channels
differ in scale by orders of magnitude: without that, the same few channels would be the strongest everywhere.
Which channels see edges, textures or objects is known from Zeiler and Fergus (arXiv:1311.2901) and Olah,
Mordvintsev and Schubert, "Feature Visualization" (doi:10.23915/distill.00007).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from lookalike.errors import InputError

By = Literal["energy", "peak"]
BYS: tuple[By, ...] = get_args(By)

SAME = 0.9
"""Correlation of two channels' maps, above which the weaker one shows nothing new and is left out."""

QUIET = 1e-3
"""A channel whose deviation is below this share of the layer's median one never responds, and is left out."""

Maps = npt.NDArray[np.float32]


class Typical(NamedTuple):
    """How a layer's channels respond as a rule.

    Args:
        mean: float64 (c,), over all positions of all reference images.
        deviation: float64 (c,), the standard deviation, likewise.
        images: How many there were.
    """

    mean: npt.NDArray[np.float64]
    deviation: npt.NDArray[np.float64]
    images: int


@dataclass(frozen=True, slots=True, eq=False)
class Channel:
    """One channel's response to an image.

    Args:
        index: Its number in the layer.
        peak: The largest magnitude, in the channel's own standard deviations.
        energy: Standard deviation of the response over the image, likewise: 1 varies as much as usual.
        response: float32 (h, w), in standard deviations from the channel's mean.
    """

    index: int
    peak: float
    energy: float
    response: Maps


class LayerResponse(NamedTuple):
    """A layer's response to an image.

    Args:
        energy: float32 (h, w), root mean square over the channels, in standard deviations: 1 is a usual place.
        channels: The strongest ones, the strongest first.
    """

    energy: Maps
    channels: tuple[Channel, ...]


def typical(features: Iterable[npt.NDArray[Any]]) -> Typical:
    """Learn how channels respond as a rule; one image's map in memory at a time.

    Args:
        features: float (h, w, c) of each reference image.

    Raises:
        InputError: If there are none, or their channels differ.
    """
    count, images = 0, 0
    total: npt.NDArray[np.float64] | None = None
    squares: npt.NDArray[np.float64] | None = None
    for map_ in features:
        rows = np.asarray(map_, np.float64).reshape(-1, map_.shape[-1])
        if total is None or squares is None:
            total, squares = np.zeros(rows.shape[1]), np.zeros(rows.shape[1])
        if rows.shape[1] != len(total):
            raise InputError(f"a map has {rows.shape[1]} channels, those before it have {len(total)}")
        total += rows.sum(axis=0)
        squares += np.einsum("nc,nc->c", rows, rows)
        count, images = count + len(rows), images + 1
    if total is None or squares is None:
        raise InputError("there is no reference image: expected at least one")
    mean = total / count
    return Typical(mean, np.sqrt(np.clip(squares / count - mean**2, 0, None)), images)


def respond(
    features: npt.NDArray[Any], usual: Typical, *, count: int = 6, by: By = "energy"
) -> LayerResponse:
    """Where a layer responds to an image, and its strongest channels.

    Args:
        features: float (h, w, c).
        usual: Of the same layer.
        count: Most channels, at least 1.
        by: The strongest have the largest ``energy`` or the largest ``peak``.

    Returns:
        The energy of all channels, and the strongest channels whose maps differ.

    Raises:
        InputError: If the channels are others, ``count`` is less than 1 or ``by`` is not known.
    """
    if by not in BYS:
        raise InputError(f"channels by {by!r} is not known: choose one of {', '.join(BYS)}")
    if count < 1:
        raise InputError(f"{count} channels were asked for: expected at least 1")
    if features.ndim != 3 or features.shape[2] != len(usual.mean):
        raise InputError(f"features have shape {features.shape}: expected (h, w, {len(usual.mean)})")
    alive = np.flatnonzero(usual.deviation > QUIET * np.median(usual.deviation))
    if not len(alive):
        raise InputError("no channel of the layer responds to the reference images: give others")
    values = (np.asarray(features, np.float64)[..., alive] - usual.mean[alive]) / usual.deviation[alive]
    flat = values.reshape(-1, len(alive))
    peaks, energies = np.abs(flat).max(axis=0), flat.std(axis=0)
    order = np.argsort(-(peaks if by == "peak" else energies), kind="stable")
    chosen = _different(flat, order, count)
    return LayerResponse(
        np.sqrt((values**2).mean(axis=2)).astype(np.float32),
        tuple(
            Channel(int(alive[at]), float(peaks[at]), float(energies[at]), values[..., at].astype(np.float32))
            for at in chosen
        ),
    )


def _different(responses: npt.NDArray[np.float64], order: npt.NDArray[np.int64], count: int) -> list[int]:
    """The first columns in an order that do not repeat, up to their sign, one chosen before."""
    centred = responses - responses.mean(axis=0)
    lengths = np.sqrt(np.einsum("nc,nc->c", centred, centred))
    chosen: list[int] = []
    for at in order.tolist():
        products = centred[:, chosen].T @ centred[:, at]
        if (np.abs(products) <= SAME * lengths[chosen] * lengths[at]).all():
            chosen.append(at)
            if len(chosen) == count:
                break
    return chosen
