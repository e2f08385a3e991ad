"""What users did next: strategies against simple methods, diversity against accuracy, and products that are new.

DATA holds ``catalog/`` (pictures), ``catalog.csv`` (columns ``file`` and ``product``: what a shop would export) and
``interactions.csv`` (``user``, ``item``: a product, ``event``, ``time``). The first table is what ``lookalike evaluate
recommendation`` prints. The second trades accuracy for lists whose products differ. For the third a fifth of the
products, drawn at random, has no interaction before the split, as if it had come that day; recall is that of these
products alone.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import keep

DIVERSITIES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
NEW_SHARE = 0.2
NEW_ROWS = (
    "interests",
    "interests_looks_alone",
    "item_knn_decayed",
    "decayed_average",
    "last_item",
    "best_score",
    "popularity",
    "random",
)


def main() -> None:
    """Measure all three."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--split", required=True)
    parser.add_argument("--group-by", default="product")
    parser.add_argument("--k", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--collection", type=Path, help="indexed before; made for the occasion by default")
    options = parser.parse_args()
    name = options.data.resolve().name
    asked = {"split": options.split, "group_by": options.group_by, "k": options.k, "seed": options.seed}
    with _collection(options) as collection:
        _strategies(collection, options.data, asked, name)
        _diversity(collection, options.data, asked, name)
        _new(collection, options.data, asked, name)


@contextmanager
def _collection(options: argparse.Namespace) -> Iterator[Any]:
    import lookalike

    if options.collection is not None:
        with lookalike.open(options.collection) as collection:
            yield collection
        return
    with tempfile.TemporaryDirectory() as folder, lookalike.create(Path(folder) / "shop") as collection:
        data = options.data
        collection.add(data / "catalog", attributes=data / "catalog.csv", key="file")
        yield collection


def _strategies(collection: Any, data: Path, asked: Mapping[str, Any], name: str) -> None:
    result = collection.evaluate_recommendation(data / "interactions.csv", **asked)
    k = asked["k"]
    rows = []
    for strategy, row in result.strategies.items():
        values = {measure: None if of is None else of.estimate for measure, of in row.measures.items()}
        recall, gain = row.measures[f"recall@{k}"], row.measures[f"ndcg@{k}"]
        against = result.comparisons.get(strategy)
        rows.append(
            {
                "strategy": strategy,
                f"recall@{k}": recall.estimate,
                "interval": f"{recall.low:.3f} to {recall.high:.3f}",
                f"nDCG@{k}": gain.estimate,
                "interval ": f"{gain.low:.3f} to {gain.high:.3f}",
                f"{result.reference} minus it, nDCG@{k}": _difference(against, f"ndcg@{k}"),
                f"hit@{k}": values[f"hit@{k}"],
                "MRR": values["mrr"],
                "coverage": row.coverage,
                "diversity": values["intra_list_diversity"],
                "novelty": values["novelty"],
            }
        )
    keep(f"recommendation-{name}", rows, users=result.users, units=result.units, provenance=_about(result))


def _diversity(collection: Any, data: Path, asked: Mapping[str, Any], name: str) -> None:
    """Each setting against scores alone, without shared slots and diversity, on the same users."""
    from lookalike.evaluate.bootstrap import paired_test
    from lookalike.tasks.recommend.taste import Taste

    settings = [(math.inf, 0.0), *((Taste().slots, diversity) for diversity in DIVERSITIES)]
    tastes = {
        f"{'together' if together else 'looks alone'} {slots} {diversity}": Taste(
            slots=slots, diversity=diversity, together=together
        )
        for together in (True, False)
        for slots, diversity in settings
    }
    result = collection.evaluate_recommendation(
        data / "interactions.csv", strategies=[], tastes=tastes, **asked
    )
    k = asked["k"]
    rows = []
    for row_name, taste in tastes.items():
        row = result.strategies[row_name]
        plain = result.strategies[f"{'together' if taste.together else 'looks alone'} {math.inf} 0.0"]
        change = paired_test(row.per_user[f"ndcg@{k}"], plain.per_user[f"ndcg@{k}"], seed=asked["seed"])
        before = plain.measures[f"ndcg@{k}"].estimate
        apart, gain = row.measures["intra_list_diversity"], row.measures[f"ndcg@{k}"]
        rows.append(
            {
                "interests": "with what others liked" if taste.together else "looks alone",
                "slots": "any" if math.isinf(taste.slots) else f"{taste.slots:g} times the share",
                "diversity": taste.diversity,
                "intra-list diversity": apart.estimate,
                "change": f"{apart.estimate / plain.measures['intra_list_diversity'].estimate - 1:+.1%}",
                f"nDCG@{k}": gain.estimate,
                "change ": f"{change.difference / before:+.1%}",
                "interval": f"{change.low / before:+.1%} to {change.high / before:+.1%}",
                f"recall@{k}": row.measures[f"recall@{k}"].estimate,
                "coverage": row.coverage,
            }
        )
    keep(f"recommendation-diversity-{name}", rows, users=result.users, provenance=_about(result))


def _new(collection: Any, data: Path, asked: Mapping[str, Any], name: str) -> None:
    """Recall of products that nobody had touched before the split."""
    from lookalike.collection.evaluation.recommendation_events import parse_time
    from lookalike.ingest.interactions import read_interactions

    past = [each for batch in read_interactions(data / "interactions.csv") for each in batch]
    products = sorted({each.item for each in past})
    rng = np.random.default_rng(asked["seed"])
    new = set(rng.choice(products, round(NEW_SHARE * len(products)), replace=False).tolist())
    moment = parse_time(asked["split"])
    met = {(each.user, each.item) for each in past if each.time < moment and each.item in new}
    kept = [each for each in past if each.item not in new or (each.user, each.item) not in met]
    result = collection.evaluate_recommendation(kept, strategies=NEW_ROWS, **asked)
    k = asked["k"]
    rows = []
    for strategy, row in result.strategies.items():
        rare, recall = row.measures[f"recall_rare@{k}"], row.measures[f"recall@{k}"]
        rows.append(
            {
                "strategy": strategy,
                f"recall@{k} of new products": rare.estimate,
                "interval": f"{rare.low:.3f} to {rare.high:.3f}",
                "users": rare.count,
                f"recall@{k} of all": recall.estimate,
                f"nDCG@{k} of all": row.measures[f"ndcg@{k}"].estimate,
            }
        )
    keep(f"recommendation-new-{name}", rows, new=len(new), units=result.units, provenance=_about(result))


def _difference(against: Mapping[str, Any] | None, measure: str) -> str:
    if against is None:
        return ""
    result = against[measure]
    return f"{result.difference:+.3f} ({result.low:+.3f} to {result.high:+.3f})"


def _about(result: Any) -> dict[str, Any]:
    """What it depends on, without places on this machine."""
    provenance = dict(result.provenance)
    del provenance["collection"]
    return provenance
