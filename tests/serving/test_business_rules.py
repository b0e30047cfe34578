"""The operator's own function on answers: it adjusts them or refuses rows, over every protocol."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cellops.errors import RefusedRowsError, UsageError
from cellops.monitoring import prediction_log
from cellops.serving.business_rules import BusinessRules, Proposal, read_rules
from cellops.serving.policies import Declared
from support.loaded import ROW, asked_everywhere, loaded
from support.policies import handled, on
from support.wire import Wire

NEAR, FAR = ROW | {"distance": 200.0}, ROW | {"distance": 1900.0}


@contextmanager
def ruled(function: Any, folder: Path | None = None, *, task: str = "regression") -> Iterator[Wire]:
    with on(loaded(task=task), Declared(rules=BusinessRules(function)), folder) as wire:
        yield wire


def cap(proposal: Proposal) -> Any:
    proposal.labels[proposal.columns["distance"] > 1000] = 20.0
    return proposal.labels


def test_adjusted_answers_are_said_counted_timed_and_logged_beside_the_models_own(tmp_path: Path) -> None:
    with on(loaded()) as bare:
        near, far = asked_everywhere(bare, [NEAR, FAR])[1]
    with ruled(cap, tmp_path) as wire:
        assert asked_everywhere(wire, [NEAR, FAR]) == (200, [near, 20.0], "adjusted: row 1")
        assert handled(wire) == {("adjusted", ""): 3}
        assert asked_everywhere(wire, [NEAR]) == (200, [near], "")
        assert b'cellops_rules_seconds_count{model="delays",version="delays diges"} 6.0' in wire.read("/metrics")[2]
    log = prediction_log.read(tmp_path)
    assert log["label"].tolist()[:2] == [near, 20.0]
    assert log["handled"].tolist()[1] == f"adjusted from {far}"


def test_nothing_returned_changes_nothing_and_the_function_cannot_change_the_rows() -> None:
    seen = []

    def look(proposal: Proposal) -> None:
        seen.append((proposal.model, sorted(proposal.columns), proposal.probabilities))
        proposal.labels[:] = 0

    with ruled(look) as wire, on(loaded()) as bare:
        assert asked_everywhere(wire, [FAR]) == asked_everywhere(bare, [FAR])
    assert seen[0] == ("delays", ["carrier", "distance", "hour", "night"], None)

    def change(proposal: Proposal) -> None:
        proposal.columns["distance"][:] = 0  # type: ignore[index]

    with ruled(change) as wire:
        assert asked_everywhere(wire, [FAR])[1]["code"] == "inference"


def test_refused_rows_are_named_with_the_operators_words() -> None:
    def refuse(proposal: Proposal) -> None:
        far = np.flatnonzero(proposal.columns["distance"] > 1000)
        if len(far):
            fact = "Trips of more than 1000 miles are not insured"
            raise RefusedRowsError(fact, remedy="Ask the desk", rows=far)

    with ruled(refuse) as wire:
        status, error, _ = asked_everywhere(wire, [NEAR, FAR])
        assert (status, error) == (400, {"code": "refused-rows", "rows": [1]} | error)
        assert error["error"] == "Trips of more than 1000 miles are not insured. Ask the desk"
        assert handled(wire) == {("refused by the rules", ""): 3}
        assert asked_everywhere(wire, [NEAR])[0] == 200


def test_classes_of_other_lengths_and_probabilities_may_be_given() -> None:
    def late(proposal: Proposal) -> Any:
        assert proposal.probabilities is not None
        return ["late"] * len(proposal.labels), np.tile([0.0, 1.0], (len(proposal.labels), 1))

    with ruled(late, task="classification") as wire:
        assert asked_everywhere(wire, [NEAR, FAR])[1] == ["late", "late"]


@pytest.mark.parametrize(
    "given", [[1.0], [np.nan, 1.0], ["soon", "later"], (np.ones(2), np.ones((2, 2)), 3), 5.0, [[1.0, 2.0]]]
)
def test_what_is_no_answer_is_an_error_with_an_id_and_never_told_to_the_client(given: Any) -> None:
    with ruled(lambda _proposal: given) as wire:
        status, error, _ = asked_everywhere(wire, [NEAR, FAR])
        assert (status, error["code"]) == (500, "inference")
        assert "soon" not in str(error)


@pytest.mark.parametrize("error", [KeyError, SystemExit, StopIteration])
def test_a_function_that_fails_is_an_error_with_an_id(error: type[BaseException]) -> None:
    def fail(_proposal: Proposal) -> None:
        message = "a secret"
        raise error(message)

    with ruled(fail) as wire:
        status, told, _ = asked_everywhere(wire, [NEAR])
        assert (status, len(told["error_id"])) == (500, 32)
        assert "secret" not in str(told)


def test_rules_are_read_from_the_current_folder_and_not_from_a_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "house_rules_here.py").write_text("def adjust(proposal):\n    return None\nlimit = 3\n")
    (tmp_path / "house_rules_broken.py").write_text("import nothing_like_this\n")
    package = tmp_path / "package"
    package.mkdir()
    (package / "house_rules_theirs.py").write_text("raise SystemExit\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert isinstance(read_rules("house_rules_here:adjust", [package]), BusinessRules)
    for named, said in (
        ("house_rules_here", "is not MODULE:FUNCTION"),
        ("house_rules_here:limit", "has no function limit"),
        ("house_rules_broken:adjust", "cannot be imported: ModuleNotFoundError"),
        ("house_rules_nowhere:adjust", "cannot be imported"),
    ):
        with pytest.raises(UsageError, match=said):
            read_rules(named, [package])
    monkeypatch.chdir(package)
    with pytest.raises(UsageError, match="lies in the package"):
        read_rules("house_rules_theirs:adjust", [package])
