"""What is found in the rows of a chunk, counted for the report."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from cellops.data.batch.chunk import Chunk
from cellops.data.decoder import Columns, unseen
from cellops.data.expectations import RowChecker, broken_rows, check
from cellops.packaging.load import LoadedPackage
from cellops.records.batch import MOST_EXAMPLES, BatchReport, ProblemCount
from cellops.records.contract import Action, Suite
from cellops.records.finding import Severity
from cellops.serving.handling import SEPARATOR, Handling
from cellops.serving.imputation import Imputation
from cellops.serving.rule_check import Rows, breach

DECIMALS = "decimals, read as numbers of 64 bits"
UNSEEN = "a category that the training data never had"


class Tally:
    """The problems of the rows of one chunk."""

    def __init__(self, package: LoadedPackage, chunk: Chunk) -> None:
        self._package, self._chunk = package, chunk
        self._rows: dict[tuple[str, str, Severity], list[Any]] = {}
        self.rejected: dict[int, tuple[str, str]] = {}
        """Column and problem of each row that has no answer, by its number in the chunk."""

    def bad(self, rows: Iterable[int], column: str, problem: str) -> None:
        """Rows that have no answer; one that has several problems is counted by the first."""
        fresh = [row for row in rows if row not in self.rejected]
        self.rejected.update(dict.fromkeys(fresh, (column, problem)))
        self._count(problem, column, Severity.ERROR, np.array(fresh, dtype=np.intp))

    def check(self, columns: Columns, rows: Rows) -> Rows:
        """Hold typed rows against the rules of the package; gives the places of those that may be answered."""
        contract = self._package.contract
        names = [field.name for field in contract.schema.inputs]
        suite = contract.suite or Suite(name="none")
        kept = tuple(rule for rule in suite.expectations if rule.action is not Action.IMPUTE)
        checker = RowChecker(suite.replace(expectations=kept), names)
        filled = Imputation(contract, names).imputed(columns, Handling())
        good = np.ones(len(rows), dtype=np.bool_)
        for result in () if checker.surely_hold(filled, len(rows)) else check(checker.suite, filled).failures():
            rule = result.expectation
            places = broken_rows(rule, filled)
            if rule.on_breach is Action.REJECT:
                good[places] = False
                self.bad(rows[places].tolist(), ", ".join(rule.columns), breach(rule))
            else:
                self._count(breach(rule), ", ".join(rule.columns), Severity.WARNING, rows[places])
        for column, categories in unseen(contract.schema, filled).items():
            strange = np.isin(filled[column].astype(str), categories)
            self._count(UNSEEN, column, Severity.INFO, rows[strange])
        return np.flatnonzero(good)

    def decimals(self, columns: Iterable[str]) -> None:
        """Columns of decimals, whose last digits a number of 64 bits may not hold."""
        for column in columns:
            self._count(DECIMALS, column, Severity.INFO, np.arange(self._chunk.rows))

    def handled(self, rows: Rows, notes: Any) -> None:
        """What was done to rows that are answered."""
        if notes is None:
            return
        said: dict[str, list[int]] = {}
        for row, text in zip(rows.tolist(), notes.tolist(), strict=True):
            for word in text.split(SEPARATOR) if text else ():
                said.setdefault(word, []).append(row)
        for word, numbers in said.items():
            self._count(word, "", Severity.INFO, np.array(numbers))

    def report(self, answered: int) -> BatchReport:
        package, chunk = self._package, self._chunk
        blank = BatchReport(
            package=package.manifest.name, digest=package.digest, source=chunk.file, rows=0, answered=0, set_aside=0
        )
        found = tuple(
            ProblemCount(problem=problem, column=column, severity=severity, rows=len(rows), examples=self._first(rows))
            for (problem, column, severity), parts in self._rows.items()
            for rows in [np.sort(np.concatenate(parts))]
        )
        own = blank.replace(rows=chunk.rows, answered=answered, set_aside=len(self.rejected), problems=found)
        return blank.joined(own)

    def _first(self, rows: Rows) -> tuple[int, ...]:
        return tuple((rows[:MOST_EXAMPLES] + self._chunk.offset).tolist())

    def _count(self, problem: str, column: str, severity: Severity, rows: Any) -> None:
        if len(rows):
            self._rows.setdefault((problem, column, severity), []).append(rows)
