"""Grammar of `lookalike duplicates`."""

from __future__ import annotations

from lookalike.cli.grammar import Commands, add_collection, command


def add(commands: Commands) -> None:
    """Add it."""
    parser = command(
        commands,
        "duplicates",
        "deduplication:duplicates",
        "find copies and edits of one picture among the items",
    )
    add_collection(parser)
    parser.add_argument("--where", metavar="EXPR", help="compare only items that satisfy this filter")
    parser.add_argument("--exact", action="store_true", help="only items with the same bytes")
    line = parser.add_mutually_exclusive_group()
    line.add_argument(
        "--precision",
        type=float,
        metavar="F",
        help="share of pairs that shall be copies; the threshold is learned from it (default: 0.99)",
    )
    line.add_argument(
        "--threshold", type=float, metavar="F", help="the least similarity of two copies, 0 to 1"
    )
    parser.add_argument(
        "--delete-others",
        action="store_true",
        help="remove all but the best copy of each group from the collection; files stay; needs --yes",
    )
    parser.add_argument("--yes", action="store_true", help="really remove them")
    parser.add_argument(
        "--on",
        metavar="RAY",
        help="compare on Ray, 'ray' or 'ray://HOST:PORT' (default: on this machine)",
    )
    parser.add_argument("--html", metavar="FILE", help="write a report with the copies side by side")
