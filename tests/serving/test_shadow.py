"""A challenger in the shadow that hangs, dies, leaks, fails or answers otherwise: clients notice nothing."""

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cellops.monitoring import prediction_log
from support import moody
from support.logs import until
from support.rollouts import CHALLENGER, CHAMPION, Site, ask, importable, load, package, site

SETTINGS = {"server_request_seconds": "5", "server_shadow_mb": "400"}


@pytest.fixture(scope="module", autouse=True)
def models() -> Iterator[None]:
    with importable():
        yield


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    champion = package(tmp_path_factory.mktemp("champion"), CHAMPION)
    return champion, package(tmp_path_factory.mktemp("challenger"), CHALLENGER, moods=True)


@pytest.fixture(scope="module")
def shadowed(packages: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    champion, challenger = packages
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


def tell(at: Site, mood: float) -> None:
    """Ask until there is room for the request in the challenger's queue."""

    def taken() -> bool:
        dropped = shown(at, "dropped")
        assert ask(at.server.client, mood).value == CHAMPION
        return shown(at, "dropped") == dropped

    until(taken)


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
    tell(shadowed, moody.FAIL)
    until(lambda: shown(shadowed, "failed") == before + 1)
    assert answered(shadowed)


@pytest.mark.parametrize(
    ("mood", "why", "times"),
    [
        (moody.DIE, "it ended with exit code 9", 2),
        (moody.HANG, "it did not answer within 5 s", 1),
        (moody.LEAK, "MiB of memory, and may take 400", 1),
    ],
)
def test_one_that_dies_hangs_or_leaks_is_started_again_and_nobody_waits(
    shadowed: Site, mood: float, why: str, times: int
) -> None:
    for _ in range(times):
        tell(shadowed, mood)
    with load(shadowed.server, clients=2, pause=0.01) as asked:
        until(lambda: said(shadowed).count(why) == times)
        count = len(asked)
        until(lambda: len(asked) > count + 20)
    assert {(answer.status, answer.value) for answer in asked.answers} == {(200, CHAMPION)}
    assert until(lambda: answered(shadowed))


def test_one_that_is_slower_is_shown_what_it_can_take_and_the_rest_is_dropped(shadowed: Site) -> None:
    assert until(lambda: answered(shadowed))
    dropped = shown(shadowed, "dropped")
    with load(shadowed.server, clients=2, mood=lambda: moody.SLOW) as asked:
        until(lambda: shown(shadowed, "dropped") > dropped)
        until(lambda: (latency_of(shadowed) or 0.0) > moody.SLOWNESS)
    assert {(answer.status, answer.value) for answer in asked.answers} == {(200, CHAMPION)}
    # What waits in the queue would hold up who comes next.
    assert until(lambda: answered(shadowed))


def latency_of(at: Site) -> float | None:
    """Seconds of the challenger, at the quantile that is compared."""
    return next(each.challenger for each in at.view().verdict.comparisons if each.name == "latency")


def test_a_killed_one_is_started_again_and_too_many_requests_are_dropped(shadowed: Site) -> None:
    assert until(lambda: answered(shadowed))
    process = process_of(shadowed)
    os.kill(process, signal.SIGSTOP)
    with load(shadowed.server, clients=2, pause=0.002):
        until(lambda: shown(shadowed, "dropped"))
        os.kill(process, signal.SIGKILL)
    assert until(lambda: answered(shadowed))
    assert process_of(shadowed) != process


def test_off_peak_it_is_asked_only_while_the_server_has_little_to_do(
    packages: tuple[Path, Path], tmp_path: Path
) -> None:
    champion, challenger = packages
    words = ("--challenger", str(challenger), "--strategy", "shadow", "--shadow-when", "idle")
    with site(champion, tmp_path, *words, **SETTINGS) as at:

        def asked_in_peace() -> bool:
            time.sleep(0.3)  # else asking is what the server has to do
            ask(at.server.client)
            return shown(at, "answered") > 0

        assert until(asked_in_peace)
        at_peace = shown(at, "peak")
        with load(at.server, clients=4):
            until(lambda: shown(at, "peak") > at_peace + 50)
        before = shown(at, "answered")
        assert until(lambda: asked_in_peace() and shown(at, "answered") > before)
        assert at.view().state.off_peak


def test_it_ends_with_a_server_that_is_killed_also_while_it_hangs(shadowed: Site) -> None:
    assert until(lambda: answered(shadowed))
    process = process_of(shadowed)
    ask(shadowed.server.client, moody.HOLD)
    shadowed.server.process.kill()
    until(lambda: not Path(f"/proc/{process}").exists() or Path(f"/proc/{process}/cmdline").read_bytes() == b"")
