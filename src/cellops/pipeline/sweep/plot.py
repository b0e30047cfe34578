"""The picture of a sweep, drawn without a library: the trials in their order, and each parameter against the metric.

In JupyterLab it takes the colours of its theme, elsewhere those of a light or a dark page.
"""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import accumulate

from cellops.errors import printable
from cellops.pipeline.sweep.axis import Axis, Places, is_numeric, named, short
from cellops.records.sweep import SweepBegun, Trial, TrialState, best_of

STYLE = """
.cellops-sweep { font: 12px system-ui, "Segoe UI", sans-serif; --ink: #1f2328; --quiet: #656d76; --line: #d8dee4;
  --paper: #ffffff; --dot: #4c78b0; --best: #c2410c; --so-far: #2f6f4f; }
@media (prefers-color-scheme: dark) { .cellops-sweep { --ink: #e6edf3; --quiet: #9198a1; --line: #3d444d;
  --paper: #0d1117; --dot: #7aa7dd; --best: #f0883e; --so-far: #57ab7c; } }
.cellops-sweep .paper { fill: var(--jp-layout-color0, var(--paper)); }
.cellops-sweep text { fill: var(--jp-ui-font-color1, var(--ink)); }
.cellops-sweep .title { font-size: 15px; font-weight: 600; }
.cellops-sweep .name { font-weight: 600; }
.cellops-sweep .quiet { fill: var(--jp-ui-font-color2, var(--quiet)); font-size: 11px; }
.cellops-sweep .grid { stroke: var(--jp-border-color1, var(--line)); stroke-width: 1; }
.cellops-sweep .dot { fill: var(--jp-brand-color1, var(--dot)); fill-opacity: 0.75; }
.cellops-sweep .best { fill: var(--jp-warn-color1, var(--best)); }
.cellops-sweep .pruned { fill: none; stroke: var(--jp-ui-font-color2, var(--quiet)); stroke-width: 1.4; }
.cellops-sweep .failed { stroke: var(--jp-ui-font-color2, var(--quiet)); stroke-width: 1.6; fill: none; }
.cellops-sweep .so-far { fill: none; stroke: var(--jp-success-color1, var(--so-far)); stroke-width: 1.8; }
"""
WIDTH, PANEL, HISTORY = 860.0, 190.0, 230.0
"""Pixels: of the whole, of the height of a parameter's panel, and of that of the trials in their order."""
LEFT, GAP, MARGIN, TOP, BELOW = 58.0, 62.0, 18.0, 58.0, 46.0
LABEL = 14
"""Characters of a text at an axis."""
TITLE = 80
BETWEEN = 44.0
CHARACTER = 6.4


def plot(begun: SweepBegun, trials: Sequence[Trial]) -> str:
    """Draw a sweep.

    Parameters
    ----------
    begun
        What was searched, and for what.
    trials
        Those that have ended, at least one of them completed, in the order of their numbers.

    Returns
    -------
    str
        A whole SVG document; texts of others are escaped.
    """
    done = [trial for trial in trials if trial.state is TrialState.COMPLETED]
    best = best_of(done, maximize=begun.maximize)
    assert best is not None  # noqa: S101 - one is completed
    scale = [trial.value for trial in done if trial.value is not None]
    names = list(begun.space)
    rows = -(-len(names) // 2)
    height = TOP + HISTORY + BELOW + rows * (PANEL + BELOW) + MARGIN
    parts = [*_head(begun, best, done, trials), *_history(begun, trials, best, scale)]
    wide = (WIDTH - 2 * MARGIN - 2 * LEFT - GAP + LEFT) / 2
    for place, name in enumerate(names):
        left = MARGIN + LEFT + (place % 2) * (wide + GAP)
        top = TOP + HISTORY + BELOW + place // 2 * (PANEL + BELOW)
        parts += _panel(begun, name, done, best, (left, top, left + wide, top + PANEL - 26))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="cellops-sweep" role="img" width="{WIDTH:.0f}" '
        f'height="{height:.0f}" viewBox="0 0 {WIDTH:.0f} {height:.0f}">'
        f"<title>{_text(begun.name)}: {_text(begun.metric)} of {len(trials)} trials</title><style>{STYLE}</style>"
        f'<rect class="paper" width="{WIDTH:.0f}" height="{height:.0f}"/>{"".join(parts)}</svg>\n'
    )


def _head(begun: SweepBegun, best: Trial, done: Sequence[Trial], trials: Sequence[Trial]) -> Iterator[str]:
    direction = "more is better" if begun.maximize else "less is better"
    yield _words(MARGIN, 26, f"{begun.metric}: {direction}", "title")
    values = ", ".join(f"{name} {_shown(value)}" for name, value in best.values.items())
    others = {state: sum(trial.state is state for trial in trials) for state in (TrialState.FAILED, TrialState.PRUNED)}
    counts = [f"{len(done)} completed", *(f"{count} {state.value}" for state, count in others.items() if count)]
    told = f"best {short(best.value or 0.0)} in trial {best.number}: {values}"
    yield _words(MARGIN, 44, f"{_cut(told, 2 * TITLE - 30)} · {', '.join(counts)}", "quiet")


def _history(begun: SweepBegun, trials: Sequence[Trial], best: Trial, scale: Sequence[float]) -> Iterator[str]:
    """The trials in their order, and the best so far."""
    left, top, right, bottom = MARGIN + LEFT, TOP + 12, WIDTH - MARGIN, TOP + HISTORY - 14
    across = Axis.over([trials[0].number, trials[-1].number], left, right)
    up = Axis.over(scale, bottom, top)
    yield from _frame(across, up, (left, top, right, bottom), "trial", begun.metric, whole=True)
    done = [trial for trial in trials if trial.state is TrialState.COMPLETED and trial.value is not None]
    better = max if begun.maximize else min
    so_far = list(accumulate((trial.value or 0.0 for trial in done), better))
    path = f"M{across.at(done[0].number):.1f} {up.at(so_far[0]):.1f}"
    for trial, value in zip(done[1:], so_far[1:], strict=True):
        path += f"H{across.at(trial.number):.1f}V{up.at(value):.1f}"
    yield f'<path class="so-far" d="{path}H{right:.1f}"/>'
    for trial in trials:
        x = across.at(trial.number)
        if trial.state is TrialState.FAILED:
            yield (
                f'<g><title>{_hover(trial)}</title><path class="failed" '
                f'd="M{x - 3:.1f} {bottom - 9:.1f}l6 6m0 -6l-6 6"/></g>'
            )
        elif trial.value is not None:
            y = min(max(up.at(trial.value), top), bottom)
            yield _dot(trial, x, y, best)


def _panel(
    begun: SweepBegun, name: str, done: Sequence[Trial], best: Trial, frame: tuple[float, float, float, float]
) -> Iterator[str]:
    """One parameter against the metric."""
    left, top, right, bottom = frame
    up = Axis.over([trial.value for trial in done if trial.value is not None], bottom, top)
    values = [trial.values[name] for trial in done]
    across: Axis | Places
    if is_numeric(values):
        numbers = [value for value in values if isinstance(value, int | float)]
        across = Axis.over(numbers, left, right, log=name in begun.log and min(numbers) > 0)
    else:
        across = Places(tuple(dict.fromkeys(named(value) for value in values)), left, right)
    yield from _frame(across, up, frame, name + (" (log)" if name in begun.log else ""), begun.metric)
    for trial in sorted(done, key=lambda one: one.number == best.number):
        if trial.value is not None:
            yield _dot(trial, across.at(trial.values[name]), up.at(trial.value), best)  # type: ignore[arg-type]


def _frame(
    across: Axis | Places,
    up: Axis,
    frame: tuple[float, float, float, float],
    below: str,
    beside: str,
    *,
    whole: bool = False,
) -> Iterator[str]:
    """The lines and texts around a panel."""
    left, top, right, bottom = frame
    for y, text in up.ticks(4):
        yield f'<line class="grid" x1="{left:.1f}" y1="{y:.1f}" x2="{right:.1f}" y2="{y:.1f}"/>'
        yield _words(left - 8, y + 4, text, "quiet", "end")
    room = (right - left) / max(len(across.ticks(6)), 1)
    for x, text in across.ticks(6):
        if whole and not text.isdigit():
            continue
        yield f'<line class="grid" x1="{x:.1f}" y1="{bottom:.1f}" x2="{x:.1f}" y2="{bottom + 4:.1f}"/>'
        fits = max(int(room / CHARACTER), 4) if isinstance(across, Places) else LABEL
        yield _words(x, bottom + 17, _cut(text, fits), "quiet", "middle")
    yield f'<line class="grid" x1="{left:.1f}" y1="{bottom:.1f}" x2="{right:.1f}" y2="{bottom:.1f}"/>'
    yield _words((left + right) / 2, bottom + 34, _cut(below, 40), "name", "middle")
    yield _words(left - 50, top - 10, _cut(beside, 40), "quiet")


def _dot(trial: Trial, x: float, y: float, best: Trial) -> str:
    is_best = trial.number == best.number
    look = "best" if is_best else "pruned" if trial.state is TrialState.PRUNED else "dot"
    size = 5.5 if is_best else 3.6
    return f'<circle class="{look}" cx="{x:.1f}" cy="{y:.1f}" r="{size}"><title>{_hover(trial)}</title></circle>'


def _hover(trial: Trial) -> str:
    values = ", ".join(f"{name} {_shown(value)}" for name, value in trial.values.items())
    came = trial.error or ("" if trial.value is None else short(trial.value))
    return _text(f"trial {trial.number}, {trial.state.value}: {came}\n{values}")


def _shown(value: object) -> str:
    return short(value) if isinstance(value, float) else str(value)


def _words(x: float, y: float, text: str, look: str, anchor: str = "start") -> str:
    return f'<text class="{look}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{_text(text)}</text>'


def _cut(text: str, longest: int) -> str:
    text = printable(text)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _text(text: str) -> str:
    return escape(printable(text))
