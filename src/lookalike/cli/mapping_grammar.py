"""The grammar of maps."""

from __future__ import annotations

from lookalike.cli.grammar import Commands, add_collection, command


def add(commands: Commands) -> None:
    """Add ``map``."""
    parser = command(commands, "map", "mapping:map", "lay the collection out in a plane, alike beside alike")
    add_collection(parser)
    parser.add_argument(
        "--colour-by",
        "--color-by",
        metavar="ATTR",
        help='an attribute, "cluster" for the groups of the last clustering, or a tag',
    )
    parser.add_argument("--where", metavar="EXPR", help="show only the items that this filter selects")
    parser.add_argument("--html", metavar="FILE", help="write an interactive page")
    parser.add_argument("--png", metavar="FILE", help="write a picture")
    parser.add_argument(
        "--new", action="store_true", help="lay out all items anew instead of placing the new ones"
    )
    parser.add_argument(
        "--seed", type=int, metavar="N", help="of the layout; another than the saved map's lays out anew"
    )
