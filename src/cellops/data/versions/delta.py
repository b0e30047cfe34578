from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellops.errors import DataError, UsageError

if TYPE_CHECKING:
    from deltalake import DeltaTable


def delta_table(folder: Path, version: str) -> "DeltaTable":
    """A Delta table as it stood at a version, with all files of that version still there.

    Parameters
    ----------
    folder
        Of the table.
    version
        Its number, as a text.

    Raises
    ------
    UsageError
        When deltalake is not installed.
    DataError
        When there is no such table or version any more, or its files were removed.

    References
    ----------
    Armbrust et al., Delta Lake: high-performance ACID table storage over cloud object stores, PVLDB 13 (2020),
    section 4.1, time travel.
    """
    try:
        import deltalake
    except ImportError as error:
        fact = f"{folder.name} is a Delta table, which deltalake reads, and deltalake is not installed"
        raise UsageError(fact, remedy='Run: pip install "cellops[delta]"') from error
    if not folder.is_dir():
        fact = f"The Delta table {folder} is gone"
        raise DataError(fact, remedy="Put it back where it was", path=str(folder))
    try:
        table = deltalake.DeltaTable(folder, version=int(version))
        files = [folder / name for name in _files(table)]
    except (deltalake.exceptions.DeltaError, OSError, ValueError) as error:
        fact = f"The Delta table {folder} has no version {version} any more: {str(error).splitlines()[0]}"
        raise DataError(fact, remedy="Restore its log, _delta_log, from a backup", path=str(folder)) from error
    gone = [file for file in files if not file.exists()]
    if gone:
        fact = f"{len(gone)} of {len(files)} files of version {version} of the Delta table {folder} were removed"
        remedy = (
            "They may have been vacuumed: restore them from a backup, and keep versions longer than runs are proven"
        )
        raise DataError(fact, remedy=remedy, path=str(gone[0]))
    return table


def _files(table: Any) -> list[str]:
    """The files of a version, relative to the table; only its own path stands encoded in their addresses."""
    root = table.table_uri.removeprefix("file://").rstrip("/") + "/"
    return [uri.removeprefix("file://").removeprefix(root) for uri in table.file_uris()]
