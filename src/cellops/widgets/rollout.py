"""A rollout in a notebook, which goes on while it is looked at."""

import threading
from collections.abc import Callable
from html import escape

from cellops.errors import CellopsError, printable
from cellops.records import rollout_words as words
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
        said = f"{state.model}: {words.strategy(state)}, challenger {state.share:g}%. {self._said}"
        return printable(said)

    def _repr_html_(self) -> str:
        state, verdict = self.view.state, self.view.verdict
        last = f"Last: {words.decided(state.decisions[-1])}" if state.decisions else ""
        said = "".join(f"<div>{_text(line)}</div>" for line in (self._said, words.left(verdict), last) if line)
        heading = "".join(f"<th>{name}</th>" for name in ("", "champion", "challenger", "difference", "", "margin", ""))
        rows = "".join(map(_row, verdict.comparisons))
        table = f"<table><tr>{heading}</tr>{rows}</table>" if rows else ""
        return f"<b>{_text(state.model)}</b> {words.strategy(state)}<div>{_text(self._packages)}</div>{table}{said}"

    @property
    def _packages(self) -> str:
        """Who has which part of the traffic, and how many requests since the stage began."""
        state, evidence = self.view.state, self.view.evidence
        if state.challenger is None:
            return f"{words.named(state.champion)} answers"
        shares = (words.champion_share(state), state.share)
        packages = zip(("champion", "challenger"), (state.champion, state.challenger), shares, strict=True)
        counted = (evidence.champion.requests, evidence.challenger.requests)
        parts = (
            f"{role} {share:g}%, {words.named(package)}: {requests:,} request{'' if requests == 1 else 's'}"
            for (role, package, share), requests in zip(packages, counted, strict=True)
        )
        return f"{' · '.join(parts)} in {words.lasting(max(self.view.now - state.since, 0))}"

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
    figures = (words.figure(each, each.champion), words.figure(each, each.challenger), words.difference(each))
    margin = "" if each.margin is None else f"{each.margin:+.2%}"
    cells = "".join(f"<td>{cell}</td>" for cell in (*figures, _bar(each), margin))
    return (
        f'<tr><th>{_text(each.name)}</th>{cells}<td style="color:{COLOURS[each.shown]}">{words.shown(each)}</td></tr>'
    )


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


def _text(text: str) -> str:
    return escape(printable(text))
