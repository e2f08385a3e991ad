"""What every command's grammar is made of; light, so that ``lookalike --help`` is instant."""

from __future__ import annotations

import argparse
from typing import NoReturn, TypeAlias

DONE, ERROR, USAGE, SOME_FAILED = 0, 1, 2, 3
"""Exit codes; the last one: done, but some inputs failed."""


class UsageError(Exception):
    """The command line does not follow the grammar."""


class Parser(argparse.ArgumentParser):
    """Says how to get help with a usage error."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of leaving, so that the error can also be a JSON document."""
        raise UsageError(f"{self.format_usage()}{self.prog}: {message}\nsee `{self.prog} --help`")


Commands: TypeAlias = "argparse._SubParsersAction[Parser]"
"""What ``add_subparsers`` returns; argparse has no public name for it."""


def command(commands: Commands, name: str, handler: str, help: str) -> argparse.ArgumentParser:
    """Add a command.

    Args:
        commands: Where to add it.
        name: How it is called.
        handler: ``module:function`` below ``lookalike.cli``, imported when the command runs.
        help: What it does, in one line that begins in lower case.
    """
    parser = commands.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    parser.set_defaults(command=handler)
    return parser


def group(commands: Commands, name: str, help: str) -> Commands:
    """Add a command that has commands of its own."""
    parser = commands.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
    return parser.add_subparsers(title="tasks", metavar="TASK", required=True)


def add_collection(parser: argparse.ArgumentParser) -> None:
    """The argument that every command on a collection begins with."""
    parser.add_argument("collection", metavar="COLLECTION", help="path of the collection")


def add_encoder(parser: argparse.ArgumentParser) -> None:
    """The options that choose an encoder."""
    parser.add_argument("--encoder", metavar="NAME", help="see `lookalike encoders`")
    parser.add_argument("--layer", metavar="NAME", help="an earlier layer instead of the last")
    parser.add_argument("--pooling", choices=("gap", "gem", "max", "cls", "tokens-mean"))
    parser.add_argument("--resize", choices=("pad", "crop", "squash"))


def add_sources(parser: argparse.ArgumentParser) -> None:
    """The arguments that say where images come from."""
    parser.add_argument(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="folder, file, glob, text list, tar shard, Parquet file or video; local or s3://...",
    )
    parser.add_argument(
        "--every", metavar="STEP", help='of a video: every so many seconds ("0.5s") or frames (25)'
    )
    parser.add_argument("--workers", type=int, metavar="N", help="decode threads (default: all cores)")
