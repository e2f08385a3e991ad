"""The grammar of classifiers."""

from __future__ import annotations

import argparse

from lookalike.cli.grammar import Commands, add_collection, command, group


def add(commands: Commands) -> None:
    """Add ``classify train``, ``classify predict`` and ``classify review``."""
    tasks = group(commands, "classify", "learn labels from labelled items, give them to others, review them")
    _train(tasks)
    _predict(tasks)
    _review(tasks)


def _train(tasks: Commands) -> None:
    parser = command(
        tasks, "train", "labelling:train", "learn labels from an attribute or a table, and say how well"
    )
    add_collection(parser)
    _add_labels(parser)
    parser.add_argument("--name", metavar="NAME", help="what to save it as (default: the attribute's name)")
    parser.add_argument(
        "--method",
        choices=("auto", "linear", "neighbours", "prototypes"),
        default="auto",
        help="default: auto, the least cross-validated log loss",
    )
    parser.add_argument("--where", metavar="EXPR", help="learn from the items that this filter selects")
    parser.add_argument(
        "--class-weights",
        choices=("balanced", "none"),
        default="balanced",
        help="balanced (default): every class counts the same; none: every item does",
    )
    parser.add_argument(
        "--false-reject-rate",
        type=float,
        default=0.05,
        metavar="F",
        help="share of known items that may be called unknown; 0 rejects nothing (default: 0.05)",
    )
    _add_report(parser)


def _predict(tasks: Commands) -> None:
    parser = command(
        tasks, "predict", "labelling:predict", "label pictures, or write labels of items as attributes"
    )
    add_collection(parser)
    parser.add_argument("images", nargs="*", metavar="IMAGE|ID", help="pictures or items to label")
    parser.add_argument("--name", metavar="NAME", help="of the classifier, where there are several")
    parser.add_argument(
        "--write", action="store_true", help="label all items (or those of --where) and write attributes"
    )
    parser.add_argument("--where", metavar="EXPR", help="with --write: the items that this filter selects")
    parser.add_argument(
        "--attribute", metavar="ATTR", help="with --write: where labels go (default: NAME_predicted)"
    )
    parser.add_argument("--overwrite", action="store_true", help="with --attribute: it may exist already")
    parser.add_argument(
        "--on", metavar="RAY", help="with --write: label on Ray, 'ray' or 'ray://HOST:PORT' (default: here)"
    )


def _review(tasks: Commands) -> None:
    parser = command(
        tasks, "review", "labelling:review", "list likely label errors, what to label next, and outliers"
    )
    add_collection(parser)
    _add_labels(parser)
    parser.add_argument("--name", metavar="NAME", help="of a classifier, whose labels are reviewed")
    parser.add_argument("--where", metavar="EXPR", help="look at the items that this filter selects")
    parser.add_argument(
        "-n", "--count", type=int, default=24, metavar="N", help="most entries of each list (default: 24)"
    )
    _add_report(parser)


def _add_labels(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--label", metavar="ATTR", help="attribute (with --labels: column) that holds labels")
    parser.add_argument("--labels", metavar="FILE", help="CSV, TSV or Parquet table of ids and labels")
    parser.add_argument("--key", default="id", metavar="COL", help="its column of item ids (default: id)")
    parser.add_argument(
        "--group-by", metavar="ATTR", help="items of equal value, such as views of a product, stay together"
    )


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of folds and samples (default: 0)")
    parser.add_argument("--html", metavar="FILE", help="write a report")
