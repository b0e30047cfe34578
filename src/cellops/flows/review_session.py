"""One reviewer's way through a queue: what is shown, what is taken back, and what is kept."""

import atexit
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

from cellops.errors import UsageError
from cellops.flows.review_log import ReviewLog
from cellops.monitoring.label_sinks import GivenLabel, LabelSink
from cellops.records.base import Value
from cellops.records.review import ReviewChoice, Reviewed, ReviewRow, ReviewState

AT_A_TIME = 20
"""Rows that a reviewer claims at once."""
MOST_KEYS = 9
TAKEN_KEYS = frozenset("suq")


@dataclass
class _Step:
    """One row that the reviewer is done with for now."""

    row: ReviewRow
    given: GivenLabel | None
    """None for a row that was skipped."""


class Review:
    """One reviewer's way through the queue.

    A label is kept when the next row is done with, or at the end: until then `undo` takes it back without a trace. One
    that was kept before can be replaced by another.
    """

    def __init__(self, held: ReviewLog, found: Any, sink: LabelSink, on_finish: Callable[[], None]) -> None:
        self._held, self._sink, self._on_finish = held, sink, on_finish
        self._schema = held.contract.schema
        self._found = found.set_index("prediction_id", drop=False)
        self._open: list[str] = list(found["prediction_id"])
        self._mine: list[ReviewRow] = []
        self._steps: list[_Step] = []
        self._pending: GivenLabel | None = None
        self._kept: dict[str, Value] = {}
        self._finished: Reviewed | None = None
        self.notes = held.notes()
        """What the reviewer should know of the queue."""
        self._claim()
        atexit.register(self.finish)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.finish()

    def state(self, said: str = "") -> ReviewState:
        """What is shown now."""
        row = self._mine[0] if self._mine else None
        return ReviewState(
            model=self._held.name,
            target=self._schema.target,
            reviewer=self._held.reviewer,
            row=row,
            choices=self._choices(row),
            labelled=len(self._kept) + (self._pending is not None and self._pending.prediction_id not in self._kept),
            skipped=sum(step.given is None for step in self._steps),
            left=len(self._mine) + len(self._open),
            said=said,
        )

    def label(self, said: Value) -> ReviewState:
        """Give the row that is shown a label, as a person writes it.

        Raises
        ------
        InputError
            When it is no class of the model, or no number where one is needed.
        UsageError
            When no row is shown.
        """
        from cellops.monitoring.log_values import label_of

        row = self._shown()
        given = GivenLabel(row.prediction_id, label_of(said, self._schema), self._held.reviewer, time.time_ns())
        self._keep()
        self._pending = given
        return self._go_on(_Step(row, given), f"{self._schema.target} is {given.label}")

    def skip(self) -> ReviewState:
        """Leave the row for another time, or for others; `UsageError` when no row is shown."""
        row = self._shown()
        self._keep()
        return self._go_on(_Step(row, None), "Skipped")

    def undo(self) -> ReviewState:
        """Go back to the row before, and take its label back as far as it is not kept yet."""
        if not self._steps or self._finished is not None:
            return self.state("There is nothing to undo")
        step = self._steps.pop()
        row, before = step.row, self._kept.get(step.row.prediction_id)
        self._pending = None
        self._mine.insert(0, row.replace(before=before))
        return self.state("Taken back" if before is None else f"It was labelled {before}; a new label replaces that")

    def finish(self) -> Reviewed:
        """Keep what is to be kept, and let others have the rest; finishing again does nothing."""
        if self._finished is None:
            atexit.unregister(self.finish)
            try:
                self._keep()
                self._sink.close()
                told = self._held.disagreements(list(self._kept), self._kept) if self._kept else ()
            finally:
                self._release([row.prediction_id for row in self._mine] + [s.row.prediction_id for s in self._steps])
                self._on_finish()
            skipped = sum(step.given is None for step in self._steps)
            place = self._sink.place
            self._finished = Reviewed(
                reviewer=self._held.reviewer, labelled=len(self._kept), skipped=skipped, place=place, disagreements=told
            )
            self._open = [*(row.prediction_id for row in self._mine), *self._open]
            self._mine = []
        return self._finished

    def _shown(self) -> ReviewRow:
        if not self._mine:
            fact = "No row is shown: the queue is done"
            raise UsageError(fact, remedy="Begin again when more has been answered")
        return self._mine[0]

    def _go_on(self, step: _Step, said: str) -> ReviewState:
        self._steps.append(step)
        self._mine.pop(0)
        self._renew()
        if not self._mine:
            self._claim()
        if not self._mine:
            # Nothing comes behind it, and whoever is done may forget to say so.
            self._keep()
        return self.state(said)

    def _keep(self) -> None:
        """Hand the label that waits to the log."""
        given = self._pending
        if given is not None:
            self._sink.take([given])
            self._pending = None
            self._kept[given.prediction_id] = given.label
            if not self._mine or self._mine[0].prediction_id != given.prediction_id:
                self._release([given.prediction_id])

    def _claim(self) -> None:
        """Take the next rows that nobody has labelled meanwhile and nobody else looks at."""
        if not self._open:
            return
        labelled = set(self._held.labels()["prediction_id"])
        wanted = [name for name in self._open if name not in labelled]
        try:
            taken = self._held.claims.take(wanted, AT_A_TIME)
            others = self._held.claims.others()
        except OSError:
            # Who may only read the log, and gives labels to a server, cannot keep others off.
            taken, others = wanted[:AT_A_TIME], {}
        self._open = [name for name in wanted if name not in others and name not in taken]
        self._mine = list(self._held.rows(self._found.loc[taken]))

    def _renew(self) -> None:
        """Go on holding the rows that come next; those of a long pause may be another's by now."""
        with suppress(OSError):  # who may only read the log has no claims
            held = self._held.claims.take([row.prediction_id for row in self._mine], AT_A_TIME)
            self._mine = [row for row in self._mine if row.prediction_id in held]

    def _release(self, names: Sequence[str]) -> None:
        with suppress(OSError):  # who may only read the log has no claims
            self._held.claims.release(names)

    def _choices(self, row: ReviewRow | None) -> tuple[ReviewChoice, ...]:
        from cellops.monitoring.log_values import plain_value
        from cellops.monitoring.prediction_log import PROBABILITY

        classes = self._schema.classes
        chances = [
            None if row is None else plain_value(self._found.loc[row.prediction_id].get(f"{PROBABILITY}{name}"))
            for name in classes
        ]
        return tuple(
            ReviewChoice(label=label, key=key, probability=None if chance is None else float(chance))
            for label, key, chance in zip(classes, keys(classes), chances, strict=True)
        )


def keys(classes: Sequence[Value]) -> tuple[str, ...]:
    """What is pressed for each class: itself where that is one character, else its number; for many nothing.

    Examples
    --------
    >>> keys((0, 1)), keys(("benign", "malignant")), keys(("s", "t")), set(keys(tuple(range(10, 30))))
    (('0', '1'), ('1', '2'), ('1', '2'), {''})
    """
    own = tuple(str(label) for label in classes)
    if all(len(name) == 1 and name.isprintable() and name != " " for name in own) and not TAKEN_KEYS & set(own):
        return own
    return tuple(str(number + 1) for number in range(len(own))) if len(own) <= MOST_KEYS else ("",) * len(own)
