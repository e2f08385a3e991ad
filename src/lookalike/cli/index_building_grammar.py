"""The grammar of building the index that is kept with a collection."""

from __future__ import annotations

from lookalike.cli.grammar import Commands, add_collection, command


def add(commands: Commands) -> None:
    """Add ``build-index``."""
    parser = command(
        commands,
        "build-index",
        "index_building:build_index",
        "build the search index once, and keep it with the collection for every machine that opens it",
    )
    add_collection(parser)
    parser.add_argument(
        "--on",
        metavar="RAY",
        help="build on Ray, 'ray' or 'ray://HOST:PORT', a shard on each machine (default: on this machine)",
    )
    parser.add_argument(
        "--shards",
        type=int,
        metavar="N",
        help="graphs to build: fewer are searched faster, more are built faster (default: one for each machine)",
    )
    parser.add_argument("--off", action="store_true", help="delete it from the collection instead")
