"""The journal of a sweep: who may write it, and what one that goes on is told by it."""

from pathlib import Path

import pytest

from cellops.errors import UsageError
from cellops.pipeline.sweep.ledger import History, Ledger
from cellops.records.run import RunStatus
from cellops.records.sweep import SweepEnded
from support.sweeps import BEGUN


def test_one_process_at_a_time_goes_on_with_a_sweep(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, BEGUN)
    with pytest.raises(UsageError, match="The sweep n is still going on"):
        Ledger(tmp_path, BEGUN)
    ledger.close()
    Ledger(tmp_path, BEGUN).close()


def test_what_was_asked_last_holds_and_whether_it_ended_is_known(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, BEGUN)
    ledger.append(SweepEnded(sweep="s", ended=1.0, status=RunStatus.KILLED))
    found = History.read(ledger.path)
    assert found is not None
    assert (found.begun.trials, found.is_ended) == (4, True)
    ledger.append(BEGUN.replace(trials=9, prune=True))
    found = History.read(ledger.path)
    ledger.close()
    assert found is not None
    assert (found.begun.trials, found.begun.prune, found.is_ended) == (9, True, False)
