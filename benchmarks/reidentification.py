"""Re-identification of people across cameras: what each part of the descriptor adds, against plain pooling.

DATA is a folder of crops in the layout of Market-1501, or crops with ``query.txt`` and ``gallery.txt``. Views of the
query's own camera do not count. Means of cameras are learned from all crops, without looking at who they show.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks.report import keep
from lookalike.datasets import market
from lookalike.encoders.registry import DEFAULT_ENCODER, load_encoder
from lookalike.evaluate.reidentification import score_reidentification
from lookalike.images.decode import decode
from lookalike.tracking.appearance import RESIZE, AppearanceSpace, describe_crops
from lookalike.tracking.neighbourhoods import reciprocal_similarity
from lookalike.vectors.metrics import normalise


def main() -> None:
    """Measure on DATA."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--encoder", default=DEFAULT_ENCODER)
    options = parser.parse_args()
    crops = market.read(options.data)
    everything = [*crops.queries, *crops.gallery]
    images = [decode(crop.path.read_bytes()).pixels for crop in everything]
    encoder = load_encoder(options.encoder)
    padding = load_encoder(options.encoder, resize=RESIZE)
    plain, pooled = (
        np.stack([e.raw_embedding for e in one.encode(map(one.prepare, images))])
        for one in (encoder, padding)
    )
    parts = describe_crops(images, padding)
    cameras = [crop.camera for crop in everything]
    stripes, colours = ({name: parts[name]} for name in ("network", "colour"))
    joined = AppearanceSpace.fitted(parts, cameras).embed(parts, cameras)
    similarities = {
        "mean over the map, as the encoder resizes": _cosines(normalise(plain)),
        "mean over the map, padded": _cosines(normalise(pooled)),
        "mean over the map, cameras' means taken away": _centred({"network": normalise(pooled)}, cameras),
        "stripes": _cosines(normalise(stripes["network"])),
        "stripes, cameras' means taken away": _centred(stripes, cameras),
        "colours": _cosines(normalise(colours["colour"])),
        "colours, cameras' means taken away": _centred(colours, cameras),
        "stripes and colours, cameras' means taken away": _cosines(joined),
        "the same, re-ranked (k1 20, k2 6)": reciprocal_similarity(
            _cosines(joined), k1=20, k2=6, original=0.3
        ),
    }
    count = len(crops.queries)
    people = [crop.person for crop in everything]
    rows = []
    for name, similarity in similarities.items():
        scores = score_reidentification(
            similarity[:count, count:], people[:count], cameras[:count], people[count:], cameras[count:]
        )
        rows.append({"descriptor": name, **scores.as_dict()})
    keep(
        f"reidentification-{options.data.resolve().name}",
        rows,
        encoder=encoder.spec.name,
        resize=encoder.spec.resize,
    )


def _cosines(vectors: np.ndarray) -> np.ndarray:
    wide = vectors.astype(np.float64)
    return wide @ wide.T


def _centred(parts: dict[str, np.ndarray], cameras: list[str]) -> np.ndarray:
    return _cosines(AppearanceSpace.fitted(parts, cameras).embed(parts, cameras))


if __name__ == "__main__":
    main()
