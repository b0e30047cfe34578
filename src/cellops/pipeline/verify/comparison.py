"""A cell as it was, held against the cell as it is now."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cellops.capture.values.description import MOST_PARTS
from cellops.capture.values.numbers import unpack
from cellops.pipeline.verify.differences import NO_MEASURE, difference, differences, farthest
from cellops.pipeline.verify.file_comparison import files
from cellops.pipeline.verify.outputs import counting_all, outputs
from cellops.pipeline.verify.sources import tells_time
from cellops.records.cell import CellRecord
from cellops.records.proof import CellProof, Comparison, Verdict
from cellops.records.value import Covered, ValueSeen

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

Kept = Callable[[str], bytes | None]
"""Gives the content of kept numbers by its digest."""
RANKS = {verdict: rank for rank, verdict in enumerate(Verdict)}
INTEGER = re.compile(r"\bu?int\d*$")
"""Types of numbers that are the same or not."""
SCALARS = frozenset({"builtins.str", "builtins.bytes", "builtins.bool", "builtins.int", "builtins.NoneType"})
UNMEASURED = "no numbers of it were kept, so the difference was not measured"


@dataclass(frozen=True)
class Comparing:
    """What the things of a run are compared with.

    Attributes
    ----------
    tolerance
        The largest difference of numbers that counts as none (`differences`).
    before, after
        Where the numbers of the run and of its replay were kept.
    valued
        Whether the record says what names stood for; those of an older cellops do not.
    clock_read
        Whether a cell of the slice reads the clock: one that it defines may say the time in another.
    """

    tolerance: float
    before: Kept
    after: Kept
    valued: bool = True
    clock_read: bool = False

    def cell(
        self,
        before: CellRecord,
        after: CellRecord | None,
        of_run: Iterable[Comparison] | None = None,
        needed: Collection[str] | None = None,
    ) -> CellProof:
        """The proof of one cell.

        Parameters
        ----------
        of_run
            Comparisons of the run, where the cell is the one that is verified.
        needed
            The names of it that the run can depend on; None for all.
        """
        shown = () if after is None else self._shown(before, after, is_run=of_run is not None)
        made: Sequence[Comparison] = () if after is None else [*self._all(before, after), *(of_run or ()), *shown]
        made = made if of_run is None else counting_all(made)
        made = made if needed is None else [_if_needed(one, needed) for one in made]
        return CellProof(
            order=before.order,
            execution_count=before.execution_count,
            source=before.source,
            verdict=worst(made) if after is not None else Verdict.NOT_COMPARED,
            executed=after is not None,
            seconds_before=before.duration,
            seconds_after=after.duration if after is not None else 0.0,
            comparisons=tuple(made),
        )

    def _all(self, before: CellRecord, after: CellRecord) -> Iterator[Comparison]:
        yield _outcome(before, after)
        yield from files(before.files, after.files)
        now = {value.name: value for value in after.values}
        for value in before.values:
            yield self.value(value, now.pop(value.name, None))
        for value in now.values():
            yield self._only_now(value)

    def _shown(self, before: CellRecord, after: CellRecord, *, is_run: bool) -> Iterator[Comparison]:
        """What the cell displays, as far as the record tells."""
        if before.outputs is not None and after.outputs is not None:
            counts = is_run or not any(_is_product(value) for value in before.values)
            timed = self.clock_read or tells_time(before.source)
            yield from outputs(before.outputs, after.outputs, self.tolerance, counts=counts, timed=timed)

    def _only_now(self, value: ValueSeen) -> Comparison:
        """A name that only the record of now speaks of."""
        base = Comparison(kind="value", name=value.name, verdict=Verdict.DIVERGED, after=value.shown)
        if self.valued:
            return base.replace(before="the cell did not bind it")
        return base.replace(verdict=Verdict.NOT_COMPARED, note="the record does not say what it stood for")

    def value(self, before: ValueSeen, after: ValueSeen | None) -> Comparison:
        """What a name stood for, then and now."""
        base = Comparison(kind="value", name=before.name, verdict=Verdict.DIVERGED, before=before.shown)
        if after is None:
            return base.replace(after="the cell did not bind it")
        base = base.replace(after=after.shown)
        if before.type != after.type:
            return base.replace(note=f"{before.type} then, {after.type} now")
        if before.covered is Covered.CODE and after.covered is Covered.CODE:
            if before.digest is None and after.digest is not None and before.shown == after.shown:
                note = "the record does not say what it keeps"
                return base.replace(verdict=Verdict.NOT_COMPARED, note=note)
            same = (before.shown, before.digest) == (after.shown, after.digest)
            apart = tuple(name for name in before.parts if before.parts[name] != after.parts.get(name))
            note = "by its source" if before.digest is None else ""
            return base.replace(verdict=Verdict.IDENTICAL if same else Verdict.DIVERGED, parts=apart, note=note)
        if before.digest is None or after.digest is None:
            return base.replace(verdict=Verdict.NOT_COMPARED, note=before.reason or after.reason or "")
        return self._content(base, before, after)

    def _content(self, base: Comparison, before: ValueSeen, after: ValueSeen) -> Comparison:
        if before.covered is Covered.SAMPLED and after.sample is not None:
            after = after.replace(covered=Covered.SAMPLED, digest=after.sample, reason=before.reason)
        if before.covered is not after.covered:
            note = f"{before.covered} then, {after.covered} now: {before.reason or after.reason}"
            return base.replace(verdict=Verdict.NOT_COMPARED, note=note)
        if before.digest == after.digest:
            verdict = Verdict.IDENTICAL if before.reason == after.reason else Verdict.NOT_COMPARED
            return base.replace(verdict=verdict, difference=0.0, note=before.reason or "")
        if before.number is not None and after.number is not None:
            found = difference(before.number, after.number)
            return base.replace(difference=found) if INTEGER.search(before.type) else self._numbers(base, found)
        apart = tuple(name for name, digest in before.parts.items() if after.parts.get(name) != digest)
        apart += tuple(name for name in after.parts if name not in before.parts)
        unmeasured = UNMEASURED if None in {before.numbers, after.numbers} and _has_parts(before) else ""
        base = base.replace(parts=apart, note=before.reason or unmeasured)
        then, now = self._kept(before, self.before), self._kept(after, self.after)
        base = _pointed(base, farthest(then, now))
        measured = differences(then, now)
        if not measured or not _tells_all(before, after, apart, measured):
            return base
        return self._numbers(base, max(measured.values()))

    def _numbers(self, base: Comparison, found: float) -> Comparison:
        close = found <= self.tolerance
        return base.replace(
            verdict=Verdict.WITHIN_TOLERANCE if close else Verdict.DIVERGED,
            difference=None if found == NO_MEASURE else found,
        )

    def metrics(self, kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Comparison]:
        """Parameters or metrics by name."""
        for name in dict.fromkeys((*before, *after)):
            base = Comparison(
                kind=kind, name=name, verdict=Verdict.DIVERGED, before=_shown(before, name), after=_shown(after, name)
            )
            one, other = before.get(name), after.get(name)
            if name in before and name in after and type(one) is type(other) is float:
                found = difference(one, other)
                yield self._numbers(base, found) if found else base.replace(verdict=Verdict.IDENTICAL, difference=0.0)
            else:
                same = name in before and name in after and type(one) is type(other) and one == other
                yield base.replace(verdict=Verdict.IDENTICAL) if same else base

    @staticmethod
    def _kept(seen: ValueSeen, kept: Kept) -> "dict[str, Array]":
        content = kept(seen.numbers) if seen.numbers is not None else None
        try:
            return {} if content is None else unpack(content)
        except ValueError:
            return {}


def _has_parts(value: ValueSeen) -> bool:
    return value.type not in SCALARS and value.number is None


def _is_product(value: ValueSeen) -> bool:
    """Whether a name is something that a cell has made, and can be compared."""
    return value.covered not in {Covered.CODE, Covered.NOTHING}


def _if_needed(one: Comparison, needed: Collection[str]) -> Comparison:
    """The comparison; a name that differs and that nothing further down reads says nothing of the run."""
    same = one.verdict in {Verdict.IDENTICAL, Verdict.NOT_COMPARED}
    if same or one.kind != "value" or one.name.partition(".")[0] in needed:
        return one
    note = "it differs, and the run depends on nothing behind this cell that reads it"
    return one.replace(verdict=Verdict.NOT_COMPARED, note=note)


def _pointed(base: Comparison, found: tuple[str, float, float] | None) -> Comparison:
    """The comparison with the two numbers that lie farthest apart."""
    if found is None:
        return base
    where, then, now = found
    return base.replace(before=f"{base.before}, {where} = {then:.9g}", after=f"{base.after}, {where} = {now:.9g}")


def _tells_all(seen: ValueSeen, now: ValueSeen, apart: Iterable[str], measured: Collection[str]) -> bool:
    """Whether the numbers are all that differs."""
    if seen.rest is not None:
        return seen.rest == now.rest
    return not seen.parts or (len(seen.parts) < MOST_PARTS and bool(apart) and set(apart) <= set(measured))


def worst(made: Iterable[Comparison]) -> Verdict:
    """The verdict of several comparisons; what could not be compared is listed and spoils none."""
    found = [one.verdict for one in made if one.verdict is not Verdict.NOT_COMPARED]
    return max(found, key=RANKS.__getitem__) if found else Verdict.NOT_COMPARED


def _outcome(before: CellRecord, after: CellRecord) -> Comparison:
    then, now = _ending(before), _ending(after)
    return Comparison(
        kind="outcome",
        name="ends",
        verdict=Verdict.IDENTICAL if then == now else Verdict.DIVERGED,
        before=then,
        after=now,
    )


def _ending(record: CellRecord) -> str:
    """How a cell ended; an error by its type and line, for its message may name an address in memory."""
    if record.error is None:
        return str(record.outcome.value)
    line = f" in line {record.error.line}" if record.error.line is not None else ""
    return f"fails with {record.error.type}{line}"


def _shown(values: Mapping[str, Any], name: str) -> str:
    return repr(values[name]) if name in values else "there was none"
