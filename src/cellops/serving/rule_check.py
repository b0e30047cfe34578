"""The rows of a request held against the rules of a contract that reject or warn."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cellops.data.decoder import Columns, unseen
from cellops.data.expectations import RowChecker, broken_rows, check
from cellops.data.problems import Problem, row_numbers
from cellops.errors import InputError
from cellops.records.contract import Action, Contract, Expectation, Suite
from cellops.records.expectation import ExpectationResult
from cellops.serving.metrics import ModelMetrics

Rows = npt.NDArray[np.intp]
NO_ROWS: Rows = np.empty(0, dtype=np.intp)


class RuleCheck:
    """The rules of a contract on its inputs, ready for requests; rules that impute are not among them."""

    def __init__(self, contract: Contract, metrics: ModelMetrics) -> None:
        self._schema = contract.schema
        self._metrics = metrics
        self._has_categories = any(field.categories is not None for field in contract.schema.inputs)
        suite = contract.suite or Suite(name="none")
        kept = tuple(rule for rule in suite.expectations if rule.action is not Action.IMPUTE)
        names = [field.name for field in contract.schema.inputs]
        self._checker = RowChecker(suite.replace(expectations=kept), names)

    def warnings(self, columns: Columns, rows: int, numbers: Rows | None = None) -> list[str]:
        """Refuse rows that break a rule that rejects; say what else is odd.

        Parameters
        ----------
        columns
            Typed columns of `rows` rows.
        numbers
            The numbers of these rows in their request, where they are some of it.

        Raises
        ------
        InputError
            Naming the rows and the rules.
        """
        return [*self._broken(columns, rows, numbers), *self._unseen(columns)]

    def refused_rows(self, columns: Columns) -> Rows:
        """Every row that breaks a rule that rejects."""
        rules = [rule for rule in self._checker.suite.expectations if rule.on_breach is Action.REJECT]
        broken = [broken_rows(rule, columns) for rule in rules]
        return np.unique(np.concatenate(broken)) if broken else NO_ROWS

    def _broken(self, columns: Columns, rows: int, numbers: Rows | None) -> list[str]:
        suite = self._checker.suite
        if not suite.expectations or self._checker.surely_hold(columns, rows):
            return []
        failures = [_numbered(failure, numbers) for failure in check(suite, columns).failures()]
        for failure in failures:
            rule = failure.expectation
            self._metrics.count_failures(rule.rule, rule.columns[0], rule.severity.value, failure.failed)
        refused = [failure for failure in failures if failure.expectation.on_breach is Action.REJECT]
        if refused:
            raise _refusal(refused)
        return [
            f"{f.expectation.rule} {','.join(f.expectation.columns)}: {row_numbers(f.failed_rows, f.failed)}"
            for f in failures
        ]

    def _unseen(self, columns: Columns) -> list[str]:
        found = unseen(self._schema, columns) if self._has_categories else {}
        for column, categories in found.items():
            strange = set(categories)
            self._metrics.count_unseen(column, sum(value in strange for value in columns[column].tolist()))
        return [f"unseen category in {column}" for column in found]


def _numbered(result: ExpectationResult, numbers: Rows | None) -> ExpectationResult:
    if numbers is None:
        return result
    return result.replace(failed_rows=tuple(int(numbers[row]) for row in result.failed_rows))


def _refusal(failures: Sequence[ExpectationResult]) -> InputError:
    """One error for the rules that are broken; it names rows, never their values."""
    remedy, problems = "Correct the rows, or leave them out", []
    for result in failures:
        rule = result.expectation
        where = row_numbers(result.failed_rows, result.failed).capitalize()
        fact = f"{where}: {', '.join(rule.columns)} {breach(rule)}"
        problems.append(Problem(rule.columns[0], tuple(result.failed_rows), fact, remedy))
    first = failures[0]
    return InputError(
        "; ".join(problem.fact for problem in problems),
        remedy=remedy,
        column=first.expectation.columns[0],
        rows=list(first.failed_rows),
        rule=first.expectation.rule,
        reason=first.expectation.reason,
        problems=problems,
    )


def breach(rule: Expectation) -> str:
    """That a rule is broken, with what it demands and why."""
    given = ", ".join(f"{name}={value}" for name, value in rule.arguments.items())
    reason = f" ({rule.reason})" if rule.reason else ""
    return f"breaks {rule.rule}{f' [{given}]' if given else ''}{reason}"
