"""``lookalike evaluate recommendation``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import lookalike
from lookalike.cli.grammar import DONE
from lookalike.cli.output import print_json, print_table
from lookalike.collection.evaluation.recommendation_result import RecommendationEvaluation, StrategyResult
from lookalike.errors import InputError


def recommendation(options: argparse.Namespace) -> int:
    """Compare strategies on what users did next."""
    chosen: dict[str, Any] = {
        "split": options.split,
        "group_by": options.group_by,
        "k": options.k,
        "strategies": options.strategy,
        "event_weights": {
            name: _number(text, "--weight") for name, text in _pairs(options.weight, "--weight")
        },
        "cold_users": options.cold_users,
        "columns": dict(_pairs(options.column, "--column")) or None,
        "level": options.level,
        "resamples": options.resamples,
        "most_users": options.most_users,
        "seed": options.seed,
        "progress": not options.json,
    }
    if options.event is not None:
        chosen["events"] = options.event
    if options.half_life is not None:
        none = options.half_life.lower() == "none"
        chosen["half_life"] = None if none else _number(options.half_life, "--half-life")
    with lookalike.open(options.collection) as collection:
        result = collection.evaluate_recommendation(options.interactions, **chosen)
    written = result.save_html(options.html) if options.html else None
    if options.json:
        print_json(result.to_dict() | ({"html": str(written)} if written else {}))
        return DONE
    _print(result, options.level)
    if written:
        print(f"report: {written}", file=sys.stderr)
    return DONE


def _print(result: RecommendationEvaluation, level: float) -> None:
    k = result.k
    title = f"recommendation: {result.users:,} users from {result.split} on, lists of {k} out of {result.units:,} units"
    _print_rows(title, result.strategies, k, level)
    if result.cold:
        _print_rows(f"{result.cold_users:,} users without a past", result.cold, k, level)
    rows = [
        (
            name,
            measure,
            f"{each.difference:+.3f}",
            f"{each.low:+.3f} to {each.high:+.3f}",
            f"{each.p_value:.4f}",
        )
        for name, measures in result.comparisons.items()
        for measure, each in measures.items()
    ]
    if rows:
        columns = ["against", "measure", "difference", "interval", "p"]
        print_table(f"{result.reference} minus the others, same users", columns, rows, right=columns[2:])
    unknown = result.counts["of_unknown_items"]
    if unknown:
        print(f"{unknown:,} interactions name nothing in the collection and are left out", file=sys.stderr)


def _print_rows(title: str, strategies: Any, k: int, level: float) -> None:
    measures = [f"recall@{k}", f"ndcg@{k}", f"hit@{k}", "mrr", "intra_list_diversity", "novelty"]
    if any(each.measures[f"recall_rare@{k}"] is not None for each in strategies.values()):
        measures.append(f"recall_rare@{k}")
    heads = ["diversity" if name == "intra_list_diversity" else name for name in measures]
    columns = ["", heads[0], f"{level:.0%} interval", *heads[1:], "coverage"]
    rows = [_row(name, each, measures) for name, each in strategies.items()]
    print_table(title, columns, rows, right=columns[1:])


def _row(name: str, result: StrategyResult, measures: Sequence[str]) -> list[str]:
    first = result.measures[measures[0]]
    interval = "" if first is None else f"{first.low:.3f} to {first.high:.3f}"
    values = [result.measures[measure] for measure in measures]
    means = ["" if value is None else f"{value.estimate:.3f}" for value in values]
    return [name, means[0], interval, *means[1:], f"{result.coverage:.3f}"]


def _pairs(texts: Sequence[str], option: str) -> list[tuple[str, str]]:
    pairs = [(name, value) for name, _, value in (text.partition("=") for text in texts)]
    wrong = [text for text, (name, value) in zip(texts, pairs, strict=True) if not name or not value]
    if wrong:
        raise InputError(f"{option} {wrong[0]!r}: expected NAME=VALUE")
    return pairs


def _number(text: str, option: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{option} {text!r}: expected a number") from None
