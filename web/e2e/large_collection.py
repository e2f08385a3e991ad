"""Makes a large collection of the indexed sample, for measuring what a page takes when there is much to show.

    python large_collection.py SAMPLE_COLLECTION TARGET [COUNT]

Every item is one of the sample with its real thumbnail and original. Its attributes are the item's but for the price;
its vector lies as far from the item's as other views of a thing do. Nothing is encoded, so 10,000 items take seconds.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import lookalike
from lookalike.types import Record
from lookalike.vectors.metrics import normalise

COUNT = 10_000
BATCH = 1000
SPREAD = 0.5
"""Length of what is added to a vector of length 1: a cosine of about 0.9 to where it came from."""


def main(sample: Path, target: Path, count: int) -> None:
    """Make the collection."""
    random = np.random.default_rng(0)
    with lookalike.open(sample) as small, lookalike.create(target) as large:
        fingerprint = large.info()["fingerprint"]
        items = [item for batch in small._store.stream() for item in batch]
        rows = [item.row for item in items]
        vectors, thumbnails = small._store.vectors(rows), small._store.thumbnails(rows)
        for first in range(0, count, BATCH):
            own = np.arange(first, min(first + BATCH, count)) % len(items)
            added = normalise(random.standard_normal((len(own), vectors.shape[1])))
            embeddings = normalise(vectors[own] + SPREAD * added)
            records = []
            for at, (which, embedding) in enumerate(zip(own.tolist(), embeddings, strict=True), start=first):
                item = items[which]
                attributes = dict(item.attributes)
                if isinstance(attributes.get("price"), int | float):
                    attributes["price"] = round(float(random.uniform(5, 500)), 2)
                records.append(
                    Record(
                        id=f"large/{at:05}/{item.id}",
                        uri=item.uri,
                        source="large",
                        stamp=None,
                        sha256=item.sha256,
                        width=item.width,
                        height=item.height,
                        embedding=embedding,
                        thumbnail=thumbnails[which],
                        attributes=attributes,
                    )
                )
            large._store.put(records, fingerprint)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else COUNT)
