"""The thread that judges rollouts outlives whatever befalls one of them, and says it once."""

from pathlib import Path
from typing import Any

import pytest

from cellops.serving.rollout.rollout import Rollout
from cellops.serving.rollout.rollouts import Rollouts
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
