"""Calibration of match strength: how often a cutoff lets through a query whose product the shop does not have.

DATA is as for ``retrieval``. Products are left out of the catalogue fold by fold; a photo or view of a product that is
left out should pass a cutoff c in a share 1 - c of the cases. The last column is the share that passes when its own
product is there (for a view: its other views).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import lookalike
from benchmarks.report import keep
from benchmarks.retrieval import product_of
from lookalike.vectors.metrics import cosine
from lookalike.vectors.strength import Background

FOLDS = 10
CUTOFFS = (0.5, 0.8, 0.95)


def main() -> None:
    """Measure both bundled encoders, with customers' photos and with catalogue views as queries."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    views, photos = sorted((data / "catalog").glob("*.jpg")), sorted((data / "customer").glob("*.jpg"))
    products = np.array([product_of(path) for path in views])
    rows = []
    for encoder in ("efficientnet-lite0", "efficientnet-lite2"):
        gallery = lookalike.embed(views, encoder=encoder)
        asked = {
            "customer photos": (lookalike.embed(photos, encoder=encoder), [product_of(p) for p in photos]),
            "catalogue views": (gallery, products.tolist()),
        }
        for kind, (queries, own) in asked.items():
            out = _best(queries, np.array(own), gallery, products, present=False)
            there = _best(queries, np.array(own), gallery, products, present=True)
            rows += [
                {
                    "encoder": encoder,
                    "queries": kind,
                    "cutoff": cutoff,
                    "false alarms wanted": round(1 - cutoff, 2),
                    "false alarms": float(np.mean(out >= cutoff)),
                    "pass with own product": float(np.mean(there >= cutoff)),
                }
                for cutoff in CUTOFFS
            ]
    keep(f"strength-{data.resolve().name}", rows, products=len(set(products)), folds=FOLDS)


def _best(
    queries: np.ndarray, own: np.ndarray, gallery: np.ndarray, products: np.ndarray, *, present: bool
) -> np.ndarray:
    """Strength of each query's best hit; its own product is in the gallery, or its whole fold is left out."""
    fold = {name: number % FOLDS for number, name in enumerate(sorted(set(products)))}
    of_query, of_view = np.array([fold[p] for p in own]), np.array([fold[p] for p in products])
    best = np.empty(len(queries))
    for number in range(FOLDS):
        mine = np.flatnonzero(of_query == number)
        left = gallery if present else gallery[of_view != number]
        background = Background.fit(left)
        scores = cosine(queries[mine], left)
        scores[scores > 0.9999] = -1  # a view is no answer to itself
        top = scores.max(axis=1, keepdims=True)
        best[mine] = background.strength(queries[mine], top, candidates=len(left))[:, 0]
    return best
