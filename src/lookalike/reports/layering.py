"""What each layer of a network responds to, as a picture and as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.reports import page
from lookalike.reports.heat import tinted
from lookalike.reports.panels import Line, fit, png, stacked, written
from lookalike.tasks.layers import Channel
from lookalike.types import Image

SIDE = 150
"""Of a map as it is drawn, pixels of its height."""

INDENT = 12
"""Of the writing, pixels: pages round the corners of pictures."""

LABEL = 136
"""Width of the writing beside a row, pixels."""

SPACE = 12
"""Between two maps, pixels."""

FULL = 99.5
"""Percentile of the magnitudes that is drawn in full colour: borders of early layers have a few far larger ones."""

HOW_TO_READ = (
    "One row for each layer, from the input on. The first map is the response of all channels together, bright "
    "where it is more than usual. The others are the strongest channels: red where a channel responds more "
    "than it usually does, blue where less, grey where as usual. Early layers answer edges and colours, later "
    "ones textures and parts, the last ones whole things: that is what an embedding is made of."
)


class LayerRow(NamedTuple):
    """One layer; fields as those of ``lookalike.collection.LayerView``."""

    layer: str
    dimensions: int
    energy: npt.NDArray[np.float32]
    channels: Sequence[Channel]


def layers_png(
    name: str, network_input: Image, rows: Sequence[LayerRow], provenance: Mapping[str, Any]
) -> bytes:
    """One picture for sharing, on white: the image as the network saw it, then a row for each layer."""
    drawn = [_drawn(row, network_input) for row in rows]
    width = max(each.shape[1] for each in drawn)
    photo = fit(network_input, height=SIDE)
    room = width - LABEL - photo.shape[1] - SPACE
    title = written(
        [
            Line(f"What {provenance.get('encoder', 'the network')} sees in {name}", size=20),
            Line("first column: all channels together; then the strongest channels", size=14, soft=True),
            Line(
                "red: more than the channel's usual response, blue: less, grey: as usual", size=14, soft=True
            ),
            Line("edges and colours first, then textures and parts, then whole things", size=14, soft=True),
        ],
        room,
    )
    head = np.full((SIDE, width, 3), 255, np.uint8)
    head[:, LABEL : LABEL + photo.shape[1]] = photo
    top = (SIDE - title.shape[0]) // 2
    head[top : top + title.shape[0], width - room :] = title
    return png(stacked([head, *drawn], gap=6, margin=24))


def layers_page(
    name: str, network_input: Image, rows: Sequence[LayerRow], provenance: Mapping[str, Any]
) -> str:
    """A page with the same rows, and the figures of the channels."""
    seen = page.picture(png(fit(network_input, height=2 * SIDE)), alt=f"{name} as the network saw it")
    parts = [
        page.picture(
            png(_drawn(row, network_input)), alt=f"layer {row.layer}: all channels, and the strongest"
        )
        for row in rows
    ]
    columns = ["layer", "channels", "map", "strongest channels (variation over the image, peak; 1 is usual)"]
    figures = [
        [
            row.layer,
            row.dimensions,
            f"{row.energy.shape[1]} x {row.energy.shape[0]}",
            ", ".join(f"{each.index} ({each.energy:.1f}, {each.peak:.1f})" for each in row.channels),
        ]
        for row in rows
    ]
    sections = [
        page.Section("The image as the network saw it", seen),
        page.Section("What its layers respond to", page.paragraph(HOW_TO_READ) + "".join(parts)),
        page.Section("Figures", page.table(columns, figures, right=["channels", "map"])),
    ]
    encoder = provenance.get("encoder", "the network")
    return page.page(
        f"What {encoder} sees in {name}", "From edges to textures to things.", sections, provenance
    )


def _drawn(row: LayerRow, network_input: Image) -> Image:
    """A layer's name and maps, with the number of each channel below it."""
    height, width = network_input.shape[:2]
    size = (max(1, round(SIDE * width / height)), SIDE)
    rows, columns = row.energy.shape
    label = written(
        [
            Line(row.layer, size=17),
            Line(f"{row.dimensions} channels", size=12, soft=True),
            Line(f"{columns} x {rows} places", size=12, soft=True),
        ],
        LABEL - INDENT - SPACE,
    )
    energy = tinted(_enlarged(row.energy, size), low=0.0, high=_full(row.energy))
    maps = [_captioned(energy, "all channels")]
    for channel in row.channels:
        limit = _full(channel.response)
        pixels = tinted(_enlarged(channel.response, size), low=-limit, high=limit, scale="signed")
        maps.append(_captioned(pixels, f"channel {channel.index}"))
    canvas = np.full((maps[0].shape[0], LABEL + len(maps) * (size[0] + SPACE) - SPACE, 3), 255, np.uint8)
    top = (SIDE - label.shape[0]) // 2
    canvas[top : top + label.shape[0], INDENT : INDENT + label.shape[1]] = label
    for at, pixels in enumerate(maps):
        left = LABEL + at * (size[0] + SPACE)
        canvas[:, left : left + size[0]] = pixels
    return canvas


def _captioned(pixels: Image, caption: str) -> Image:
    return np.concatenate([pixels, written([Line(caption, size=11, soft=True)], pixels.shape[1])])


def _full(values: npt.NDArray[np.float32]) -> float:
    return float(np.percentile(np.abs(values), FULL)) or 1.0


def _enlarged(values: npt.NDArray[np.float32], size: tuple[int, int]) -> npt.NDArray[np.float32]:
    from PIL import Image as Pillow

    enlarged = np.asarray(Pillow.fromarray(values).resize(size, Pillow.Resampling.BICUBIC))
    kept: npt.NDArray[np.float32] = np.clip(enlarged, values.min(), values.max())
    return kept
