"""Revisited Oxford and Paris (Radenović et al. 2018, https://arxiv.org/abs/1803.11285).

``gnd_roxford5k.pkl`` or ``gnd_rparis6k.pkl`` (or the ``.mat`` of the same name, with numbers from 1) beside ``jpg/``:
``imlist`` and ``qimlist`` name gallery and queries without ending; ``gnd`` has for each query ``easy``, ``hard`` and
``junk``, numbers of gallery pictures, and ``bbx``, the corners of the region that is the query.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lookalike.datasets.plain_pickle import read_plain_pickle
from lookalike.datasets.records import Dataset, DatasetImage, Judgement, require_images
from lookalike.errors import InputError
from lookalike.types import Crop

NAMES = ("gnd_roxford5k", "gnd_rparis6k")
ENDINGS = (".pkl", ".mat")
PICTURES = "jpg"
JUDGED = ("easy", "hard", "junk")


def found_in(folder: Path) -> bool:
    """Whether a folder has this layout."""
    return _annotations(folder) is not None


def read(folder: Path) -> Dataset:
    """Read the layout.

    Raises:
        InputError: If something is missing, or the annotations are not of this form.
    """
    path = _annotations(folder)
    if path is None:
        raise InputError(f"{folder} lacks {NAMES[0]}.pkl or {NAMES[1]}.pkl: expected it beside {PICTURES}/")
    gallery, queries, truths = _from_pickle(path) if path.suffix == ".pkl" else _from_mat(path)
    if len(queries) != len(truths):
        raise InputError(f"{path} has {len(queries)} queries and annotations of {len(truths)}: fetch it anew")
    images = [DatasetImage(_picture(folder, name), None, "gallery") for name in gallery]
    judgements = []
    for name, truth in zip(queries, truths, strict=True):
        images.append(DatasetImage(_picture(folder, name), None, "query", _crop(truth["bbx"], path)))
        judgements.append(Judgement(*(_places(truth[kind], len(gallery), path) for kind in JUDGED)))
    require_images(images, path)
    return Dataset("revisited", folder, tuple(images), judgements=tuple(judgements))


def _annotations(folder: Path) -> Path | None:
    places = (folder / f"{name}{ending}" for ending in ENDINGS for name in NAMES)
    return next((place for place in places if place.is_file()), None)


def _picture(folder: Path, name: str) -> Path:
    return folder / PICTURES / f"{name}.jpg"


def _from_pickle(path: Path) -> tuple[list[str], list[str], list[Mapping[str, Any]]]:
    known = read_plain_pickle(path)
    keys = ("imlist", "qimlist", "gnd")
    if not isinstance(known, dict) or any(not isinstance(known.get(key), list) for key in keys):
        raise InputError(f"{path} does not hold the lists {', '.join(keys)}: expected the published file")
    for truth in known["gnd"]:
        _check_truth(truth, path)
    return [str(name) for name in known["imlist"]], [str(name) for name in known["qimlist"]], known["gnd"]


def _check_truth(truth: object, path: Path) -> None:
    if not isinstance(truth, dict) or any(kind not in truth for kind in (*JUDGED, "bbx")):
        raise InputError(
            f"{path} has a query without easy, hard, junk and bbx: expected the revisited annotation, not that of "
            "the original Oxford5k or Paris6k"
        )


def _from_mat(path: Path) -> tuple[list[str], list[str], list[Mapping[str, Any]]]:
    from scipy.io import loadmat

    try:
        known = loadmat(path, simplify_cells=True)
        gallery, queries = ([str(name) for name in known[key]] for key in ("imlist", "qimlist"))
        truths = [dict(truth) for truth in known["gnd"]]
    except Exception as error:  # noqa: BLE001 - a damaged file can fail in any way
        raise InputError(f"{path} cannot be read ({error}): expected the published file") from None
    for truth in truths:
        _check_truth(truth, path)
        truth |= {kind: [place - 1 for place in _listed(truth[kind])] for kind in JUDGED}
    return gallery, queries, list(truths)


def _listed(value: Any) -> list[Any]:
    """A MATLAB vector as a list: an empty one, a single number and several look different there."""
    plain = value.tolist() if hasattr(value, "tolist") else value
    return list(plain) if isinstance(plain, list | tuple) else [plain]


def _places(values: Sequence[Any], gallery: int, path: Path) -> tuple[int, ...]:
    places = tuple(int(value) for value in values)
    if any(not 0 <= place < gallery for place in places):
        raise InputError(
            f"{path} judges a picture outside its list of {gallery}: expected the published file"
        )
    return places


def _crop(corners: Any, path: Path) -> Crop:
    values = [float(value) for value in _listed(corners)]
    if len(values) != 4:
        raise InputError(f"{path} has a region of {len(values)} numbers: expected the corners x1, y1, x2, y2")
    left, top, right, bottom = values
    return Crop(max(left, 0.0), max(top, 0.0), right - max(left, 0.0), bottom - max(top, 0.0))
