"""Customer photo -> product: which encoder, resize policy, pooling and layer finds the right product.

DATA holds ``catalog/``, ``customer/`` (pictures) and ``images.csv`` or ``catalog.csv``; a picture's product is the
part of its name before the last underscore. Recall counts products (best view of each), mAP counts catalogue pictures.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import lookalike
from benchmarks.report import keep
from lookalike.evaluate.retrieval import by_group, mean_average_precision, recall_at_k
from lookalike.vectors.metrics import cosine

SETTINGS: list[dict[str, str]] = [
    {"encoder": encoder, "resize": resize}
    for encoder in ("efficientnet-lite0", "efficientnet-lite2")
    for resize in ("crop", "pad", "squash")
] + [
    {"encoder": "efficientnet-lite0", "resize": "crop", "pooling": "gem"},
    {"encoder": "efficientnet-lite0", "resize": "crop", "pooling": "max"},
    *({"encoder": "efficientnet-lite0", "resize": "crop", "layer": f"stage{n}"} for n in range(1, 8)),
]


def main() -> None:
    """Measure every setting."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    queries, gallery = sorted((data / "customer").glob("*.jpg")), sorted((data / "catalog").glob("*.jpg"))
    relevant = np.array([[product_of(q) == product_of(g) for g in gallery] for q in queries])
    rows = [_measure(setting, queries, gallery, relevant) for setting in SETTINGS]
    keep(f"retrieval-{data.resolve().name}", rows, queries=len(queries), gallery=len(gallery))


def _measure(
    setting: dict[str, str], queries: list[Path], gallery: list[Path], relevant: np.ndarray
) -> dict[str, object]:
    encoder = lookalike.load_encoder(
        setting["encoder"], **{k: v for k, v in setting.items() if k != "encoder"}
    )
    similarity = cosine(lookalike.embed(queries, encoder=encoder), lookalike.embed(gallery, encoder=encoder))
    products = by_group(similarity, relevant, [product_of(path) for path in gallery])
    row = {
        "encoder": encoder.spec.name,
        "resize": encoder.spec.resize,
        "pooling": encoder.spec.pooling,
        "layer": encoder.spec.layer,
        "dimensions": encoder.spec.dimensions,
        "R@1": recall_at_k(products.scores, products.relevant, 1),
        "R@5": recall_at_k(products.scores, products.relevant, 5),
        "mAP": mean_average_precision(similarity, relevant),
    }
    print(row, flush=True)
    return row


def product_of(path: Path) -> str:
    """The product that a picture shows."""
    return path.stem.rpartition("_")[0]
