"""The queue of a reviewer in the notebook: labelled by click or by key."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, Protocol

import msgspec

from cellops.errors import CellopsError
from cellops.records.base import Value
from cellops.records.review import Reviewed, ReviewState
from cellops.widgets.assets import STATIC

SCRIPT = "review.js"


class Reviewing(Protocol):
    """Who is asked for rows and given labels."""

    def state(self, said: str = "") -> ReviewState: ...

    def label(self, said: Value) -> ReviewState: ...

    def skip(self) -> ReviewState: ...

    def undo(self) -> ReviewState: ...

    def finish(self) -> Reviewed: ...


class ReviewPanel:
    """One row after the other, to be shown as the value of a cell.

    A widget where widgets are shown; everywhere else the text says how to go on at a terminal.

    Parameters
    ----------
    begun
        A review that has begun, as `cellops.review` gives it.
    """

    def __init__(self, begun: Reviewing) -> None:
        self._begun = begun
        self._turns = 0

    def __repr__(self) -> str:
        state = self._begun.state()
        return (
            f"{state.left} answers of {state.model} wait. Label them at a terminal with: cellops review {state.model}"
        )

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        bundle: dict[str, Any] = {}
        if (STATIC / SCRIPT).is_file():
            bundle |= self._widget._repr_mimebundle_()[0]
        return {**bundle, "text/plain": repr(self)}

    def hear(self, message: Any) -> dict[str, Any] | None:
        """Do what the page asks for; the new state for the page, or None for what is no message of ours."""
        if not isinstance(message, dict):
            return None
        begun = self._begun
        doing: dict[str, Callable[[], ReviewState]] = {
            "label": lambda: begun.label(message.get("label")),
            "skip": begun.skip,
            "undo": begun.undo,
            "finish": self._finish,
        }
        work = doing.get(str(message.get("do")))
        if work is None:
            return None
        try:
            return self._told(work())
        except CellopsError as error:
            return self._told(begun.state(error.text()))

    def _finish(self) -> ReviewState:
        done = self._begun.finish()
        told = f"{len(done.disagreements)} of them differ from another reviewer's" if done.disagreements else ""
        said = f"{done.labelled} labels by {done.reviewer} are in {done.place}"
        return self._begun.state(f"{said}; {told}" if told else said)

    @cached_property
    def _widget(self) -> Any:
        from cellops.widgets.review_component import ReviewComponent

        component = ReviewComponent(state=self._told(self._begun.state()))

        def heard(widget: Any, message: Any, _buffers: Any) -> None:
            state = self.hear(message)
            if state is not None:
                widget.state = state

        component.on_msg(heard)
        return component

    def _told(self, state: ReviewState) -> dict[str, Any]:
        """A state for the page, with a number: one that is equal to the last would never be sent."""
        self._turns += 1
        plain: dict[str, Any] = msgspec.json.decode(state.to_json())
        return plain | {"turn": self._turns}
