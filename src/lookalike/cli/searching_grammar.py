"""Grammar of `lookalike search`."""

from __future__ import annotations

from lookalike.cli.grammar import Commands, add_collection, command


def add(commands: Commands) -> None:
    """Add them."""
    _search(commands)


def _search(commands: Commands) -> None:
    parser = command(
        commands, "search", "searching:search", "find what looks like an image, an item or words"
    )
    add_collection(parser)
    parser.add_argument("query", nargs="+", metavar="IMAGE|ID|TEXT", help="several are averaged")
    parser.add_argument("-k", type=int, default=12, metavar="N", help="how many hits (default: 12)")
    parser.add_argument(
        "--where", metavar="EXPR", help='filter, such as: price < 300 and category = "Kitchen"'
    )
    parser.add_argument("--crop", metavar="X,Y,W,H", help="region of the query image, pixels or fractions")
    parser.add_argument(
        "--minus", action="append", default=[], metavar="IMAGE|ID", help="not like this; may be repeated"
    )
    parser.add_argument("--but", metavar="TEXT", help="more like this, but with these words, such as wooden")
    parser.add_argument(
        "--group-by", metavar="ATTR", help="only the best item of each value of this attribute"
    )
    parser.add_argument("--diversity", type=float, default=0.0, metavar="F", help="0 (default) to 1")
    parser.add_argument(
        "--min-strength", type=float, default=0.0, metavar="F", help="leave out weaker matches, 0 to 1"
    )
    parser.add_argument(
        "--recall", type=float, metavar="F", help="expected recall of the index; 1 searches exactly"
    )
    parser.add_argument(
        "--regions",
        default="whole",
        choices=("whole", "pooled", "windows"),
        help="parts of the query picture to search with as well: pooled costs nothing, windows 5 to 12 times the "
        "encoding, for things shown small or among others (default: whole)",
    )
    parser.add_argument(
        "--rerank",
        default="none",
        choices=("none", "alpha-qe", "dba", "k-reciprocal"),
        help="order the 100 best anew; gains where things have several pictures (default: none)",
    )
    parser.add_argument("--html", metavar="FILE", help="write a contact sheet")
