"""``lookalike explain`` and ``lookalike layers``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

import lookalike
from lookalike.cli.grammar import DONE
from lookalike.cli.output import print_json, print_table
from lookalike.collection.explanation import Explanation, WholeBox
from lookalike.collection.layering import LayerViews
from lookalike.collection.layering import layers as look_into
from lookalike.encoders.registry import DEFAULT_ENCODER


def explain(options: argparse.Namespace) -> int:
    """Where and why two images look alike."""
    with lookalike.open(options.collection) as collection:
        answer = collection.explain(
            options.a, options.b, method=options.method, pairs=options.pairs, crop=options.crop
        )
    written = _write(answer, options.png, options.html)
    if options.json:
        print_json(answer.to_dict() | {kind: str(path) for kind, path in written.items()})
        return DONE
    how = "exact shares" if answer.method == "exact" else "occlusion"
    print(f"similarity {answer.similarity:.4f}  ({how}, {answer.provenance['encoder']})")
    if "reducer" in answer.provenance:
        print(f"of the full vectors {answer.full_similarity:.4f}")
    rows = [
        [number, _box(pair.a), _box(pair.b), f"{pair.likeness:.3f}",
         "" if pair.contribution is None else f"{pair.contribution:+.4f}"]
        for number, pair in enumerate(answer.pairs, start=1)
    ]  # fmt: skip
    columns = ["", f"in {answer.a.name}", f"in {answer.b.name}", "likeness", "adds"]
    if rows:
        title = "regions that match best (left, top, width, height in pixels)"
        print_table(title, columns, rows, right=["", "likeness", "adds"])
    else:
        print("no region of one matches a region of the other")
    for note in answer.notes:
        print(note, file=sys.stderr)
    _say(written)
    return DONE


def layers(options: argparse.Namespace) -> int:
    """What each stage of a network responds to in an image."""
    views = look_into(
        options.image,
        encoder=options.encoder or DEFAULT_ENCODER,
        layers=options.layer,
        resize=options.resize,
        channels=options.channels,
        by=options.by,
    )
    written = _write(views, options.png, options.html)
    if options.json:
        print_json(views.to_dict() | {kind: str(path) for kind, path in written.items()})
        return DONE
    rows = [
        [
            view.layer,
            view.dimensions,
            f"{view.energy.shape[1]} x {view.energy.shape[0]}",
            ", ".join(f"{channel.index} ({channel.energy:.1f})" for channel in view.channels),
        ]
        for view in views
    ]
    print_table(
        f"{views.picture.name} in {views.provenance['encoder']}",
        ["layer", "channels", "map", "strongest channels (variation over the image; 1 is usual)"],
        rows,
        right=["channels", "map"],
    )
    _say(written)
    return DONE


def _write(answer: Explanation | LayerViews, png: str | None, html: str | None) -> dict[str, Path]:
    """Write what was asked for; the paths by kind."""
    written = {}
    if png:
        written["png"] = answer.save_png(png)
    if html:
        written["html"] = answer.save_html(html)
    return written


def _say(written: Mapping[str, Path]) -> None:
    """Where the pictures are, or how to get them."""
    for path in written.values():
        print(f"written: {path}", file=sys.stderr)
    if not written:
        print("to see it: --png FILE for a picture, --html FILE for a report", file=sys.stderr)


def _box(box: WholeBox) -> str:
    left, top, right, bottom = box
    return f"{left}, {top}, {right - left}, {bottom - top}"
