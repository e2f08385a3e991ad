"""Charts in the house style, drawn without a screen."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, SOFT, LINE = "#1d2026", "#5d6470", "#d9d9d2"
ACCENT = "#0b6e4f"
COLOURS = (
    "#0b6e4f", "#d1495b", "#2e6fbb", "#edae49", "#7b4fa3",
    "#3fa7a3", "#a05a2c", "#e377a2", "#7a8b2f", "#5d6470",
)  # fmt: skip
"""For categories; neighbours differ in lightness too, so that they stay apart in grey."""

DOTS_PER_INCH = 144
"""Twice what a screen shows, so that letters stay sharp on dense ones."""

_STYLE: dict[Any, Any] = {
    "font.size": 9.0,
    "axes.edgecolor": LINE,
    "axes.labelcolor": INK,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#ecece6",
    "grid.linewidth": 0.7,
    "axes.axisbelow": True,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "legend.frameon": False,
    "figure.facecolor": "#ffffff",
    "axes.facecolor": "#ffffff",
}


def figure(width: float, height: float) -> Figure:
    """An empty figure; add axes with ``subplots``.

    Args:
        width, height: In inches; 100 pixels of a page each.
    """
    from matplotlib import rc_context
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    class Styled(Figure):
        """Axes take the style when they are made, and only then; the caller's own settings stay."""

        def add_subplot(self, *args: Any, **kwargs: Any) -> Axes:
            with rc_context(_STYLE):
                made: Axes = super().add_subplot(*args, **kwargs)
            return made

    with rc_context(_STYLE):
        made = Styled(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(made)
    return made


def png(figure: Figure) -> bytes:
    """The figure as PNG bytes; the same figure gives the same bytes."""
    from matplotlib import rc_context

    file = io.BytesIO()
    with rc_context(_STYLE):
        figure.savefig(file, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    return file.getvalue()
