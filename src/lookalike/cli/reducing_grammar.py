"""The grammar of reduction."""

from __future__ import annotations

from lookalike.cli.grammar import Commands, add_collection, command


def add(commands: Commands) -> None:
    """Add ``reduce``."""
    parser = command(
        commands, "reduce", "reducing:reduce", "search with smaller vectors, as small as keeps the neighbours"
    )
    add_collection(parser)
    parser.add_argument(
        "--dims",
        default="auto",
        metavar="N|auto",
        help="dimensions to search with (default: auto, see --keep)",
    )
    parser.add_argument(
        "--method",
        default="pca",
        choices=("pca", "whiten", "svd", "random", "discriminant"),
        help="default: pca; svd keeps answers as they are, discriminant learns from --group-by",
    )
    parser.add_argument(
        "--precision",
        default="f16",
        choices=("f32", "f16", "i8"),
        help="of the searched vectors (default: f16)",
    )
    parser.add_argument(
        "--keep",
        type=float,
        default=0.95,
        metavar="F",
        help="share of the 10 nearest neighbours that auto keeps (default: 0.95)",
    )
    parser.add_argument(
        "--group-by",
        metavar="ATTR",
        help="items of equal value belong together: learn from it, measure mAP by it",
    )
    parser.add_argument("--sample", metavar="N|all", help="items to fit on (default: 50000)")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--measure", action="store_true", help="only measure, change nothing")
    what.add_argument("--off", action="store_true", help="search with the full vectors again")
    parser.add_argument("--html", metavar="FILE", help="write a report: the table, and quality against bytes")
    parser.add_argument("--png", metavar="FILE", help="write quality against bytes as a picture")
