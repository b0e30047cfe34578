"""The thread that judges rollouts outlives whatever befalls one of them, and says it once."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cellops.records.rollout import Decision, Evidence, RolloutState, SlotPackage, Strategy
from cellops.serving.division import Traffic
from cellops.serving.rollout import rollout
from cellops.serving.rollout.files import RolloutFiles
from cellops.serving.rollout.rollout import Rollout
from cellops.serving.rollout.rollouts import Rollouts
from cellops.serving.strategies.strategy import Slot
from support.loaded import loaded
from support.logs import until


def test_a_rollout_that_fails_keeps_no_other_from_being_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    looks: list[str] = []

    def follow(rollout: Rollout, _models: object) -> None:
        looks.append(rollout.name)
        if rollout.name == "first":
            raise ZeroDivisionError

    monkeypatch.setattr(Rollout, "follow", follow)
    nothing: Any = None
    rollouts = Rollouts(lambda name: tmp_path / name, 1.0, nothing, nothing)
    with rollouts.watched(lambda: {"first": (), "second": ()}):
        until(lambda: looks.count("second") == 3)
    said = [record.getMessage() for record in caplog.records]
    assert said == ["The rollout of first stays as it is: ZeroDivisionError"]


class Full(RolloutFiles):
    """Files on a disk without room."""

    def count(self, since: float, evidence: Evidence) -> None:
        raise OSError(28, "No space left on device")

    def note(self, decision: Decision) -> None:
        raise OSError(28, "No space left on device")


def test_a_full_disk_keeps_no_challenger_at_work_that_only_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    models: list[Any] = [
        SimpleNamespace(digest=digest, name="trips", version=digest, package=loaded())
        for digest in ("challenger", "champion")
    ]
    challenger, champion = (SlotPackage(path="", version=each.digest, digest=each.digest) for each in models)
    state = RolloutState(
        model="trips", strategy=Strategy.CANARY, champion=champion, challenger=challenger, share=50, since=1.0
    )
    RolloutFiles(tmp_path).write(state)
    monkeypatch.setattr(rollout, "RolloutFiles", Full)
    put: list[Traffic] = []
    nothing: Any = None
    rollouts = Rollouts(lambda _: tmp_path, 60.0, lambda _, traffic: put.append(traffic), nothing)
    put.append(rollouts.of("trips").open(models, None) or nothing)
    for number in range(200):
        for slot in Slot:
            put[0].ledger.begin(f"{number}", slot)
        put[0].ledger.answered(f"{number}", Slot.CHAMPION)
        put[0].ledger.failed(f"{number}", Slot.CHALLENGER)
    with rollouts.watched(lambda: {"trips": models}):
        until(lambda: len(put) > 1)
    assert (put[-1].champion, put[-1].challenger) == ("champion", None)
    said = [record.getMessage() for record in caplog.records]
    assert "The rollout of trips cannot be written: No space left on device" in said
