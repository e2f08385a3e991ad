"""A map as a picture: points in colours, a legend, and some of the images where they lie."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lookalike.reports.colouring import GREY, SCALE, Categories, Scale
from lookalike.reports.figures import ACCENT, INK, SOFT, figure, png

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 11.0, 7.6
"""Inches."""

LEGEND_ENTRIES = 24
THUMBNAIL_PIXELS = 64

SMALLEST, LARGEST = 1.5, 42.0
"""Area of a point, in square points."""


def map_picture(
    positions: npt.NDArray[np.float32],
    colours: Categories | Scale | None,
    *,
    title: str,
    legend: str = "",
    thumbnails: Mapping[int, bytes] | None = None,
) -> bytes:
    """PNG bytes of a map.

    Args:
        positions: float32 (n, 2).
        colours: Of the points; None: all alike.
        title: Above the map.
        legend: What the colours mean: the legend's title.
        thumbnails: Pictures, WebP, PNG or JPEG bytes, drawn at the points of these numbers.
    """
    drawn = figure(WIDTH, HEIGHT)
    axes = drawn.add_subplot()
    axes.set_title(title, loc="left", fontsize=10.5, fontweight="bold", color=INK)
    axes.set_axis_off()
    axes.set_aspect("equal", adjustable="datalim")
    n = len(positions)
    size = float(np.clip(40_000 / max(1, n), SMALLEST, LARGEST))
    style: dict[str, Any] = {"s": size, "linewidths": 0, "alpha": 0.85 if n < 20_000 else 0.6}
    style["rasterized"] = True
    if isinstance(colours, Scale):
        _draw_scale(axes, positions, colours, legend, style)
    elif isinstance(colours, Categories):
        _draw_categories(axes, positions, colours, legend, style)
    elif n:
        axes.scatter(positions[:, 0], positions[:, 1], c=ACCENT, **style)
    for point, data in (thumbnails or {}).items():
        _draw_thumbnail(axes, positions[point], data)
    return png(drawn)


def _draw_scale(
    axes: Axes, positions: npt.NDArray[np.float32], scale: Scale, legend: str, style: dict[str, Any]
) -> None:
    from matplotlib.colors import LinearSegmentedColormap, LogNorm, Normalize

    known = np.isfinite(scale.values)
    if not known.all():
        axes.scatter(positions[~known, 0], positions[~known, 1], c=GREY, **style)
    points = axes.scatter(
        positions[known, 0],
        positions[known, 1],
        c=scale.values[known],
        cmap=LinearSegmentedColormap.from_list("map", SCALE),
        norm=(LogNorm if scale.logarithmic else Normalize)(scale.low, scale.high),
        **style,
    )
    bar = axes.figure.colorbar(points, ax=axes, shrink=0.6, aspect=30, extend="both")
    bar.set_label(legend, color=SOFT, fontsize=9)
    bar.ax.tick_params(labelsize=8, colors=SOFT)
    bar.outline.set_visible(False)


def _draw_categories(
    axes: Axes, positions: npt.NDArray[np.float32], categories: Categories, legend: str, style: dict[str, Any]
) -> None:
    from matplotlib.lines import Line2D

    colours = np.array([_rgb(colour) for colour in categories.colours])
    # the most frequent first, so that rare ones lie on top
    order = np.argsort(categories.codes, kind="stable")
    order = np.concatenate([order[_grey(categories)[order]], order[~_grey(categories)[order]]])
    axes.scatter(positions[order, 0], positions[order, 1], c=colours[categories.codes[order]], **style)
    handles = [
        Line2D([], [], marker="o", linestyle="", markersize=6, markeredgewidth=0, color=colour)
        for colour in categories.colours[:LEGEND_ENTRIES]
    ]
    labels = [
        f"{_short(name)}  {count:,}" for name, count in zip(categories.names, categories.counts, strict=True)
    ][:LEGEND_ENTRIES]
    left = len(categories.names) - len(labels)
    if left:
        handles.append(Line2D([], [], linestyle=""))
        labels.append(f"and {left} more")
    made = axes.legend(
        handles, labels, title=legend, loc="center left", bbox_to_anchor=(1.01, 0.5), labelcolor=INK,
        frameon=False, fontsize=9, title_fontsize=9, alignment="left", handletextpad=0.3,
    )  # fmt: skip
    made.get_title().set_color(SOFT)


def _grey(categories: Categories) -> npt.NDArray[np.bool_]:
    """Which points are of no kind of their own."""
    return np.array([colour == GREY for colour in categories.colours], dtype=np.bool_)[categories.codes]


def _draw_thumbnail(axes: Axes, position: npt.NDArray[np.float32], data: bytes) -> None:
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage
    from PIL import Image

    with Image.open(io.BytesIO(data)) as picture:
        small = picture.convert("RGB")
    small.thumbnail((2 * THUMBNAIL_PIXELS, 2 * THUMBNAIL_PIXELS))
    box = AnnotationBbox(
        OffsetImage(np.asarray(small), zoom=0.22, interpolation="antialiased"),
        (float(position[0]), float(position[1])),
        pad=0.12,
        bboxprops={"edgecolor": "#c9c9c2", "linewidth": 0.6},
    )
    axes.add_artist(box)


def _rgb(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _short(name: str) -> str:
    return name if len(name) <= 28 else name[:27] + "…"
