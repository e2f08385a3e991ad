"""Colours for values: categories get hues of their own, numbers a scale."""

from __future__ import annotations

import colorsys
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.reports.figures import COLOURS
from lookalike.types import AttributeValue

MOST_CATEGORIES = 250
"""More are shown as one, the rest: nobody tells so many colours apart."""

FEW_INTEGERS = 12
"""Whole numbers of at most so many different values are categories: grades, floors, sizes."""

REST = "all others"
NONE = "no value"

GREY = "#a9adb4"
"""For what has no value, and for the rest."""

SCALE = ("#414487", "#355f8d", "#2a788e", "#21918c", "#22a884", "#44bf70", "#7ad151", "#bddf26")
"""Low to high: viridis (Smith & van der Walt 2015) without its ends, which vanish on black or on white."""

LOGARITHMIC_FROM = 100.0
"""From this ratio of its ends on, a scale of positive numbers is logarithmic: prices, sizes, counts."""

OUTER_SHARE = 0.02
"""Share of the numbers at each end that lie beyond the scale's ends, so that one outlier does not flatten it."""

GOLDEN_ANGLE = (3 - math.sqrt(5)) / 2
"""Of a full turn of the hue: successive hues never come close."""


@dataclass(frozen=True, slots=True)
class Categories:
    """Values of few kinds.

    Args:
        names: The kinds, most frequent first; then, where they occur, the rest and no value.
        counts: How many points have each.
        colours: ``#rrggbb`` of each.
        codes: int32 (n,), the kind of each point.
    """

    names: tuple[str, ...]
    counts: tuple[int, ...]
    colours: tuple[str, ...]
    codes: npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Scale:
    """Values that are numbers.

    Args:
        values: float64 (n,), NaN where there is none.
        low, high: Ends of the scale; numbers beyond have the colour of the end.
        logarithmic: Whether equal ratios, instead of equal differences, are equally far apart.
    """

    values: npt.NDArray[np.float64]
    low: float
    high: float
    logarithmic: bool

    def shares(self) -> npt.NDArray[np.float64]:
        """How far along the scale each point is, float64 (n,) in [0, 1], NaN where there is no number."""
        within = np.clip(self.values, self.low, self.high)
        if self.low == self.high:
            return within - self.low
        if self.logarithmic:
            return np.asarray(np.log(within / self.low) / math.log(self.high / self.low))
        return np.asarray((within - self.low) / (self.high - self.low))


def colouring(values: Sequence[AttributeValue]) -> Categories | Scale:
    """How to colour points by a value each.

    Numbers get a scale, unless they are whole and of at most twelve kinds. Of a list, the first word counts.

    Args:
        values: One a point; None where a point has none.
    """
    plain = [value[0] if isinstance(value, list) and value else value for value in values]
    known = [value for value in plain if value is not None and value != []]
    numbers = [value for value in known if isinstance(value, int | float) and not isinstance(value, bool)]
    whole = all(isinstance(value, int) for value in numbers)
    if numbers and len(numbers) == len(known) and not (whole and len(set(numbers)) <= FEW_INTEGERS):
        return _scale(plain)
    return _categories([None if value is None or value == [] else _name(value) for value in plain])


def _scale(values: Sequence[AttributeValue]) -> Scale:
    array = np.array(
        [float(value) if isinstance(value, int | float) else np.nan for value in values], dtype=np.float64
    )
    array[~np.isfinite(array)] = np.nan
    low, high = np.nanquantile(array, (OUTER_SHARE, 1 - OUTER_SHARE))
    if low == high:  # nearly all are equal: what differs should show
        low, high = np.nanmin(array), np.nanmax(array)
    logarithmic = bool(np.nanmin(array) > 0 and high >= LOGARITHMIC_FROM * low)
    return Scale(array, float(low), float(high), logarithmic)


def _categories(values: Sequence[str | None]) -> Categories:
    counter = Counter(value for value in values if value is not None)
    ranked = sorted(counter, key=lambda name: (-counter[name], name))
    shown, beyond = ranked[:MOST_CATEGORIES], ranked[MOST_CATEGORIES:]
    names, counts, colours = list(shown), [counter[name] for name in shown], palette(len(shown))
    code: dict[str | None, int] = {name: number for number, name in enumerate(shown)}
    if beyond:
        code |= dict.fromkeys(beyond, len(names))
        names.append(REST)
        counts.append(sum(counter[name] for name in beyond))
        colours.append(GREY)
    missing = sum(value is None for value in values)
    if missing:
        code[None] = len(names)
        names.append(NONE)
        counts.append(missing)
        colours.append(GREY)
    codes = np.array([code[value] for value in values], dtype=np.int32)
    return Categories(tuple(names), tuple(counts), tuple(colours), codes)


def palette(n: int) -> list[str]:
    """n colours, ``#rrggbb``: the house's own first, then hues by the golden angle."""
    colours = list(COLOURS[:n])
    for number in range(len(colours), n):
        hue = (0.11 + number * GOLDEN_ANGLE) % 1
        lightness = (0.42, 0.55, 0.66)[number % 3]
        red, green, blue = colorsys.hls_to_rgb(hue, lightness, (0.62, 0.5)[number % 2])
        colours.append(f"#{round(255 * red):02x}{round(255 * green):02x}{round(255 * blue):02x}")
    return colours


def _name(value: AttributeValue) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
