"""Explanations: are exact shares exact, do they agree with occlusion, do both point at the thing, what do they cost?

DATA is as for ``retrieval``. Pairs are two studio views of a product, and a customer's photo with a view of its
product. For the corner columns a view is pasted, at half size, into a corner of another product's photo: the share of
the positive map that lies in that corner, a quarter of the image.
Times are of all cores together, reading the files included.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from time import process_time

import numpy as np

import lookalike
from benchmarks.report import keep
from benchmarks.retrieval import product_of
from lookalike.collection.explaining import explain_images
from lookalike.collection.pictures import read_picture
from lookalike.encoders import load_encoder
from lookalike.tasks.explain import attribute, summands
from lookalike.types import Image
from lookalike.vectors.metrics import inner, normalise
from lookalike.vectors.reduction import Reducer

DIMENSIONS = 128


def main() -> None:
    """Measure both bundled encoders on both kinds of pairs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--pairs", type=int, default=12, help="of each kind (default: 12)")
    options = parser.parse_args()
    views, photos = (sorted((options.data / kind).glob("*.jpg")) for kind in ("catalog", "customer"))
    first = {product_of(path): path for path in reversed(views)}
    second = {product_of(path): path for path in views}
    names = sorted(first)[:: max(1, len(first) // options.pairs)][: options.pairs]
    photo = {product_of(path): path for path in reversed(photos)}
    kinds = {
        "two studio views": [(first[name], second[name]) for name in names],
        "customer photo and view": [(photo[name], first[name]) for name in names if name in photo],
    }
    rows = []
    for encoder in ("efficientnet-lite0", "efficientnet-lite2"):
        reducer = _reducer(views[::3], encoder)
        rows += [_row(encoder, kind, pairs, reducer, photos) for kind, pairs in kinds.items()]
    keep(f"explaining-{options.data.resolve().name}", rows)


def _reducer(views: list[Path], encoder: str) -> Reducer:
    """Centred PCA of the catalogue."""
    vectors = lookalike.embed(views, encoder=encoder)
    mean = vectors.mean(axis=0)
    axes = np.linalg.svd(vectors - mean, full_matrices=False)[2][:DIMENSIONS].T
    return Reducer(mean, np.ascontiguousarray(axes), "pca", np.zeros(axes.shape[1], np.float32))


def _row(
    encoder: str, kind: str, pairs: list[tuple[Path, Path]], reducer: Reducer, photos: list[Path]
) -> dict[str, object]:
    errors, reduced, agreement, pointing = [], [], [], {"exact": [], "occlusion": []}
    seconds: dict[str, list[float]] = {"exact": [], "occlusion": []}
    for number, (one, other) in enumerate(pairs):
        maps = {}
        for method in ("exact", "occlusion"):
            begun = process_time()
            why = explain_images(one, other, encoder=encoder, method=method)
            seconds[method].append(1000 * (process_time() - begun))
            maps[method] = why.b.shares
            errors += [why.error] if why.error is not None else []
        if maps["exact"].shape == maps["occlusion"].shape:
            agreement.append(np.corrcoef(_ranks(maps["exact"]), _ranks(maps["occlusion"]))[0, 1])
        reduced.append(_reduced_error(encoder, one, other, reducer))
        corner = (number % 2, number // 2 % 2)
        scene = _pasted(other, photos[(7 * number + 3) % len(photos)], corner, encoder)
        for method in pointing:
            why = explain_images(one, scene, encoder=encoder, resize="squash", method=method)
            pointing[method].append(_inside(why.b.heat, corner))
    return {
        "encoder": encoder,
        "pairs": f"{len(pairs)} x {kind}",
        "worst error": f"{max(errors):.0e}",
        f"worst error, PCA {DIMENSIONS}": f"{max(reduced):.0e}",
        "CPU ms exact": float(np.median(seconds["exact"])),
        "CPU ms occlusion": float(np.median(seconds["occlusion"])),
        "rank correlation of the two": float(np.mean(agreement)) if agreement else "",
        "exact in the corner": float(np.mean(pointing["exact"])),
        "occlusion in the corner": float(np.mean(pointing["occlusion"])),
    }


def _reduced_error(encoder: str, one: Path, other: Path, reducer: Reducer) -> float:
    network = load_encoder(encoder)
    inputs = [network.prepare(read_picture(path, network.spec).pixels) for path in (one, other)]
    encodings = list(network.encode(inputs, spatial=True))
    parts = [
        summands(encoding.spatial, "gap", mean=reducer.mean, matrix=reducer.matrix)
        for encoding in encodings
        if encoding.spatial is not None
    ]
    vectors = reducer.transform(normalise(np.stack([encoding.raw_embedding for encoding in encodings])))
    expected = float(inner(vectors[:1], vectors[1:])[0, 0])
    found = attribute(parts[0], parts[1])
    return max(abs(float(found.a.sum()) - expected), abs(float(found.b.sum()) - expected))


def _pasted(view: Path, photo: Path, corner: tuple[int, int], encoder: str) -> Image:
    """A photo, squashed to the network's input, with a view in one of its corners."""
    network = load_encoder(encoder, resize="squash")
    scene = network.prepare(read_picture(photo, network.spec).pixels).copy()
    thing = network.prepare(read_picture(view, network.spec).pixels)[::2, ::2]
    height, width = thing.shape[:2]
    top, left = corner[0] * (len(scene) - height), corner[1] * (scene.shape[1] - width)
    scene[top : top + height, left : left + width] = thing
    return scene


def _inside(heat: np.ndarray, corner: tuple[int, int]) -> float:
    positive = np.clip(heat, 0, None)
    half = [(slice(None, n // 2), slice(n // 2, None)) for n in heat.shape]
    inside = float(positive[half[0][corner[0]], half[1][corner[1]]].sum())
    return inside / float(positive.sum()) if inside else 0.0


def _ranks(values: np.ndarray) -> np.ndarray:
    return values.ravel().argsort().argsort()
