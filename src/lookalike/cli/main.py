"""The command line's grammar, its exit codes and its errors.

Exit codes: 0 done, 1 error, 2 usage, 3 done but some inputs failed. Only light imports here: a command's own
module is imported when the command runs.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from typing import NoReturn, TypeAlias

from lookalike import __version__
from lookalike.errors import InputError, LookalikeError, UnknownItem

DONE, ERROR, USAGE, SOME_FAILED = 0, 1, 2, 3

_EPILOG = """\
a first session:
  lookalike demo                                        the whole tour on the packaged sample
  lookalike index photos/ --to photos.lookalike         embed a folder of images
  lookalike search photos.lookalike snapshot.jpg        find what looks like a picture
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(
            stream, TextIOWrapper
        ):  # a console that lacks a character shows its code instead of failing
            stream.reconfigure(errors="backslashreplace")
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given
    try:
        options = _parser().parse_args(given)
        module, _, name = options.command.partition(":")
        command: Callable[[argparse.Namespace], int] = getattr(import_module(f"lookalike.cli.{module}"), name)
        return command(options)
    except _UsageError as error:
        return _fail("UsageError", str(error), USAGE, as_json=as_json)
    except LookalikeError as error:
        usage = isinstance(error, InputError) and not isinstance(error, UnknownItem)
        return _fail(type(error).__name__, str(error), USAGE if usage else ERROR, as_json=as_json)
    except KeyboardInterrupt:
        message = "interrupted; what was committed is kept, and the same command goes on from there"
        return _fail("Interrupted", message, ERROR, as_json=as_json)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - the reader went away; the exit flush must not fail
        return ERROR
    except OSError as error:
        return _fail(
            "OSError", f"{error}: check the path, its permissions and the free space", ERROR, as_json=as_json
        )


def _fail(kind: str, message: str, code: int, *, as_json: bool) -> int:
    """Say what went wrong: on stderr, and as the command's one JSON document where that was asked for."""
    print(message if kind == "UsageError" else f"lookalike: {message}", file=sys.stderr)
    if as_json:
        from lookalike.cli.output import print_json

        with suppress(OSError):  # stdout itself may be what failed
            print_json({"error": {"type": kind, "message": message}})
    return code


class _UsageError(Exception):
    """The command line does not follow the grammar."""


class _Parser(argparse.ArgumentParser):
    """Says how to get help with a usage error."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of leaving, so that the error can also be a JSON document."""
        raise _UsageError(f"{self.format_usage()}{self.prog}: {message}\nsee `{self.prog} --help`")


_Commands: TypeAlias = "argparse._SubParsersAction[_Parser]"
"""What ``add_subparsers`` returns; argparse has no public name for it."""


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="lookalike",
        description="Turn images into vectors and put the vectors to work.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"lookalike {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in (
        _demo,
        _embed,
        _index,
        _search,
        _encoders,
        _evaluate,
        _info,
        _verify,
        _compact,
        _export,
        _remove,
        _migrate,
    ):
        add(commands)
    return parser


def _command(commands: _Commands, name: str, handler: str, help: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=help, description=help[0].upper() + help[1:] + ".")
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    parser.set_defaults(command=handler)
    return parser


def _add_encoder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--encoder", metavar="NAME", help="see `lookalike encoders`")
    parser.add_argument("--layer", metavar="NAME", help="an earlier layer instead of the last")
    parser.add_argument("--pooling", choices=("gap", "gem", "max", "cls", "tokens-mean"))
    parser.add_argument("--resize", choices=("pad", "crop", "squash"))


def _add_sources(parser: argparse.ArgumentParser) -> None:
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


def _add_collection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("collection", metavar="COLLECTION", help="path of the collection")


def _demo(commands: _Commands) -> None:
    parser = _command(
        commands, "demo", "demo:demo", "the whole tour on the packaged sample, then where to look"
    )
    parser.add_argument(
        "--to", default="demo", metavar="FOLDER", help="where to put the results (default: demo/)"
    )


def _embed(commands: _Commands) -> None:
    parser = _command(
        commands, "embed", "filling:embed", "write vectors of images to a file, without a collection"
    )
    _add_sources(parser)
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="FILE",
        help="vectors.npy (ids in a .csv beside it) or .parquet",
    )
    _add_encoder(parser)


def _index(commands: _Commands) -> None:
    parser = _command(
        commands, "index", "filling:index", "bring a collection up to date with sources of images"
    )
    _add_sources(parser)
    parser.add_argument(
        "--to", required=True, metavar="COLLECTION", help="the collection; made when it does not exist"
    )
    _add_encoder(parser)
    parser.add_argument("--attributes", metavar="FILE", help="CSV, TSV or Parquet table of attributes")
    parser.add_argument("--key", metavar="COLUMN", help="its column that holds item ids (default: id)")
    parser.add_argument("--prefix", metavar="NAME", help="takes the place of the source's name in ids")
    parser.add_argument("--prune", action="store_true", help="remove items that vanished from these sources")


def _search(commands: _Commands) -> None:
    parser = _command(
        commands, "search", "searching:search", "find what looks like an image, an item or words"
    )
    _add_collection(parser)
    parser.add_argument("query", nargs="+", metavar="IMAGE|ID|TEXT", help="several are averaged")
    parser.add_argument("-k", type=int, default=12, metavar="N", help="how many hits (default: 12)")
    parser.add_argument(
        "--where", metavar="EXPR", help='filter, such as: price < 300 and category = "Kitchen"'
    )
    parser.add_argument("--crop", metavar="X,Y,W,H", help="region of the query image, pixels or fractions")
    parser.add_argument(
        "--minus", action="append", default=[], metavar="IMAGE|ID", help="not like this; may be repeated"
    )
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
    parser.add_argument("--html", metavar="FILE", help="write a contact sheet")


def _encoders(commands: _Commands) -> None:
    _command(
        commands, "encoders", "care:encoders", "list encoders: layers, dimensions, input, licence, provenance"
    )


def _evaluate(commands: _Commands) -> None:
    parser = commands.add_parser(
        "evaluate", help="measure on your own data", description="Measure on your own data."
    )
    tasks = parser.add_subparsers(title="tasks", metavar="TASK", required=True)
    index = _command(
        tasks, "index", "care:evaluate_index", "recall and latency of the index against the exact search"
    )
    _add_collection(index)
    index.add_argument("-k", type=int, default=10, metavar="N", help="recall@k (default: 10)")
    index.add_argument(
        "--queries", type=int, default=200, metavar="N", help="how many items to ask for (default: 200)"
    )
    index.add_argument(
        "--recall", type=float, metavar="F", help="the recall to ask of the index (default: 0.99)"
    )


def _info(commands: _Commands) -> None:
    _add_collection(_command(commands, "info", "care:info", "what a collection is"))


def _verify(commands: _Commands) -> None:
    _add_collection(
        _command(
            commands, "verify", "care:verify", "check every checksum and the index; exit 1 names the damage"
        )
    )


def _compact(commands: _Commands) -> None:
    _add_collection(
        _command(commands, "compact", "care:compact", "give back space and erase for good what was removed")
    )


def _export(commands: _Commands) -> None:
    parser = _command(commands, "export", "care:export", "write all items to a file")
    _add_collection(parser)
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="FILE",
        help="items.parquet, or vectors.npy with a .csv beside it",
    )


def _remove(commands: _Commands) -> None:
    parser = _command(commands, "remove", "care:remove", "remove items by id or filter")
    _add_collection(parser)
    parser.add_argument("ids", nargs="*", metavar="ID")
    parser.add_argument("--where", metavar="EXPR", help="remove what this filter selects")


def _migrate(commands: _Commands) -> None:
    parser = _command(
        commands, "migrate", "care:migrate", "re-embed with another encoder, then switch in one step"
    )
    _add_collection(parser)
    _add_encoder(parser)
    parser.add_argument(
        "--from-thumbnails", action="store_true", help="embed the thumbnail where the original is gone"
    )
    parser.add_argument("--workers", type=int, metavar="N", help="decode threads (default: all cores)")
