"""The rules on the rows and columns of a table."""

from dataclasses import dataclass

from cellops.data.expectations.bounds import ObservedRule
from cellops.data.expectations.rule import ColumnRule, Judgement, Rule, require_list, require_type
from cellops.data.expectations.table import Table

EXAMPLE = 'For example: ["flight", "day"]'


@dataclass(frozen=True)
class ColumnExists(ColumnRule):
    """There is such a column; with `column_index`, at this place, counted from 0."""

    column_index: int | None = None

    name = "expect_column_to_exist"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.column_index is not None:
            require_type("column_index", self.column_index, int, "Give its place, counted from 0")

    def judge(self, table: Table) -> Judgement:
        if self.column_index is None:
            return Judgement(table.rows, holds=self.column in table)
        there = list(table.names)[self.column_index : self.column_index + 1 or None]
        return Judgement(table.rows, holds=there == [self.column])


@dataclass(frozen=True)
class RowCountBetween(ObservedRule):
    """The number of rows lies between the bounds."""

    name = "expect_table_row_count_to_be_between"

    def observe(self, table: Table) -> float:
        return table.rows


@dataclass(frozen=True)
class RowCountEquals(Rule):
    """The number of rows is this one."""

    value: int

    name = "expect_table_row_count_to_equal"

    def __post_init__(self) -> None:
        require_type("value", self.value, int, "For example: value=1000")

    def judge(self, table: Table) -> Judgement:
        return Judgement(table.rows, holds=table.rows == self.value, observed=table.rows)


@dataclass(frozen=True)
class ColumnCountBetween(ObservedRule):
    """The number of columns lies between the bounds."""

    name = "expect_table_column_count_to_be_between"

    def observe(self, table: Table) -> float:
        return len(table.names)


@dataclass(frozen=True)
class ColumnCountEquals(Rule):
    """The number of columns is this one."""

    value: int

    name = "expect_table_column_count_to_equal"

    def __post_init__(self) -> None:
        require_type("value", self.value, int, "For example: value=12")

    def judge(self, table: Table) -> Judgement:
        return Judgement(table.rows, holds=len(table.names) == self.value, observed=len(table.names))


@dataclass(frozen=True)
class ColumnsMatchSet(Rule):
    """The columns are these in any order; without `exact_match` there may be others beside them."""

    column_set: list[str]
    exact_match: bool = True

    name = "expect_table_columns_to_match_set"

    def __post_init__(self) -> None:
        require_list("column_set", self.column_set, str, EXAMPLE)
        require_type("exact_match", self.exact_match, bool, "Leave it out where no other column may be there")

    def judge(self, table: Table) -> Judgement:
        found, wanted = set(table.names), set(self.column_set)
        holds = found == wanted if self.exact_match else wanted <= found
        return Judgement(table.rows, holds=holds, observed=_listed(table))


@dataclass(frozen=True)
class ColumnsMatchList(Rule):
    """The columns are these in this order."""

    column_list: list[str]

    name = "expect_table_columns_to_match_ordered_list"

    def __post_init__(self) -> None:
        require_list("column_list", self.column_list, str, EXAMPLE)

    def judge(self, table: Table) -> Judgement:
        return Judgement(table.rows, holds=list(table.names) == self.column_list, observed=_listed(table))


def _listed(table: Table) -> str:
    return ", ".join(map(str, table.names))
