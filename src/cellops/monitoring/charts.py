"""The geometry of the report's drawings: numbers in, coordinates out; the template draws them."""

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from cellops.records.contract import Measure

WIDTH, HEIGHT = 440.0, 210.0
LEFT, RIGHT, TOP, BOTTOM = 50.0, 10.0, 12.0, 26.0
SMALL_WIDTH, SMALL_HEIGHT = 120.0, 44.0
MOST_LABELS = 6
WIDEST_BAR = 60.0
CLOSEST = 1e-14
SMALLEST = 1e-300
"""Least distance of two ticks, as a share of the largest value and at all."""

Place: TypeAlias = Callable[[float], float]


@dataclass(frozen=True)
class Tick:
    place: float
    text: str


@dataclass(frozen=True)
class Point:
    x: float
    y: float
    text: str
    worse: bool


@dataclass(frozen=True)
class LineChart:
    """A figure per window with its interval, beside the interval that the package promises."""

    lines: str
    band: str
    whiskers: str
    """The intervals of windows that have no neighbour to draw a band to."""
    points: tuple[Point, ...]
    promised: tuple[float, float, float] | None
    """Top, middle and bottom of the package's interval."""
    across: tuple[Tick, ...]
    upward: tuple[Tick, ...]


@dataclass(frozen=True)
class RowChart:
    """Rows per window as bars, and the labelled ones among them."""

    rows: str
    labelled: str
    across: tuple[Tick, ...]
    upward: tuple[Tick, ...]


@dataclass(frozen=True)
class SmallChart:
    """The shares of a window as bars, those of the reference as a line of steps."""

    bars: str
    absent: str
    """The bars of missing and unseen values."""
    steps: str


def line_chart(
    labels: Sequence[str], figures: Sequence[Measure | None], promised: Measure | None, worse: Sequence[bool]
) -> LineChart:
    """Draw at least one figure; line and band break where a window has none."""
    centres = _centres(len(labels))
    ends = [end for figure in (*figures, promised) if figure is not None for end in _interval(figure)]
    ticks = _round_ticks(min(ends), max(ends))
    place = _scale(ticks[0], ticks[-1])
    known = [figure if figure and figure.low is not None and figure.high is not None else None for figure in figures]
    bands = _runs(centres, known)
    points = [
        Point(x=x, y=place(figure.value), text=f"{label}: {figure.value:.4g}", worse=bad)
        for label, x, figure, bad in zip(labels, centres, figures, worse, strict=True)
        if figure
    ]
    return LineChart(
        lines="".join(_line([(x, place(figure.value)) for x, figure in run]) for run in _runs(centres, figures)),
        band="".join(_band(run, place) for run in bands if len(run) > 1),
        whiskers="".join(_whisker(*run[0], place) for run in bands if len(run) == 1),
        points=tuple(points),
        promised=None if promised is None else _promised(promised, place),
        across=_labelled(labels, centres),
        upward=tuple(Tick(place=place(tick), text=f"{tick:.4g}") for tick in ticks),
    )


def row_chart(labels: Sequence[str], rows: Sequence[int], labelled: Sequence[int]) -> RowChart:
    """Draw bars from zero."""
    ticks = _round_ticks(0, max(*rows, 1))
    place, centres = _scale(0, ticks[-1]), _centres(len(labels))
    width = min(0.6 * (WIDTH - LEFT - RIGHT) / len(labels), WIDEST_BAR)
    return RowChart(
        rows=_bars([x - width / 2 for x in centres], [place(count) for count in rows], width, place(0)),
        labelled=_bars([x - width / 2 for x in centres], [place(count) for count in labelled], width, place(0)),
        across=_labelled(labels, centres),
        upward=tuple(Tick(place=place(tick), text=f"{tick:,.0f}") for tick in ticks),
    )


def small_chart(before: Sequence[float], after: Sequence[float], absent: Sequence[bool], highest: float) -> SmallChart:
    """Draw shares of the same bins; `highest` is the share that fills the height, what is above it is cut off."""
    step = SMALL_WIDTH / len(before)
    width = 0.7 * step
    lefts = [step * number for number in range(len(before))]

    def place(share: float) -> float:
        return SMALL_HEIGHT * (1 - min(share / highest, 1.0))

    def bars(*, missing: bool) -> str:
        chosen = [number for number, is_missing in enumerate(absent) if is_missing is missing]
        inset = (step - width) / 2
        return _bars(
            [lefts[number] + inset for number in chosen],
            [place(after[number]) for number in chosen],
            width,
            SMALL_HEIGHT,
        )

    steps = "".join(f"M{left:.1f} {place(share):.1f}h{step:.1f}" for left, share in zip(lefts, before, strict=True))
    return SmallChart(bars=bars(missing=False), absent=bars(missing=True), steps=steps)


def _interval(figure: Measure) -> tuple[float, float]:
    return (figure.value if figure.low is None else figure.low, figure.value if figure.high is None else figure.high)


def _promised(figure: Measure, place: Place) -> tuple[float, float, float]:
    low, high = _interval(figure)
    return place(high), place(figure.value), place(low)


def _centres(windows: int) -> list[float]:
    step = (WIDTH - LEFT - RIGHT) / windows
    return [LEFT + step * (number + 0.5) for number in range(windows)]


def _scale(low: float, high: float) -> Place:
    # Halves, since the difference of two large floats may be beyond the largest.
    return lambda value: TOP + (high / 2 - value / 2) / (high / 2 - low / 2) * (HEIGHT - TOP - BOTTOM)


def _round_ticks(low: float, high: float) -> list[float]:
    """About five round numbers that hold `low` and `high` between them."""
    largest = max(abs(low), abs(high))
    # Ticks closer than this are one float, or have a step that is none.
    quarter = max((high / 4 - low / 4) or largest / 4 or 0.25, largest * CLOSEST, SMALLEST)
    power = 10.0 ** math.floor(math.log10(quarter))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= quarter * 0.999)
    first = math.floor(low / step + 1e-9)
    last = max(math.ceil(high / step - 1e-9), first + 1)
    ticks = [number * step for number in range(first, last + 1)]
    largest_float = sys.float_info.max
    return [max(-largest_float, min(float(f"{tick:.15g}"), largest_float)) for tick in ticks]


def _labelled(labels: Sequence[str], centres: Sequence[float]) -> tuple[Tick, ...]:
    every = math.ceil(len(labels) / MOST_LABELS)
    return tuple(Tick(place=x, text=label) for x, label in list(zip(centres, labels, strict=True))[::every])


def _line(points: Sequence[tuple[float, float]]) -> str:
    return "" if not points else "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _runs(centres: Sequence[float], figures: Sequence[Measure | None]) -> list[list[tuple[float, Measure]]]:
    """Figures of windows side by side."""
    runs: list[list[tuple[float, Measure]]] = [[]]
    for x, figure in zip(centres, figures, strict=True):
        if figure is None:
            runs.append([])
        else:
            runs[-1].append((x, figure))
    return [run for run in runs if run]


def _whisker(x: float, figure: Measure, place: Place) -> str:
    low, high = (place(end) for end in _interval(figure))
    return f"M{x - 5:.1f} {high:.1f}h10M{x:.1f} {high:.1f}V{low:.1f}M{x - 5:.1f} {low:.1f}h10"


def _band(run: Sequence[tuple[float, Measure]], place: Place) -> str:
    upper = [(x, place(_interval(figure)[1])) for x, figure in run]
    lower = [(x, place(_interval(figure)[0])) for x, figure in run]
    return _line([*upper, *reversed(lower)]) + "Z"


def _bars(lefts: Sequence[float], tops: Sequence[float], width: float, floor: float) -> str:
    pairs = zip(lefts, tops, strict=True)
    return "".join(f"M{x:.1f} {floor:.1f}V{top:.1f}h{width:.1f}V{floor:.1f}" for x, top in pairs if top < floor)
