"""Grammar of ``lookalike evaluate``."""

from __future__ import annotations

import argparse

from lookalike.cli import evaluating_tracking_grammar
from lookalike.cli.grammar import Commands, add_collection, command, group

LAYOUTS = ("auto", "sop", "cub", "inshop", "gpr1200", "revisited", "imagefolder", "table", "named")
RERANKINGS = ("alpha-qe", "dba", "k-reciprocal")


def add(commands: Commands) -> None:
    """Add it."""
    tasks = group(commands, "evaluate", "measure on your own data")
    _index(tasks)
    _retrieval(tasks)
    _clustering(tasks)
    _classification(tasks)
    _recommendation(tasks)
    evaluating_tracking_grammar.add(tasks)


def _index(tasks: Commands) -> None:
    parser = command(
        tasks, "index", "evaluating:index", "recall and latency of the index against the exact search"
    )
    add_collection(parser)
    parser.add_argument("-k", type=int, default=10, metavar="N", help="recall@k (default: 10)")
    parser.add_argument(
        "--queries", type=int, default=200, metavar="N", help="how many items to ask for (default: 200)"
    )
    parser.add_argument(
        "--recall", type=float, metavar="F", help="the recall to ask of the index (default: 0.99)"
    )


def _retrieval(tasks: Commands) -> None:
    parser = command(
        tasks,
        "retrieval",
        "evaluating:retrieval",
        "recall@k, mAP and nDCG with confidence intervals, worst labels and queries, or two encoders compared",
    )
    parser.add_argument(
        "source", metavar="COLLECTION|DATASET", help="a collection, or the folder or table of a data set"
    )
    parser.add_argument(
        "--label", metavar="ATTR", help="what belongs together; a data set has labels of its own"
    )
    parser.add_argument(
        "--queries",
        metavar="EXPR|FOLDER",
        help="items that a filter selects, or a folder or table of pictures (default: every item asks for the others)",
    )
    parser.add_argument(
        "--layout", choices=LAYOUTS, default="auto", help="of the data set or the query folder"
    )
    parser.add_argument(
        "--label-pattern",
        metavar="REGEX",
        help=r"takes the label out of names of files by its first group, such as (.+)_\d+",
    )
    parser.add_argument(
        "--group-by", metavar="ATTR", help="count the best item of each value of this attribute"
    )
    parser.add_argument(
        "--encoder",
        metavar="NAME[,OPTION=VALUE]",
        help="for a data set, or the first of two to compare; options are layer, pooling and resize",
    )
    parser.add_argument("--against", metavar="NAME[,OPTION=VALUE]", help="compare --encoder with this one")
    parser.add_argument(
        "--rerank", action="append", choices=RERANKINGS, default=[], help="report it beside; may be repeated"
    )
    parser.add_argument("-k", type=int, action="append", metavar="N", help="recall@k; may be repeated")
    parser.add_argument("--recall", type=float, metavar="F", help="the recall to ask of the index")
    parser.add_argument(
        "--resample-by", metavar="ATTR", help="kept together by the bootstrap: query, label or an attribute"
    )
    parser.add_argument(
        "--most-queries",
        type=int,
        metavar="N",
        help="sample so many (default: 10000 of a collection, all of a data set)",
    )
    parser.add_argument("--workers", type=int, metavar="N", help="decode threads (default: all cores)")
    _intervals(parser)
    parser.add_argument("--html", metavar="FILE", help="write a report")


def _clustering(tasks: Commands) -> None:
    parser = command(
        tasks, "clustering", "evaluating:clustering", "how well the saved clusters agree with an attribute"
    )
    add_collection(parser)
    parser.add_argument("--label", metavar="ATTR", required=True, help="the attribute that holds the truth")
    parser.add_argument("--html", metavar="FILE", help="write a report")


def _classification(tasks: Commands) -> None:
    parser = command(
        tasks,
        "classification",
        "evaluating:classification",
        "how good a classifier of an attribute would be, on items that it has not seen",
    )
    add_collection(parser)
    parser.add_argument(
        "--label", metavar="ATTR|FILE", required=True, help="the attribute, or a table of labels"
    )
    parser.add_argument(
        "--group-by", metavar="ATTR", help="never divide items of equal value, such as views of one product"
    )
    parser.add_argument("--where", metavar="EXPR", help="look at the items that this filter selects")
    parser.add_argument("--method", choices=("auto", "linear", "neighbours", "prototypes"), default="auto")
    parser.add_argument(
        "--false-reject-rate",
        type=float,
        default=0.05,
        metavar="F",
        help="of unknowns (default: 0.05; 0: none)",
    )
    parser.add_argument(
        "--most-items", type=int, default=20_000, metavar="N", help="sample so many (default: 20000)"
    )
    _intervals(parser)
    parser.add_argument("--html", metavar="FILE", help="write a report")


def _recommendation(tasks: Commands) -> None:
    parser = command(
        tasks,
        "recommendation",
        "evaluating_recommendation:recommendation",
        "how well strategies foresee what users did after a moment, against simple methods",
    )
    add_collection(parser)
    parser.add_argument(
        "interactions",
        metavar="INTERACTIONS",
        nargs="?",
        help="a table with columns user, item, event, time and maybe weight (default: those that the collection keeps)",
    )
    parser.add_argument(
        "--split", metavar="TIME", required=True, help="such as 2026-03-10 or 2026-03-10T12:00:00Z"
    )
    parser.add_argument(
        "--group-by", metavar="ATTR", help="recommend its values, such as products, which interactions name"
    )
    parser.add_argument("-k", "--k", type=int, default=20, metavar="N", help="length of a list (default: 20)")
    parser.add_argument(
        "--strategy", action="append", metavar="NAME", help="a row; may be repeated (default: all)"
    )
    parser.add_argument(
        "--event",
        action="append",
        metavar="NAME",
        help="says after the split that something was wanted; may be repeated (default: like, cart, purchase)",
    )
    parser.add_argument(
        "--weight",
        action="append",
        default=[],
        metavar="EVENT=W",
        help="what an event says about a taste, below 0 for a dislike; may be repeated",
    )
    parser.add_argument(
        "--half-life",
        metavar="DAYS",
        help="after which an event counts half; none: events do not fade (default: learned)",
    )
    parser.add_argument(
        "--cold-users",
        choices=("apart", "included"),
        default="apart",
        help="users without a past (default: apart)",
    )
    parser.add_argument(
        "--column",
        action="append",
        default=[],
        metavar="NAME=COLUMN",
        help="what the table calls user, item, event, time or weight; may be repeated",
    )
    parser.add_argument(
        "--most-users", type=int, default=10_000, metavar="N", help="sample so many (default: 10000)"
    )
    _intervals(parser)
    parser.add_argument("--html", metavar="FILE", help="write a report")


def _intervals(parser: argparse.ArgumentParser) -> None:
    """The options of the bootstrap."""
    parser.add_argument("--level", type=float, default=0.95, metavar="F", help="confidence (default: 0.95)")
    parser.add_argument(
        "--resamples", type=int, default=2000, metavar="N", help="of the bootstrap (default: 2000)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of samples and bootstrap")
