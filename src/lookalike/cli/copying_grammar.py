"""The grammar of copying a collection."""

from __future__ import annotations

from lookalike.cli.grammar import Commands, command


def add(commands: Commands) -> None:
    """Add ``copy``."""
    parser = command(
        commands, "copy", "copying:copy", "copy a collection to another place or engine, and compare the two"
    )
    parser.add_argument("source", metavar="FROM", help="path or URL of the collection")
    parser.add_argument(
        "destination", metavar="TO", help="path or URL where there is nothing yet; it names the engine"
    )
    parser.add_argument(
        "--restart",
        action="store_true",
        help="delete an unfinished copy at TO first, which a killed process left",
    )
