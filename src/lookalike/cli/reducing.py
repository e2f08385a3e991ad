"""The command that makes searched vectors smaller."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any, Literal

import lookalike
from lookalike.cli.grammar import DONE
from lookalike.cli.output import human_bytes, print_json, print_table
from lookalike.collection.reduction_result import Reduction, SizeTable
from lookalike.errors import InputError
from lookalike.reports.reduction import cells


def reduce(options: argparse.Namespace) -> int:
    """Reduce, only measure, or go back."""
    with lookalike.open(options.collection) as collection:
        if options.off:
            return _off(options, was=collection.unreduce())
        wanted: dict[str, Any] = {
            "method": options.method,
            "group_by": options.group_by,
            "seed": options.seed,
            "progress": not options.json,
        }
        if options.sample is not None:
            wanted["sample"] = None if options.sample == "all" else _number("--sample", options.sample, "all")
        dims: int | Literal["auto"] = (
            "auto" if options.dims == "auto" else _number("--dims", options.dims, "auto")
        )
        found: Reduction | SizeTable
        if options.measure:
            found = collection.size_table(dims=None if dims == "auto" else [dims], **wanted)
        else:
            found = collection.reduce(dims, precision=options.precision, keep=options.keep, **wanted)
    if options.html:
        found.html(options.html)
    if options.png:
        found.png(options.png)
    if options.json:
        print_json(asdict(found))
        return DONE
    columns, rows = cells(found.rows)
    print_table("What each size keeps", columns, rows, right=columns[1:])
    if isinstance(found, Reduction):
        print(_summary(found))
    return DONE


def _off(options: argparse.Namespace, *, was: bool) -> int:
    if options.html or options.png:
        raise InputError("--off measures nothing to report: leave --html and --png out")
    if options.json:
        print_json({"reduced": False, "was_reduced": was})
    else:
        print("full vectors are searched again" if was else "there was no reducer: full vectors are searched")
    return DONE


def _summary(found: Reduction) -> str:
    before, after = human_bytes(found.bytes_before), human_bytes(found.bytes_after)
    return (
        f"searched with {found.method}, {found.dimensions} x {found.precision} from now on: "
        f"{found.chosen.kept:.1%} of the neighbours kept, {before} -> {after}; `--off` goes back"
    )


def _number(option: str, text: str, word: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InputError(f"{option} {text!r}: expected a whole number or {word!r}") from None
