"""``lookalike evaluate tracking`` and ``lookalike evaluate reid``."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from lookalike.cli.filling import SHOWN_FAILURES
from lookalike.cli.grammar import DONE, SOME_FAILED
from lookalike.cli.output import print_json, print_table
from lookalike.collection.evaluation.reidentification import evaluate_reidentification
from lookalike.collection.evaluation.tracking import evaluate_tracking
from lookalike.evaluate.tracking import TrackingScores


def tracking(options: argparse.Namespace) -> int:
    """Compare tracks with the truth."""
    result = evaluate_tracking(
        options.truth, options.result, cameras=options.cameras, least_iou=options.iou, scope=options.scope
    )
    if options.json:
        print_json(result.to_dict())
        return DONE
    overall = f"all {len(result.scores.cameras)}"
    rows = [_scores(name, scores) for name, scores in result.scores.cameras.items()]
    if len(rows) > 1:
        rows.append(_scores(overall, result.scores.overall))
    columns = [
        "camera",
        "IDF1",
        "HOTA",
        "MOTA",
        "DetA",
        "AssA",
        "precision",
        "recall",
        "switches",
        "boxes",
        "found",
    ]
    print_table("tracks against the truth", columns, rows, right=columns[1:])
    for name in result.provenance["without_result"]:
        print(f"camera {name}: nothing was found", file=sys.stderr)
    return DONE


def reidentification(options: argparse.Namespace) -> int:
    """Measure how well people are found again."""
    chosen: dict[str, Any] = {"workers": options.workers, "progress": not options.json}
    if options.encoder is not None:
        chosen["encoder"] = options.encoder
    if options.k:
        chosen["ks"] = sorted(set(options.k))
    result = evaluate_reidentification(options.folder, **chosen)
    if options.json:
        print_json(result.to_dict())
    else:
        ks = result.provenance["ks"]
        columns = ["", *(f"CMC-{k}" for k in ks), "mAP", "mINP"]
        rows = [
            (
                name,
                *(f"{scores.cmc[k]:.3f}" for k in ks),
                f"{scores.mean_average_precision:.3f}",
                f"{scores.mean_inverse_negative_penalty:.3f}",
            )
            for name, scores in result.methods.items()
        ]
        queries = next(iter(result.methods.values())).queries
        title = f"re-identification: {queries:,} queries to {result.gallery:,} crops of other cameras"
        print_table(title, columns, rows, right=columns[1:])
        for failure in result.failures[:SHOWN_FAILURES]:
            print(f"not read: {failure.uri}: {failure.reason}", file=sys.stderr)
    return SOME_FAILED if result.failures else DONE


def _scores(name: str, scores: TrackingScores) -> list[str]:
    measures = (
        scores.identity.idf1,
        scores.hota.hota,
        scores.clear.mota,
        scores.hota.detection,
        scores.hota.association,
        scores.identity.precision,
        scores.identity.recall,
    )
    counts = (scores.clear.switches, scores.truths, scores.found)
    return [name, *(f"{value:.3f}" for value in measures), *(f"{count:,}" for count in counts)]
