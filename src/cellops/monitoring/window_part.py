"""A part of a window: what the rows of one chunk showed of it, to be merged with the parts of other chunks."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from cellops.data.observation import Observation
from cellops.monitoring.labelled_rows import LabelledRows
from cellops.monitoring.observed import (
    Columns,
    ObservedColumn,
    ObservedWindow,
    attempted,
    columns_of,
    observed,
    of_name,
    output_of,
    side_by_side,
    unreadable,
)
from cellops.monitoring.performance import measure
from cellops.monitoring.relations import RelationsPart
from cellops.monitoring.windows import Window
from cellops.records.contract import Contract
from cellops.records.finding import Finding, Severity
from cellops.records.profile import ColumnProfile


@dataclass(frozen=True)
class WindowPart:
    """Rows of a window, summarised so that their parts merge in any order: memory does not grow with the rows."""

    label: str
    start: str | None
    end: str | None
    rows: int
    columns: tuple[Observation, ...]
    """In the order of the profile."""
    output: Observation | None
    relations: RelationsPart | None
    labelled: LabelledRows | None
    drawn_of: int | None = None
    """Rows from which these were drawn evenly; None where they are all."""

    @classmethod
    def of(cls, contract: Contract, window: Window) -> Self:
        """Summarise the rows of a window; a column that is missing or cannot be read says so in its `problems`."""
        columns = columns_of(window)
        work: Callable[[ColumnProfile], Observation] = lambda reference: _column(reference, columns, len(window.frame))  # noqa: E731 - for its type
        output = output_of(contract, window)
        return cls(
            label=window.label,
            start=window.start,
            end=window.end,
            rows=len(window.frame),
            columns=side_by_side(work, contract.profile.columns, len(window.frame)),
            output=None if output is None else _observation(*output),
            relations=RelationsPart.of(contract, window),
            labelled=LabelledRows.of(window),
        )

    @classmethod
    def merged(cls, parts: Iterable[Self], most_labelled: int | None = None) -> Self:
        """The window of all parts.

        Parameters
        ----------
        parts
            At least one; all of the same window.
        most_labelled
            Rows with a label that are kept for the performance.
        """
        held = list(parts)
        labelled = [part.labelled for part in held if part.labelled is not None]
        most = {} if most_labelled is None else {"most": most_labelled}
        outputs = [part.output for part in held if part.output is not None]
        return replace(
            held[0],
            rows=sum(part.rows for part in held),
            columns=tuple(map(Observation.merged, zip(*(part.columns for part in held), strict=True))),
            output=Observation.merged(outputs) if outputs else None,
            relations=RelationsPart.merged(part.relations for part in held),
            labelled=LabelledRows.merged(labelled, **most) if labelled else None,
        )

    def observed(self, contract: Contract) -> ObservedWindow:
        """What the window showed, as the comparison with a package's profile takes it."""
        performance, labelled_rows, findings = measure(contract, self._answers())
        sampled = self._labels_sampled()
        references = contract.profile.columns
        pairs = zip(references, self.columns, strict=True)
        output = None
        if contract.output is not None and self.output is not None:
            output = _told(contract.output, self.output, self.label)
        return ObservedWindow(
            label=self.label,
            start=self.start,
            end=self.end,
            rows=self.rows,
            columns=tuple(_told(reference, seen, self.label) for reference, seen in pairs),
            output=output,
            relations=None if self.relations is None else self.relations.told(contract),
            performance=performance,
            labelled_rows=self.labelled.total if sampled and self.labelled else labelled_rows,
            findings=(*findings, *sampled, *self._drawn()),
        )

    def _answers(self) -> Window:
        """The labelled rows as a window without inputs."""
        import pandas as pd

        held = self.labelled
        blank = Window(label=self.label, start=self.start, end=self.end, frame=pd.DataFrame())
        if held is None:
            return blank
        return replace(blank, labels=held.labels, probabilities=held.probabilities, truth=held.truth)

    def _labels_sampled(self) -> Sequence[Finding]:
        held = self.labelled
        if held is None or held.kept == held.total:
            return ()
        return (
            Finding(
                code="labels-sampled",
                severity=Severity.INFO,
                where=f"window {self.label}",
                seen=f"its performance is that of {held.kept:,} of its labelled rows, taken by chance",
                remedy="Nothing: the intervals say how sure the figures are; shorter windows would be judged whole",
            ),
        )

    def _drawn(self) -> Sequence[Finding]:
        if self.drawn_of is None:
            return ()
        return (
            Finding(
                code="rows-sampled",
                severity=Severity.INFO,
                where=f"window {self.label}",
                seen=f"its columns are those of {self.rows:,} of {self.drawn_of:,} rows, drawn evenly and by chance",
                remedy="Nothing: so many show any drift that matters; cellops score --profile-rows all counts each row",
            ),
        )


def in_turn(contract: Contract, windows: Iterable["Window | WindowPart | ObservedWindow"]) -> Iterator[ObservedWindow]:
    """What each window showed, one after the other, so that no two of them are in memory at once."""
    for window in windows:
        if isinstance(window, WindowPart):
            yield window.observed(contract)
        else:
            yield window if isinstance(window, ObservedWindow) else observed(contract, window)


def _column(reference: ColumnProfile, columns: Columns, rows: int) -> Observation:
    found = of_name(reference, columns)
    if isinstance(found, tuple):
        return Observation.unreadable(rows, *found)
    return _observation(reference, found)


def _observation(reference: ColumnProfile, values: Any) -> Observation:
    seen = attempted(Observation.of, reference, values)
    return Observation.unreadable(len(values), *seen) if isinstance(seen, tuple) else seen


def _told(reference: ColumnProfile, seen: Observation, label: str) -> ObservedColumn:
    if seen.problem is not None:
        return unreadable(reference, label, *seen.problem)
    return ObservedColumn(reference, seen.profile(reference))
