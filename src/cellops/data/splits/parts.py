"""The parts of a table by their names, with the record from which they can be made again."""

from collections.abc import Iterator, Mapping
from typing import Any

from cellops.errors import NotFoundError
from cellops.records.finding import Finding
from cellops.records.split import SplitRecord


class Parts:
    """What a split gives: tables in the order of the parts, and by their names.

    Parameters
    ----------
    tables
        For each part its rows, in the type of the table that was divided.
    record
        What they can be made from again.

    Examples
    --------
    >>> from cellops.records.split import SplitPlan, TableContent
    >>> plan = SplitPlan(kind="random", version=1, parts=("train", "test"))
    >>> record = SplitRecord(plan=plan, whole=TableContent(rows=3, columns=()), parts={})
    >>> parts = Parts({"train": [1, 2], "test": [3]}, record)
    >>> train, test = parts
    >>> parts.test is test is parts["test"]
    True
    """

    def __init__(self, tables: Mapping[str, Any], record: SplitRecord) -> None:
        self._tables = dict(tables)
        self.record = record

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the parts."""
        return tuple(self._tables)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was noticed while dividing."""
        return self.record.findings

    def __iter__(self) -> Iterator[Any]:
        return iter(self._tables.values())

    def __len__(self) -> int:
        return len(self._tables)

    def __getitem__(self, name: str) -> Any:
        if name not in self._tables:
            fact = f"There is no part {name}"
            raise NotFoundError(fact, remedy=f"The parts are: {', '.join(self._tables)}")
        return self._tables[name]

    def __getattr__(self, name: str) -> Any:
        tables: dict[str, Any] = self.__dict__.get("_tables", {})
        if name not in tables:
            fact = f"there is no part {name}; the parts are: {', '.join(tables)}"
            raise AttributeError(fact)
        return tables[name]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._tables]

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name} {content.rows:,} rows" for name, content in self.record.parts.items())
        lines = [f"{self.record.told()}: {sizes}"]
        return "\n".join([*lines, *(f"{f.severity.value}: {f.seen}. {f.remedy}" for f in self.findings)])
