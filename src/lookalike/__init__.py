"""lookalike turns images into vectors and puts those vectors to work.

    import lookalike

    shop = lookalike.create("shop.lookalike")
    shop.add("catalog/", attributes="catalog.csv", key="file")
    hits = shop.search("snapshot.jpg", k=12, where="price < 300", group_by="product")

Names are imported when they are first used, so that ``import lookalike`` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from lookalike.client.remote import connect
    from lookalike.collection import Collection, SearchResult, create, embed, open, sample_path
    from lookalike.collection.copying import Copied, copy
    from lookalike.collection.evaluation.reidentification import evaluate_reidentification
    from lookalike.collection.evaluation.sources import compare_encoders, evaluate_retrieval
    from lookalike.collection.evaluation.tracking import evaluate_tracking
    from lookalike.collection.explaining import explain_images
    from lookalike.collection.explanation import Explanation
    from lookalike.collection.layering import layers
    from lookalike.collection.recommendation_result import Recommendations
    from lookalike.datasets.layouts import read_dataset
    from lookalike.encoders.registry import available as list_encoders
    from lookalike.encoders.registry import load_encoder
    from lookalike.errors import LookalikeError
    from lookalike.ingest.interaction_ledger import InteractionLedger
    from lookalike.ingest.ledger import Ledger
    from lookalike.types import Crop, Failure, Hit, Interaction, Item

_HOME = {
    "Collection": "lookalike.collection",
    "Copied": "lookalike.collection.copying",
    "Crop": "lookalike.types",
    "Explanation": "lookalike.collection.explanation",
    "Failure": "lookalike.types",
    "Hit": "lookalike.types",
    "Interaction": "lookalike.types",
    "InteractionLedger": "lookalike.ingest.interaction_ledger",
    "Item": "lookalike.types",
    "Ledger": "lookalike.ingest.ledger",
    "LookalikeError": "lookalike.errors",
    "Recommendations": "lookalike.collection.recommendation_result",
    "SearchResult": "lookalike.collection",
    "compare_encoders": "lookalike.collection.evaluation.sources",
    "connect": "lookalike.client.remote",
    "copy": "lookalike.collection.copying",
    "create": "lookalike.collection",
    "embed": "lookalike.collection",
    "evaluate_reidentification": "lookalike.collection.evaluation.reidentification",
    "evaluate_retrieval": "lookalike.collection.evaluation.sources",
    "evaluate_tracking": "lookalike.collection.evaluation.tracking",
    "explain_images": "lookalike.collection.explaining",
    "layers": "lookalike.collection.layering",
    "list_encoders": "lookalike.encoders.registry:available",
    "load_encoder": "lookalike.encoders.registry",
    "open": "lookalike.collection",
    "read_dataset": "lookalike.datasets.layouts",
    "sample_path": "lookalike.collection",
}

__all__ = [
    "Collection",
    "Copied",
    "Crop",
    "Explanation",
    "Failure",
    "Hit",
    "Interaction",
    "InteractionLedger",
    "Item",
    "Ledger",
    "LookalikeError",
    "Recommendations",
    "SearchResult",
    "__version__",
    "compare_encoders",
    "connect",
    "copy",
    "create",
    "embed",
    "evaluate_reidentification",
    "evaluate_retrieval",
    "evaluate_tracking",
    "explain_images",
    "layers",
    "list_encoders",
    "load_encoder",
    "open",
    "read_dataset",
    "sample_path",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in _HOME:
        raise AttributeError(f"module 'lookalike' has no attribute {name!r}")
    from importlib import import_module

    module, _, attribute = _HOME[name].partition(":")
    value = getattr(import_module(module), attribute or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
