"""Write the vectors that pin the bundled encoders: ``PYTHONPATH=tests python tests/encoders/make_golden.py``.

Only after a change that is meant to change them; raise PREPROCESSING_REVISION with it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from encoder_kinds import SAMPLE, read
from lookalike.encoders import bundled, load_encoder

GOLDEN = Path(__file__).parent / "golden.npz"
PICTURES = (
    "catalog/BlendSwapCC0-basketball_0.jpg",
    "catalog/BlendSwapCC0-wallLight_0.jpg",
    "customer/BlendSwapCC0-bed1_0.jpg",
    "customer/BlendSwapCC0-bed3_0.jpg",
)


def main() -> None:
    images = [read(SAMPLE / picture) for picture in PICTURES]
    arrays: dict[str, np.ndarray] = {"pictures": np.array(PICTURES)}
    for name in bundled.names():
        encoder = load_encoder(name)
        arrays[name] = np.stack([e.raw_embedding for e in encoder.encode(map(encoder.prepare, images))])
        arrays[f"{name} fingerprint"] = np.array(encoder.spec.fingerprint)
    np.savez_compressed(GOLDEN, **arrays)


if __name__ == "__main__":
    main()
