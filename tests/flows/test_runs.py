"""Which run is meant, and what is said where there is none."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cellops import settings
from cellops.errors import NotFoundError, TrackingError
from cellops.flows.clean import clean, removable
from cellops.flows.progress import journals
from cellops.flows.recorded import recorded
from cellops.flows.runs import runs, show
from cellops.flows.sync import sync
from support.journals import key, run, session
from support.kernel import Kernel
from support.server import free_port


def test_a_silent_store_is_not_taken_for_an_empty_one(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(TrackingError, match="did not answer"):
        runs()
    session(project, "s", *run("local"))
    (found,) = runs()
    assert found.findings[-1].code == "store-unreachable"


def test_a_run_that_was_not_carried_is_shown_without_asking_the_store(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port()}")
    session(project, "s", *run("first", started=1.0), *run("second", started=2.0, metrics={"auc": 0.5}))
    for wanted in ("last", "second", key("second"), key("second")[:8]):
        found = show(wanted)
        assert (found.name, found.synced, found.metrics, found.findings) == ("second", False, {"auc": 0.5}, ())
    assert show("first").name == "first"


def test_last_is_the_newest_of_the_store_and_the_journals(project: Path) -> None:
    session(project, "a", *run("carried", started=2.0))
    sync()
    session(project, "b", *run("older", started=1.0))
    assert show("last").name == "carried"
    session(project, "c", *run("newer", started=3.0))
    assert show("last").name == "newer"


def test_without_runs_last_says_how_to_begin(project: Path) -> None:
    with pytest.raises(NotFoundError, match="None has been recorded yet: begin a cell with %%mlops run"):
        show("last")


def test_too_few_digits_of_a_key_are_named_as_the_reason(project: Path) -> None:
    session(project, "s", *run("trained"))
    with pytest.raises(NotFoundError, match=r"is too short for a key\. Give at least 4 digits$"):
        show(key("trained")[:3])
    assert show(key("trained")[:4]).name == "trained"


def test_asking_for_a_run_that_was_not_carried_imports_no_mlflow(project: Path) -> None:
    session(project, "s", *run("trained"))
    script = "import sys, cellops; print(cellops.show('last').name, 'mlflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["trained", "False"]


def test_runs_that_only_the_local_store_has_are_compared_without_mlflow(project: Path) -> None:
    session(project, "s", *run("first"), *run("second"))
    sync()
    clean(removable())
    assert journals(settings.load()) == []
    script = "import sys, cellops; print(cellops.compare('first', 'second').after, 'mlflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "False"


def test_a_record_that_the_local_store_has_lost_is_said_to_be_missing(project: Path) -> None:
    session(project, "s", *run("first"))
    sync()
    clean(removable())
    shutil.rmtree(settings.load().folder / "artifacts")
    with pytest.raises(NotFoundError, match="has no artifact cellops"):
        recorded("first", settings.load(), lambda: project)


def test_status_says_once_what_holds_of_every_run(loaded: Kernel) -> None:
    for name in ("first", "second"):
        loaded.run(f"%%mlops run --name {name}\nvalue = 1 / 2")
    shown = loaded.run("%mlops status").streams
    assert shown.count("no-repository") == 1
    assert "run first, run second" in shown
