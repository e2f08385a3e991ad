"""The grammar of interactions."""

from __future__ import annotations

from lookalike.cli.grammar import Commands, add_collection, command, group


def add(commands: Commands) -> None:
    """Add ``interactions import``, ``record``, ``list``, ``forget``, ``export``, ``weights`` and ``info``."""
    tasks = group(commands, "interactions", "what users did to items: record, import, weigh, export, forget")
    _import(tasks)
    _record(tasks)
    _list(tasks)
    _forget(tasks)
    _export(tasks)
    _weights(tasks)
    add_collection(command(tasks, "info", "interacting:info", "how many interactions there are, of what"))


def _import(tasks: Commands) -> None:
    parser = command(tasks, "import", "interacting:import_file", "keep the interactions of a table")
    add_collection(parser)
    parser.add_argument(
        "file", metavar="FILE", help=".csv, .tsv or .parquet with user, item, event, time and perhaps weight"
    )
    parser.add_argument(
        "--column",
        action="append",
        default=[],
        metavar="WHAT=NAME",
        help="what a column is called, such as user=customer_id; repeat for several",
    )
    parser.add_argument("--event", metavar="EVENT", help="of all rows, for a table without events")
    parser.add_argument(
        "--group-by", metavar="ATTR", help="attribute that items of the table may name a value of"
    )


def _record(tasks: Commands) -> None:
    parser = command(tasks, "record", "interacting:record", "keep one interaction")
    add_collection(parser)
    parser.add_argument("user", metavar="USER")
    parser.add_argument("item", metavar="ITEM", help="an item's id, or a value of a grouping attribute")
    parser.add_argument("event", metavar="EVENT", help="see `lookalike interactions weights`")
    parser.add_argument("--time", metavar="T", help="ISO 8601, or seconds since 1970 (default: now)")
    parser.add_argument(
        "--weight", type=float, default=1.0, metavar="W", help="multiplies the event's weight (default: 1)"
    )


def _list(tasks: Commands) -> None:
    parser = command(tasks, "list", "interacting:list_user", "what one user did, by time")
    add_collection(parser)
    parser.add_argument("user", metavar="USER")


def _forget(tasks: Commands) -> None:
    parser = command(
        tasks, "forget", "interacting:forget", "remove all interactions of a user, and saved recommenders"
    )
    add_collection(parser)
    parser.add_argument("user", metavar="USER")
    parser.add_argument(
        "--compact", action="store_true", help="erase what is left of the user in free space too"
    )


def _export(tasks: Commands) -> None:
    parser = command(tasks, "export", "interacting:export", "write interactions to a table")
    add_collection(parser)
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help=".csv or .parquet")
    parser.add_argument("--user", metavar="USER", help="only this user's")


def _weights(tasks: Commands) -> None:
    parser = command(tasks, "weights", "interacting:weights", "show what events weigh, or set it")
    add_collection(parser)
    parser.add_argument(
        "weights",
        nargs="*",
        metavar="EVENT=W",
        help="such as share=2; below 0 is dislike, 0 counts for nothing, empty (share=) takes it back",
    )
