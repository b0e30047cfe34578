"""Who is shown what happens in a session."""

from typing import Protocol

from cellops.records.cell import CellRecord
from cellops.records.run import RunSummary


class Observer(Protocol):
    """Who is shown what happens: the page, the notebook."""

    def cell(self, record: CellRecord) -> None: ...

    def run(self, summary: RunSummary) -> None: ...

    def proven(self, summary: RunSummary) -> None: ...

    def warn(self, text: str) -> None: ...
