"""The rules of a contract that impute: a value that breaks one is replaced by its default before the model sees it."""

from collections.abc import Sequence

import numpy as np

from cellops.data.arrays import Array
from cellops.data.decoder import Columns
from cellops.data.expectations import RowChecker, broken_rows
from cellops.packaging.defaults import default_column
from cellops.records.contract import Action, Contract, Schema, Suite
from cellops.serving.handling import Handling
from cellops.serving.rule_check import Rows

IMPUTED = "imputed"
NOT_NULL = "expect_column_values_to_not_be_null"


class Imputation:
    """The imputing rules on some columns, one after the other in the order of the suite.

    Parameters
    ----------
    contract
        Its suite has the rules.
    columns
        The columns that are looked at: the inputs, or what is predicted.
    """

    def __init__(self, contract: Contract, columns: Sequence[str]) -> None:
        suite = contract.suite or Suite(name="none")
        self.rules = tuple(
            rule for rule in suite.expectations if rule.action is Action.IMPUTE and rule.columns[0] in columns
        )
        self._defaults = [default_column(rule, contract.schema) for rule in self.rules]
        self._checker = RowChecker(suite.replace(expectations=self.rules), columns)

    def imputed(
        self, columns: Columns, handling: Handling, numbers: Rows | None = None, kind: str = IMPUTED
    ) -> Columns:
        """The columns with defaults where values broke rules; the given arrays stay as they are.

        Parameters
        ----------
        columns
            Typed, all of one length.
        handling
            Takes note of the rows.
        numbers
            The numbers of these rows in their request, where they are some of it.
        kind
            What the note says.
        """
        if not self.rules:
            return columns
        single = len(next(iter(columns.values()))) == 1
        places = self._checker.suspects_of(columns) if single else range(len(self.rules))
        if not places:
            return columns
        filled = dict(columns)
        for place, rule in enumerate(self.rules):
            name = rule.columns[0]
            if place not in places and filled[name] is columns[name]:
                continue
            rows = broken_rows(rule, {name: filled[name]})
            if len(rows):
                filled[name] = _put(filled[name], rows, self._defaults[place])
                handling.note(kind, rows if numbers is None else numbers[rows], of=name)
        return filled


def fills_missing(contract: Contract) -> frozenset[str]:
    """The inputs of which a missing value is imputed."""
    rules = contract.suite.expectations if contract.suite else ()
    inputs = {field.name for field in contract.schema.inputs}
    imputing = {rule.columns[0] for rule in rules if rule.rule == NOT_NULL and rule.action is Action.IMPUTE}
    return frozenset(imputing & inputs)


def widened(schema: Schema, names: frozenset[str]) -> Schema:
    """The schema with missing values allowed in some columns, as requests may have them."""
    fields = [field.replace(nullable=True) if field.name in names else field for field in schema.inputs]
    return schema.replace(inputs=tuple(fields))


def _put(values: Array, rows: Rows, default: Array) -> Array:
    """A copy with the default in some rows, in an array that can hold it."""
    held = np.array(values, dtype=np.result_type(values, default)) if values.dtype.kind in "USif" else values.copy()
    held[rows] = default[0]
    return held
