"""The grammar of counting."""

from __future__ import annotations

from lookalike.cli.grammar import Commands, add_collection, command


def add(commands: Commands) -> None:
    """Add ``facets``."""
    parser = command(commands, "facets", "counting:facets", "count which values the items have")
    add_collection(parser)
    parser.add_argument("attributes", nargs="*", metavar="ATTR", help="attributes to count (default: all)")
    parser.add_argument("--where", metavar="EXPR", help="count the items that this filter selects")
    parser.add_argument(
        "--most",
        type=int,
        default=50,
        metavar="N",
        help="values of an attribute that are listed (default: 50)",
    )
