"""A challenger in the shadow that hangs, dies, leaks, fails or answers otherwise: clients notice nothing."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from cellops.monitoring import prediction_log
from support import moody
from support.logs import until
from support.rollouts import CHALLENGER, CHAMPION, Site, ask, importable, load, package, site

SETTINGS = {"server_request_seconds": "2", "server_shadow_mb": "400"}


@pytest.fixture(scope="module", autouse=True)
def models() -> Iterator[None]:
    with importable():
        yield


@pytest.fixture(scope="module")
def shadowed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    champion = package(tmp_path_factory.mktemp("champion"), CHAMPION)
    challenger = package(tmp_path_factory.mktemp("challenger"), CHALLENGER, moods=True)
    words = ("--challenger", str(challenger), "--strategy", "shadow")
    with site(champion, tmp_path_factory.mktemp("site"), *words, **SETTINGS) as at:
        until(lambda: answered(at))
        yield at


def answered(at: Site, times: int = 1) -> bool:
    """Whether the challenger has answered so many more requests."""
    before = shown(at, "answered")
    for _ in range(times):
        assert ask(at.server.client).value == CHAMPION
    until(lambda: shown(at, "answered") >= before + times or ask(at.server.client).status != 200)
    return shown(at, "answered") >= before + times


def shown(at: Site, outcome: str) -> int:
    found = re.search(
        rf'^cellops_shadow_requests_total{{.*outcome="{outcome}".*}} (\d+)',
        at.server.client.get("/metrics").text,
        re.MULTILINE,
    )
    return int(found[1]) if found else 0


def said(at: Site) -> str:
    return (at.log.parent / "errors").read_text()


def process_of(at: Site) -> int:
    """The challenger's process."""
    server = at.server.process.pid
    children = Path(f"/proc/{server}/task").glob("*/children")
    every = {int(name) for file in children for name in file.read_text().split()}
    (found,) = [each for each in every if b"spawn_main" in Path(f"/proc/{each}/cmdline").read_bytes()]
    return found


def test_a_shadow_is_compared_and_logged_apart(shadowed: Site) -> None:
    before = shadowed.view().evidence
    answer = ask(shadowed.server.client)
    assert answer.value == CHAMPION
    after = until(lambda: (view := shadowed.view().evidence).compared > before.compared and view)
    assert after.differed - before.differed == after.compared - before.compared
    assert after.challenger.requests > 0
    name = f"{answer.prediction_id}:0"

    def logged() -> bool:
        folder = shadowed.log / "shadow"
        return folder.exists() and name in set(prediction_log.read(folder)["prediction_id"])

    until(logged)
    frame = prediction_log.read(shadowed.log / "shadow").set_index("prediction_id")
    assert frame.loc[name, "label"] == CHALLENGER
    assert set(prediction_log.read(shadowed.log)["label"]) == {CHAMPION}


def test_one_that_fails_goes_on(shadowed: Site) -> None:
    before = shown(shadowed, "failed")
    assert ask(shadowed.server.client, moody.FAIL).value == CHAMPION
    until(lambda: shown(shadowed, "failed") == before + 1)
    assert answered(shadowed)


@pytest.mark.parametrize(
    ("mood", "why"),
    [
        (moody.HANG, "it did not answer within 2 s"),
        (moody.LEAK, "MiB of memory, and may take 400"),
    ],
)
def test_one_that_hangs_or_leaks_is_started_again_and_nobody_waits(shadowed: Site, mood: float, why: str) -> None:
    with load(shadowed.server, clients=2, pause=0.01) as asked:
        assert ask(shadowed.server.client, mood).value == CHAMPION
        assert ask(shadowed.server.client, mood).value == CHAMPION
        until(lambda: why in said(shadowed))
        count = len(asked)
        until(lambda: len(asked) > count + 20)
    assert {answer.status for answer in asked.answers} == {200}
    assert {answer.value for answer in asked.answers} == {CHAMPION}
    assert until(lambda: answered(shadowed))


def test_a_killed_one_is_started_again_and_too_many_requests_are_dropped(shadowed: Site) -> None:
    assert until(lambda: answered(shadowed))
    process = process_of(shadowed)
    os.kill(process, signal.SIGSTOP)
    with load(shadowed.server, clients=2, pause=0.002):
        until(lambda: shown(shadowed, "dropped"))
        os.kill(process, signal.SIGKILL)
    assert until(lambda: answered(shadowed))
    assert process_of(shadowed) != process


def test_it_ends_with_a_server_that_is_killed_also_while_it_hangs(shadowed: Site) -> None:
    assert until(lambda: answered(shadowed))
    process = process_of(shadowed)
    ask(shadowed.server.client, moody.HANG)
    shadowed.server.process.kill()
    until(lambda: not Path(f"/proc/{process}").exists() or Path(f"/proc/{process}/cmdline").read_bytes() == b"")
