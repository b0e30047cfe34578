"""A rollout in a notebook, which goes on while it is looked at."""

import threading
from collections.abc import Callable
from html import escape

from cellops.errors import CellopsError, printable
from cellops.records.rollout import Comparison, RolloutView, Shown

EVERY = 2.0
"""Seconds between two looks."""
COLOURS = {Shown.WORSE: "#c62828", Shown.FINE: "#2e7d32", Shown.OPEN: "#8d6e00"}


class RolloutPanel:
    """How a rollout stands, as the value of a cell.

    Parameters
    ----------
    ask
        Gives the view of now.
    """

    def __init__(self, ask: Callable[[], RolloutView]) -> None:
        self._ask = ask
        self.view = ask()
        self.trouble = ""

    def follow(self, show: Callable[["RolloutPanel"], object], *, every: float = EVERY) -> threading.Thread:
        """Show it anew every some seconds, beside the kernel's work, until there is no challenger or no server."""
        thread = threading.Thread(target=self._followed, args=(show, every), name="cellops-rollout", daemon=True)
        thread.start()
        return thread

    def __repr__(self) -> str:
        state = self.view.state
        return f"{printable(state.model)}: {state.strategy}, challenger {state.share:g}%. {printable(self._said)}"

    def _repr_html_(self) -> str:
        state = self.view.state
        rows = "".join(map(_row, self.view.verdict.comparisons))
        heading = "<tr><th></th><th>champion</th><th>challenger</th><th>difference</th><th></th><th></th></tr>"
        paused = ", paused" if state.paused else ""
        return (
            f"<b>{_text(state.model)}</b> {state.strategy}, challenger {state.share:g}%{paused}"
            f"<table>{heading}{rows}</table><div>{_text(self._said)}</div>"
        )

    @property
    def _said(self) -> str:
        return self.trouble or self.view.verdict.why

    def _followed(self, show: Callable[["RolloutPanel"], object], every: float) -> None:
        pause = threading.Event()
        while self.view.state.challenger is not None and not self.trouble:
            pause.wait(every)
            try:
                self.view = self._ask()
            except CellopsError as error:
                self.trouble = f"No longer followed: {error}"
            show(self)


def _row(each: Comparison) -> str:
    cells = (_figure(each, each.champion), _figure(each, each.challenger), _difference(each))
    shown = f'<td style="color:{COLOURS[each.shown]}">{each.shown if each.low is not None else ""}</td>'
    figures = "".join(f"<td>{cell}</td>" for cell in (*cells, _bar(each)))
    return f"<tr><th>{_text(each.name)}</th>{figures}{shown}</tr>"


def _bar(each: Comparison) -> str:
    """The interval, with no difference in the middle of the bar and the margin near its end."""
    if each.low is None or each.high is None or not each.margin:
        return ""
    reach = 1.35 * each.margin

    def place(figure: float) -> float:
        return min(max(50 + 50 * figure / reach, 0.0), 100.0)

    low, high, margin = place(each.low), place(each.high), place(each.margin)
    return (
        '<svg width="200" height="14" viewBox="0 0 100 14" preserveAspectRatio="none">'
        f'<rect x="{low:.1f}" y="4" width="{max(high - low, 0.5):.1f}" height="6" fill="{COLOURS[each.shown]}"/>'
        '<rect x="50" y="0" width="0.5" height="14" fill="gray"/>'
        f'<rect x="{margin:.1f}" y="0" width="0.5" height="14" fill="#c62828"/></svg>'
    )


def _difference(each: Comparison) -> str:
    if each.difference is None:
        return ""
    between = "" if each.low is None or each.high is None else f" ({each.low:+.2%} to {each.high:+.2%})"
    return f"{each.difference:+.2%}{between}"


def _figure(each: Comparison, value: float | None) -> str:
    if value is None:
        return ""
    return f"{value * 1000:.3g} ms" if each.name == "latency" else f"{value:.2%}"


def _text(text: str) -> str:
    return escape(printable(text))
