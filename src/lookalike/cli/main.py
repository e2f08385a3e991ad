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

from lookalike import __version__
from lookalike.cli import (
    care_grammar,
    clustering_grammar,
    copying_grammar,
    counting_grammar,
    deduplication_grammar,
    evaluating_grammar,
    explaining_grammar,
    filling_grammar,
    index_building_grammar,
    interacting_grammar,
    labelling_grammar,
    mapping_grammar,
    planning_grammar,
    recommending_grammar,
    reducing_grammar,
    searching_grammar,
    serving_grammar,
    tracking_grammar,
)
from lookalike.cli.grammar import ERROR, USAGE, Parser, UsageError
from lookalike.errors import InputError, LookalikeError, NotFitted, UnknownItem

AREAS = (
    filling_grammar,
    searching_grammar,
    counting_grammar,
    reducing_grammar,
    index_building_grammar,
    clustering_grammar,
    deduplication_grammar,
    mapping_grammar,
    labelling_grammar,
    explaining_grammar,
    recommending_grammar,
    interacting_grammar,
    tracking_grammar,
    evaluating_grammar,
    serving_grammar,
    planning_grammar,
    care_grammar,
    copying_grammar,
)
"""In the order in which ``lookalike --help`` lists their commands."""

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
    except UsageError as error:
        return _fail("UsageError", str(error), USAGE, as_json=as_json)
    except LookalikeError as error:
        usage = isinstance(error, InputError) and not isinstance(error, UnknownItem | NotFitted)
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


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="lookalike",
        description="Turn images into vectors and put the vectors to work.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"lookalike {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for area in AREAS:
        area.add(commands)
    return parser
