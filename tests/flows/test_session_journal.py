"""What several threads of a kernel say at once is written once."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from cellops import settings
from cellops.capture.journal import read
from cellops.flows.session_journal import SessionJournal
from cellops.records.cell import CellRecord
from cellops.records.run import SessionOpened
from support.journals import cell

THREADS, CELLS = 4, 200


def test_cells_that_end_at_once_are_each_written_once(project: Path) -> None:
    begun = SessionOpened(session="s", pid=os.getpid(), started=1.0, version="0", project=str(project))
    journal = SessionJournal(settings.load(), begun, lambda: (), pytest.fail)
    together = Barrier(THREADS)

    def write(thread: int) -> None:
        together.wait()
        for place in range(CELLS):
            journal.write(cell(thread * CELLS + place + 1))

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(write, range(THREADS)))
    journal.close()
    orders = [event.order for event, _ in read(journal.path) if isinstance(event, CellRecord)]
    assert sorted(orders) == list(range(1, THREADS * CELLS + 1))
