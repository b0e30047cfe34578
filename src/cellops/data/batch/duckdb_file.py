"""A table in a file of DuckDB."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cellops.data.batch.chunk import CHUNK_ROWS
from cellops.data.batch.files import said
from cellops.data.summary.batches import fitting_rows
from cellops.errors import InputError, NotFoundError, UsageError

DIVIDER = "::"


@dataclass(frozen=True)
class DuckDBTable:
    """Where a table or view stands."""

    path: Path
    table: str

    @property
    def name(self) -> str:
        return f"{self.path.name}{DIVIDER}{self.table}"

    @property
    def quoted(self) -> str:
        """The table in a statement, whatever its name holds."""
        parts = self.table.split(".")
        return ".".join('"' + part.replace('"', '""') + '"' for part in parts)

    def is_same(self, other: "DuckDBTable") -> bool:
        """Whether two names are of one table."""
        one, another = (each.table.lower().removeprefix("main.") for each in (self, other))
        return one == another and self.path.resolve() == other.path.resolve()

    @contextmanager
    def opened(self, *, read_only: bool) -> Iterator[Any]:
        """A connection to the file.

        Raises
        ------
        NotFoundError
            When it is to be read and is not there.
        UsageError
            When DuckDB is not installed.
        InputError
            When it cannot be opened: it is no database, or another process writes to it.
        """
        try:
            import duckdb
        except ImportError as error:
            fact = "DuckDB is not installed"
            raise UsageError(fact, remedy='Run: pip install "cellops[duckdb]"') from error
        if read_only and not self.path.is_file():
            fact = f"There is no file {self.path}"
            raise NotFoundError(fact, remedy="Give a database of DuckDB and a table in it: FILE::TABLE")
        try:
            connection = duckdb.connect(str(self.path), read_only=read_only)
        except duckdb.Error as error:
            fact = f"{self.path.name} cannot be opened: {said(error)}"
            raise InputError(fact, remedy="Give a database of DuckDB that no other process writes to") from error
        try:
            yield connection
        finally:
            connection.close()

    def rows(self) -> int:
        """How many rows it has."""
        with self.opened(read_only=True) as connection:
            self._require(connection)
            rows: int = connection.execute(f"SELECT count(*) FROM {self.quoted}").fetchone()[0]  # noqa: S608 - quoted
            return rows

    def tables(self, rows: int | None) -> Iterator[Any]:
        """Its rows in the order of the table, as tables of Arrow; one at least."""
        import pyarrow as pa

        with self.opened(read_only=True) as connection:
            self._require(connection)
            relation = connection.sql(f"SELECT * FROM {self.quoted}")  # noqa: S608 - quoted
            size = rows or min(CHUNK_ROWS, fitting_rows(len(relation.columns)))
            reader = getattr(relation, "to_arrow_reader", None) or relation.fetch_record_batch
            batches, any_read = reader(size), False
            for batch in batches:
                for begin in range(0, batch.num_rows, size):
                    yield pa.Table.from_batches([batch.slice(begin, size)])
                    any_read = True
            if not any_read:
                yield pa.Table.from_batches([], batches.schema)

    def _require(self, connection: Any) -> None:
        import duckdb

        try:
            connection.execute(f"SELECT 1 FROM {self.quoted} LIMIT 0")  # noqa: S608 - quoted
        except duckdb.Error as error:
            names = [row[0] for row in connection.execute("SHOW TABLES").fetchall()]
            fact = f"{self.path.name} has no table {self.table}"
            raise NotFoundError(fact, remedy=f"Its tables are: {', '.join(names) or 'none'}") from error


def duckdb_table(place: str) -> DuckDBTable | None:
    """The table that `FILE::TABLE` names; None where a place is of another kind.

    >>> duckdb_table("flights.duckdb::late"), duckdb_table("flights.csv")
    (DuckDBTable(path=PosixPath('flights.duckdb'), table='late'), None)
    """
    path, divided, table = place.rpartition(DIVIDER)
    if not divided:
        return None
    if not path or not table:
        fact = "A table of DuckDB is named by its file and its name"
        raise UsageError(fact, received=place, remedy="Write FILE::TABLE, such as flights.duckdb::april")
    return DuckDBTable(Path(path), table)
