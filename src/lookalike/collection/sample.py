"""The sample that comes with the package."""

from __future__ import annotations

from pathlib import Path


def sample_path() -> Path:
    """The packaged sample: 110 products of a furniture shop.

    Returns:
        A folder with ``catalog/`` (three pictures of each product), ``catalog.csv`` (attributes of each, key
        ``file``), ``customer/`` (two photos of each as a customer would take them), ``products.csv`` and
        ``ATTRIBUTION.md`` (authors and licences).
    """
    return Path(__file__).parents[1] / "sample"
