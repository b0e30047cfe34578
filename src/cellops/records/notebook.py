from cellops.records.base import Record


class ShownCell(Record, frozen=True, kw_only=True):
    """A code cell as it stands on the page; its source is as it was typed, so this record is kept nowhere."""

    id: str
    source: str


class NotebookShown(Record, frozen=True, kw_only=True):
    """The code cells of a notebook as they stand on the page, in their order; not all need be saved."""

    cells: tuple[ShownCell, ...]
