"""Orders to a server of several workers: all of them carry these out, whoever took them, or it is said who did not."""

import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import httpx
import pytest

from cellops.errors import NotReadyError
from cellops.serving.crew import Crew, bury
from cellops.serving.placement import PlacedPackage, Placement, read_placement
from support.logs import until
from support.processes import children, is_there
from support.rollouts import (
    CHALLENGER,
    CHAMPION,
    NAME,
    Site,
    ask,
    importable,
    load,
    package,
    require_as_logged,
    site,
)
from support.served import build

Found = TypeVar("Found")
BESIDE = ("--workers", "2")
OTHER = "/v2/models/narrow/ready"
STEPS = (("switch", CHALLENGER), ("switch", CHAMPION), ("promote", CHALLENGER), ("rollback", CHAMPION))
"""Orders, and what is answered after each."""
OLD = PlacedPackage(path="a", name="a", digest="1" * 64)
NEW = OLD.replace(digest="2" * 64)


@pytest.fixture(scope="module", autouse=True)
def models() -> Iterator[None]:
    with importable():
        yield


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package(tmp_path_factory.mktemp("champion"), CHAMPION)


@pytest.fixture(scope="module")
def challenger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package(tmp_path_factory.mktemp("challenger"), CHALLENGER)


def by_each(at: Site, question: Callable[[httpx.Client], Found]) -> list[Found]:
    """What each worker answers while all others stand still."""
    workers, found = children(at.server.process.pid), []
    assert len(workers) == 2
    given = {"base_url": at.server.client.base_url, "headers": dict(at.server.client.headers), "trust_env": False}
    for worker in sorted(workers):
        with standing_still(*(workers - {worker})), httpx.Client(**given, timeout=60) as client:
            found.append(question(client))
    return found


@contextmanager
def standing_still(*workers: int) -> Iterator[None]:
    for worker in workers:
        os.kill(worker, signal.SIGSTOP)
    try:
        yield
    finally:
        for worker in filter(is_there, workers):
            os.kill(worker, signal.SIGCONT)


def order(at: Site, path: str, what: dict[str, str] | None = None) -> httpx.Response:
    """Over a connection of its own, which any worker may take."""
    url, headers = f"{at.server.admin}/v2/repository/{path}", dict(at.admin.headers)
    return httpx.post(url, json=what or {}, headers=headers, timeout=60, trust_env=False)


def placed(folder: Path) -> list[str]:
    """The models that all workers are to serve."""
    (file,) = folder.glob("cellops-*/crew/placement")
    return [each["name"] for each in json.loads(file.read_text())["packages"] if each["digest"] is not None]


def test_packages_are_loaded_and_unloaded_by_all_workers_and_by_those_that_come(
    champion: Path, challenger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    build("narrow", tmp_path / "shelf")
    link = tmp_path / "package"
    link.symlink_to(champion)
    load_it, unload_it = (f"models/narrow/{action}" for action in ("load", "unload"))

    def status(client: httpx.Client) -> int:
        return client.get(OTHER).status_code

    words = (*BESIDE, "--models", str(tmp_path / "shelf"))
    with site(link, tmp_path, *words) as at, ThreadPoolExecutor(1) as thread:
        log = at.log / "admin.jsonl"
        assert order(at, load_it).status_code == 200
        assert by_each(at, status) == [200, 200]
        index = order(at, "index").json()
        assert [(each["name"], each["state"]) for each in index] == [(NAME, "READY"), ("narrow", "READY")]

        # One that takes the place of another serves what the others do, and not what the command line says.
        first = children(at.server.process.pid)
        os.kill(min(first), signal.SIGKILL)
        until(lambda: len(children(at.server.process.pid) - {min(first)}) == 2)
        assert by_each(at, status) == [200, 200]

        # One that dies while others carry out an order holds nobody up; the next begins with the new state.
        going = children(at.server.process.pid)
        with standing_still(max(going)):
            answer = thread.submit(order, at, unload_it)
            until(lambda: placed(tmp_path) == [NAME])
            assert not answer.done()
            os.kill(max(going), signal.SIGKILL)
            assert answer.result().status_code == 200
        until(lambda: len(children(at.server.process.pid) - {max(going)}) == 2)
        assert by_each(at, status) == [404, 404]
        assert order(at, load_it).status_code == 200
        assert by_each(at, status) == [200, 200]

        # A signal reaches all of them, and is one action.
        before = len(log.read_text().splitlines())
        link.unlink()
        link.symlink_to(challenger)
        at.server.process.send_signal(signal.SIGHUP)
        (line,) = until(lambda: log.read_text().splitlines()[before:])
        assert (json.loads(line)["who"], json.loads(line)["result"]) == ("SIGHUP", "done")
        assert {answer.value for answer in by_each(at, ask)} == {CHALLENGER}
        assert at.server.stop() == 0


def test_a_rollout_is_changed_in_all_workers_before_the_order_is_answered(
    champion: Path, challenger: Path, tmp_path: Path
) -> None:
    words = (*BESIDE, "--challenger", str(challenger), "--strategy", "blue-green")

    def values() -> set[float | None]:
        return {answer.value for answer in by_each(at, ask)}

    with site(champion, tmp_path, *words) as at, load(at.server) as asked:
        for action, value in STEPS:
            seen = len(asked)
            until(lambda seen=seen: len(asked) > seen + 20)
            assert order(at, f"models/{NAME}/rollout", {"action": action}).status_code == 200
            assert values() == {value}
        asked.ended.set()
        assert at.server.stop() == 0
    require_as_logged(asked.answers, at.log)
    by_version = {(answer.version, answer.value) for answer in asked.answers}
    assert {value for _, value in by_version} == {CHAMPION, CHALLENGER}
    assert len(by_version) == 2


def crew(folder: Path, name: str, seconds: float = 60) -> Crew:
    return Crew(folder, name, seconds)


def test_it_is_said_which_worker_has_not_done_it_and_why(tmp_path: Path) -> None:
    one, two, three = (crew(tmp_path, name, 0.05) for name in ("one", "two", "three"))
    serving = {"one": (OLD,), "two": (OLD,)}

    def follow(packages: tuple[PlacedPackage, ...]) -> str:
        if packages == (NEW,):
            return "It is torn"
        if not packages:
            raise RuntimeError
        serving["two"] = packages
        return ""

    with one.followed(lambda _: "", lambda: serving["one"]), two.followed(follow, lambda: serving["two"]):
        until(lambda: one.wanted() == (OLD,))
        serving["one"] = (NEW,)
        # The third never says that it is ready.
        with pytest.raises(NotReadyError, match=r"three: it is not done after 0\.05 s"), one.turn():
            one.pass_on((NEW,))
        bury(tmp_path, "three")
        one._seconds = 60
        with pytest.raises(NotReadyError, match="two: It is torn"):
            one.pass_on((NEW,))
        assert one.lacking(NEW) == "two: It is torn"
        with pytest.raises(NotReadyError, match="two: Following the other workers failed"):
            one.pass_on(())
        # What failed once is tried again with the next order.
        one.pass_on((OLD,))
        assert serving["two"] == (OLD,)
    assert three.wanted() == (OLD,)


def test_an_order_that_comes_before_a_worker_has_looked_around_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = crew(tmp_path, "one"), crew(tmp_path, "two")
    serving = {"one": (OLD,), "two": (OLD,)}
    looks: Counter[int] = Counter()

    def read(path: Path) -> Placement | None:
        looks[threading.get_ident()] += 1
        return read_placement(path)

    def follow(packages: tuple[PlacedPackage, ...]) -> str:
        serving["two"] = packages
        return ""

    monkeypatch.setattr("cellops.serving.crew.read_placement", read)
    with (
        one.turn(),
        one.followed(lambda _: "", lambda: serving["one"]),
        two.followed(follow, lambda: serving["two"]),
    ):
        # Each has seen that nothing is written down and that somebody has a turn, and looks again.
        until(lambda: sum(times > 1 for times in looks.values()) == 2)
        serving["one"] = (NEW,)
        one.pass_on((NEW,))
        assert serving["two"] == (NEW,)
