"""Near-duplicates on edited copies of real pictures, against thresholds on embeddings and on perceptual hashes.

DATA is as for ``retrieval``: pictures of products from several sides, which are no copies of each other, however alike.
Every picture is joined by edits of itself: half the size, 10 % of both sides cropped off, JPEG quality 30, mirrored,
brighter, darker, other colours, and two mixtures. A pair is true when both come from one picture. The products are
split into halves; constants were chosen on ``development``, ``held-out`` decides. The two baselines may choose their
threshold with the truth at hand (the most recall at a precision of 0.99); lookalike learns its own without.

``--scale N ...`` measures the search itself on synthetic vectors and pictures of which 1 % are copies.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

import lookalike
from benchmarks.report import keep
from benchmarks.retrieval import product_of

LEAST_PRECISION = 0.99
BLOCK = 1000
LEVELS = 4001
"""Thresholds on the cosine that are tried, from -1 to 1."""

Transform = Callable[[Image.Image, np.random.Generator], Image.Image]


def _crop(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    width, height = (round(0.9 * side) for side in picture.size)
    left, top = (
        int(random.integers(whole - part + 1))
        for whole, part in zip(picture.size, (width, height), strict=True)
    )
    return picture.crop((left, top, left + width, top + height))


def _warm(picture: Image.Image, _: np.random.Generator) -> Image.Image:
    gained = np.asarray(picture, dtype=np.float32) * np.array([1.12, 1.0, 0.85], dtype=np.float32)
    return ImageEnhance.Color(Image.fromarray(gained.clip(0, 255).astype(np.uint8))).enhance(0.6)


TRANSFORMS: dict[str, tuple[Transform, int]] = {
    "resize": (lambda p, _: p.resize((p.width // 2, p.height // 2), Image.Resampling.LANCZOS), 90),
    "crop 10 %": (_crop, 90),
    "JPEG 30": (lambda p, _: p, 30),
    "mirror": (lambda p, _: ImageOps.mirror(p), 90),
    "brighter": (lambda p, _: ImageEnhance.Brightness(p).enhance(1.3), 90),
    "darker": (lambda p, _: ImageEnhance.Brightness(p).enhance(0.7), 90),
    "colour": (_warm, 90),
    "crop, resize, JPEG 40": (lambda p, r: _crop(p, r).resize((256, 256)), 40),
    "mirror, contrast, JPEG 40": (lambda p, _: ImageEnhance.Contrast(ImageOps.mirror(p)).enhance(1.2), 40),
}
"""What is done, and the JPEG quality that it is saved with."""


def main() -> None:
    """Measure quality on DATA, and times if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--part", choices=("development", "held-out", "all"), default="held-out")
    parser.add_argument("--products", type=int, metavar="N", help="only so many of them, chosen by seed")
    parser.add_argument("--scale", type=int, nargs="+", metavar="N", help="only times, at these sizes")
    parser.add_argument("--dimensions", type=int, default=256, help="of the synthetic vectors")
    options = parser.parse_args()
    if options.scale:
        _scale(options.scale, options.dimensions)
        return
    pictures = _pictures(options.data, options.part, options.products)
    with tempfile.TemporaryDirectory() as scratch:
        origins = _edited(pictures, Path(scratch) / "edits")
        rows, facts = _quality(Path(scratch), origins)
    keep(
        f"duplicates-{options.data.resolve().name}", rows, part=options.part, pictures=len(pictures), **facts
    )


def _pictures(data: Path, part: str, most: int | None) -> list[Path]:
    pictures = [p for folder in ("catalog", "customer") for p in sorted((data / folder).glob("*.jpg"))]
    products = sorted({product_of(p) for p in pictures})
    halves = {"development": 0, "held-out": 1}
    if part in halves:
        products = [p for p in products if int(hashlib.md5(p.encode()).hexdigest(), 16) % 2 == halves[part]]
    if most is not None:
        products = np.random.default_rng(0).permutation(products)[:most].tolist()
    return [p for p in pictures if product_of(p) in set(products)]


def _edited(pictures: list[Path], folder: Path) -> dict[str, tuple[str, str]]:
    """Write all edits; origin and transform of each by the id that indexing ``folder`` will give it."""
    random, origins = np.random.default_rng(0), {}
    for path in pictures:
        picture = Image.open(path).convert("RGB")
        for name, (transform, quality) in {"original": (None, 0), **TRANSFORMS}.items():
            place = folder / path.parent.name / name.replace(" ", "_") / path.name
            place.parent.mkdir(parents=True, exist_ok=True)
            if transform is None:
                place.write_bytes(path.read_bytes())
            else:
                transform(picture, random).save(place, "JPEG", quality=quality)
            origins[place.relative_to(folder.parent).as_posix()] = (f"{path.parent.name}/{path.name}", name)
    return origins


def _quality(
    scratch: Path, origins: dict[str, tuple[str, str]]
) -> tuple[list[dict[str, object]], dict[str, object]]:
    with lookalike.create(scratch / "edits.lookalike") as collection:
        collection.add(scratch / "edits", progress=False)
        start = time.perf_counter()
        found = collection.duplicates(progress=False)
        seconds = time.perf_counter() - start
        rows, vectors = zip(*collection._gallery.stream(), strict=True)
        items = collection._store.items(np.concatenate(rows).tolist())
    ids, vectors = [item.id for item in items], np.concatenate(vectors)
    truth = np.unique([origins[id][0] for id in ids], return_inverse=True)[1]
    names = np.array([origins[id][1] for id in ids])
    group = np.full(len(ids), -1)
    place = {id: number for number, id in enumerate(ids)}
    for number, members in enumerate(found.groups):
        group[[place[id] for id in members]] = number
    ours = _pairs_of_groups(group, truth)
    hashes = np.stack([_hashes(scratch / id) for id in ids])
    methods = [
        {
            "method": "lookalike duplicates",
            **ours,
            **_by_transform(truth, names, lambda i, j: _same(group, i, j)),
        },
        _best_threshold("cosine of the embeddings", _cosine_scores(vectors), truth, names),
        _best_threshold("pHash, 64 bits, mirrored too", _hash_scores(hashes), truth, names),
    ]
    facts = {
        "items": len(ids),
        "seconds": round(seconds, 1),
        "threshold": found.threshold,
        "precision_stated": found.precision,
        "recall_of_own_edits_stated": found.recall,
        "expected_false_pairs": found.provenance["expected_false_pairs"],
    }
    print(facts)
    return methods, facts


def _same(group: np.ndarray, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    return (group[i] >= 0) & (group[i] == group[j])


def _pairs_of_groups(group: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    pairs = [
        pair
        for number in range(group.max() + 1)
        for pair in combinations(np.flatnonzero(group == number).tolist(), 2)
    ]
    right = sum(truth[a] == truth[b] for a, b in pairs)
    wanted = sum(math.comb(int(count), 2) for count in np.bincount(truth))
    return {"precision": right / max(1, len(pairs)), "recall": right / wanted}


def _by_transform(
    truth: np.ndarray, names: np.ndarray, joined: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> dict[str, float]:
    """Share of originals that are joined with their edit, for each transform."""
    original = {int(truth[n]): n for n in np.flatnonzero(names == "original")}
    shares = {}
    for name in TRANSFORMS:
        edits = np.flatnonzero(names == name)
        shares[name] = float(joined(np.array([original[int(truth[n])] for n in edits]), edits).mean())
    return shares


Scores = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Similarities in [-1, 1] of items i (n,) and j (m,), as (n, m)."""


def _best_threshold(name: str, scores: Scores, truth: np.ndarray, names: np.ndarray) -> dict[str, object]:
    """The most recall that any threshold has at the least precision, over all pairs."""
    right, wrong = np.zeros(LEVELS, dtype=np.int64), np.zeros(LEVELS, dtype=np.int64)
    everyone = np.arange(len(truth))
    for first in range(0, len(truth), BLOCK):
        some = everyone[first : first + BLOCK]
        level = np.rint((scores(some, everyone) + 1) / 2 * (LEVELS - 1)).astype(np.int64)
        later, same = everyone > some[:, None], truth[some][:, None] == truth
        right += np.bincount(level[later & same], minlength=LEVELS)
        wrong += np.bincount(level[later & ~same], minlength=LEVELS)
    true, false = np.cumsum(right[::-1])[::-1], np.cumsum(wrong[::-1])[::-1]
    precision = true / np.maximum(1, true + false)
    good = np.flatnonzero((precision >= LEAST_PRECISION) & (true > 0))
    if not len(good):
        return {"method": name, "precision": float(precision.max()), "recall": 0.0}
    level = good[0]
    line = 2 * (level - 0.5) / (LEVELS - 1) - 1

    def joined(i: np.ndarray, j: np.ndarray) -> np.ndarray:
        return (
            np.array([float(scores(a, b)[0, 0]) for a, b in zip(i[:, None], j[:, None], strict=True)]) >= line
        )

    measured = {"precision": float(precision[level]), "recall": float(true[level] / right.sum())}
    return {"method": name, **measured, **_by_transform(truth, names, joined)}


def _cosine_scores(vectors: np.ndarray) -> Scores:
    return lambda i, j: vectors[i] @ vectors[j].T


def _hash_scores(hashes: np.ndarray) -> Scores:
    """Share of equal bits, the better of the picture and its mirror image, from -1 to 1."""
    signs = hashes.astype(np.float32) * 2 - 1
    return lambda i, j: np.maximum(signs[i, 0] @ signs[j, 0].T, signs[i, 0] @ signs[j, 1].T) / 64


def _hashes(path: Path) -> np.ndarray:
    """pHash (Zauner 2010): signs of the 8 x 8 lowest DCT coefficients against their median; and of the mirror image."""
    from scipy.fft import dctn

    grey = np.asarray(
        Image.open(path).convert("L").resize((32, 32), Image.Resampling.LANCZOS), dtype=np.float32
    )
    low = [dctn(plane)[:8, :8].ravel() for plane in (grey, grey[:, ::-1])]
    return np.stack([coefficients > np.median(coefficients) for coefficients in low])


SCALE = """
import json, resource, sys, time
import numpy as np
from benchmarks.duplicates import synthetic, SyntheticPictures
from lookalike.tasks.duplicates import near_duplicates
from lookalike.vectors.hnsw import HNSW
from lookalike.vectors.neighbours import ArrayVectors, Exact
n, dimensions = int(sys.argv[1]), int(sys.argv[2])
vectors, origin = synthetic(n, dimensions)
source = ArrayVectors(vectors.astype(np.float16))
del vectors
start, worked = time.perf_counter(), time.process_time()
index = HNSW.build(source, half=True) if n > 20_000 else Exact(source, resident=True)
built, built_cpu = time.perf_counter() - start, time.process_time() - worked
rows = np.arange(n)
def blocks():
    for first in range(0, n, 1024):
        yield rows[first:first + 1024], source.array[first:first + 1024].astype(np.float32)
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before, start, worked = peak(), time.perf_counter(), time.process_time()
found = near_duplicates(blocks(), lambda q, k: index.search(q, k), SyntheticPictures(origin),
                        edits=np.empty(0, np.float32))
seconds, cpu = time.perf_counter() - start, time.process_time() - worked
planted = int((origin != rows).sum())
right = sum(len(set(origin[g.members].tolist())) == 1 for g in found.groups)
print(json.dumps({"items": n, "index": index.kind, "index s": round(built, 1), "index CPU s": round(built_cpu, 1),
    "search s": round(seconds, 1), "search CPU s": round(cpu, 1), "peak MB": round(peak()),
    "of it index and vectors MB": round(before), "pairs compared": found.compared,
    "groups planted": planted, "groups found": len(found.groups), "of them right": right}))
"""


def synthetic(n: int, dimensions: int) -> tuple[np.ndarray, np.ndarray]:
    """Vectors float32 (n, d) of which 1 % are disturbed copies of another, and which item each is a copy of."""
    from benchmarks.search import clustered

    random = np.random.default_rng(0)
    vectors, origin = clustered(n, dimensions, seed=0), np.arange(n)
    chosen = random.permutation(n)[: 2 * (n // 100)]
    copies, originals = np.split(chosen, 2)
    origin[copies] = originals
    noise = random.standard_normal((len(copies), dimensions)).astype(np.float32)
    moved = vectors[originals] + 0.3 * noise / math.sqrt(dimensions)
    vectors[copies] = moved / np.linalg.norm(moved, axis=1, keepdims=True)
    return vectors, origin


class SyntheticPictures:
    """Pictures of 8 x 8 tiles, those of a copy as those of its original but for noise."""

    def __init__(self, origin: np.ndarray) -> None:
        tiles = np.random.default_rng(1).integers(0, 256, (len(origin), 8, 8), dtype=np.uint8)
        self._tiles = tiles[origin]

    def _noisy(self, rows: np.ndarray, side: int) -> np.ndarray:
        picture = self._tiles[rows].repeat(side // 8, axis=1).repeat(side // 8, axis=2).astype(np.int16)
        picture += np.random.default_rng(rows[0]).integers(-6, 7, picture.shape, dtype=np.int16)
        return picture.clip(0, 255).astype(np.uint8)

    def coarse(self, rows: np.ndarray) -> np.ndarray:
        """Coarse luminance."""
        return self._noisy(rows, 32)

    def planes(self, rows: np.ndarray) -> object:
        """What gives fine luminance, and no colour."""
        from lookalike.images.perceptual import Planes

        planes = Planes(self._noisy(rows, 128), np.full((len(rows), 32, 32, 2), 128, dtype=np.uint8))
        return lambda: planes


def _scale(sizes: list[int], dimensions: int) -> None:
    rows: list[dict[str, Any]] = []
    for n in sizes:
        command = [sys.executable, "-c", SCALE, str(n), str(dimensions)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        row = json.loads(done.stdout.splitlines()[-1])
        growth: float | str = ""
        if rows:
            last, both = rows[-1], ("index CPU s", "search CPU s")
            more = sum(row[part] for part in both) / sum(last[part] for part in both)
            growth = math.log(more) / math.log(n / last["items"])
        rows.append({**row, "growth exponent (CPU)": growth})
        print(rows[-1], flush=True)
    keep("duplicates-scale", rows, dimensions=dimensions)
