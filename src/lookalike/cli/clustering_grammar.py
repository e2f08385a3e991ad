"""The grammar of clusters."""

from __future__ import annotations

from lookalike.cli.grammar import Commands, add_collection, command


def add(commands: Commands) -> None:
    """Add ``cluster``."""
    parser = command(
        commands, "cluster", "clustering:cluster", "group items by what they look like, and name the groups"
    )
    add_collection(parser)
    parser.add_argument("-k", type=int, metavar="N", help="number of clusters (default: found out)")
    parser.add_argument("--where", metavar="EXPR", help="group the items that this filter selects")
    parser.add_argument(
        "--method",
        choices=("auto", "graph", "density", "kmeans"),
        help="default: auto, kmeans when -k is given or there are over a million items, graph otherwise",
    )
    parser.add_argument(
        "--granularity",
        choices=("auto", "coarse", "fine"),
        help="how finely the graph is split (default: auto, where clusters stand out most)",
    )
    parser.add_argument(
        "--min-size", type=int, metavar="N", help="least items of a cluster (default: 2, density 5)"
    )
    parser.add_argument("--attribute", metavar="ATTR", help="write the cluster's name under this attribute")
    parser.add_argument(
        "--no-stability", action="store_true", help="do not measure stability; takes half the time"
    )
    parser.add_argument("--seed", type=int, metavar="N", help="of everything random (default: 0)")
    parser.add_argument(
        "--saved", action="store_true", help="the clusters found before, with newer items put into them"
    )
    parser.add_argument(
        "--on",
        metavar="RAY",
        help="search neighbours on Ray, 'ray' or 'ray://HOST:PORT' (default: on this machine)",
    )
    parser.add_argument("--html", metavar="FILE", help="write a report with pictures")
