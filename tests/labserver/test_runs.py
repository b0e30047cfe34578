import time

import pytest

from cellops import __version__
from cellops.capture.journal import Journal
from cellops.records.finding import Finding, Severity
from cellops.records.run import RunClosed, RunOpened, RunStatus, SessionClosed, SessionOpened


def write_run(folder, name, *, metrics):
    """A session that trained one run and ended, as the kernel writes it."""
    now = time.time()
    finding = Finding(code="seed", severity=Severity.WARNING, where="In [1]", seen="no seed", remedy="give one")
    journal = Journal(folder / "journal", name)
    journal.append(SessionOpened(session=name, pid=0, started=now, version=__version__, project=str(folder.parent)))
    journal.append(RunOpened(run=name * 4, session=name, name=name, started=now, order=1))
    journal.append(
        RunClosed(run=name * 4, status=RunStatus.FINISHED, ended=now + 2, metrics=metrics, findings=(finding,))
    )
    journal.append(SessionClosed(session=name, ended=now + 3))
    journal.close()


def test_lists_the_runs_of_the_project(server):
    write_run(server.root / ".cellops", "first", metrics={"auc": 0.75})
    status, body = server.get("cellops/runs")
    assert status == 200
    assert body["project"] == "project"
    (run,) = body["runs"]
    assert (run["name"], run["status"], run["synced"]) == ("first", "FINISHED", False)
    assert run["metrics"] == {"auc": 0.75}
    assert run["findings"][0]["remedy"] == "give one"


def test_lists_the_runs_of_the_project_in_which_the_person_works(server):
    (server.root / "inner" / ".cellops").mkdir(parents=True)
    (server.root / "inner" / "notebooks").mkdir()
    write_run(server.root / "inner" / ".cellops", "other", metrics={})
    _, body = server.get("cellops/runs", folder="inner/notebooks")
    assert body["project"] == "inner"
    assert [run["name"] for run in body["runs"]] == ["other"]


def test_limit_holds(server):
    for name in ("one", "two", "three"):
        write_run(server.root / "many" / ".cellops", name, metrics={})
    _, body = server.get("cellops/runs", folder="many", limit=2)
    assert len(body["runs"]) == 2


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "ten", "", "2.0", "٣", "9" * 5000, "0" * 19 + "19"])
def test_a_bad_limit_is_refused(server, limit):
    status, body = server.get("cellops/runs", limit=limit)
    assert status == 400
    assert body["message"] == "limit is not a whole number from 1 to 1000"
    assert "50" in body["remedy"]


@pytest.mark.parametrize("folder", ["..", "a/../../b", "..\\x", "/../"])
def test_a_folder_outside_the_root_is_refused(server, folder):
    status, body = server.get("cellops/runs", folder=folder)
    assert status == 400
    assert "root" in body["message"]


@pytest.mark.parametrize("token", ["", "wrong"])
def test_needs_the_servers_token(server, token):
    assert server.get("cellops/runs", token=token)[0] == 403
