"""A real server whose traffic is divided between two packages, under load and through every change."""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from click.testing import CliRunner

from cellops.cli.serve import serve
from cellops.errors import NotReadyError, UsageError
from cellops.flows.rollout_plan import rollout_plan
from cellops.records.rollout import Evidence, RolloutAction, RolloutState, SlotPackage, Strategy
from cellops.serving.rollout.files import RolloutFiles
from support.logs import until
from support.rollouts import (
    CHALLENGER,
    CHAMPION,
    NAME,
    PATH,
    Answer,
    Site,
    ask,
    importable,
    load,
    package,
    require_as_logged,
    site,
)
from support.served import PORT, Running, running, start

CANARY = ("--strategy", "canary", "--stages", "5,50,100")


@pytest.fixture(scope="module", autouse=True)
def models() -> Iterator[None]:
    with importable():
        yield


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package(tmp_path_factory.mktemp("champion"), CHAMPION)


@pytest.fixture(scope="module")
def challenger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package(tmp_path_factory.mktemp("challenger"), CHALLENGER, moods=True)


def who(at: Site, users: int = 60) -> dict[str, float | None]:
    """The answer that each of some users gets."""
    return {f"{i}": ask(at.server.client, user=f"{i}").value for i in range(users)}


def challenged(answers: dict[str, float | None]) -> set[str]:
    return {user for user, answer in answers.items() if answer == CHALLENGER}


def test_a_canary_goes_through_its_stages_under_load(champion: Path, challenger: Path, tmp_path: Path) -> None:
    words = ("--challenger", str(challenger), *CANARY)
    with site(champion, tmp_path, *words) as at, load(at.server) as asked:
        assert at.view().state.share == 5
        few = who(at)
        until(lambda: len(asked) > 50)
        counted = at.view().evidence.champion.requests
        assert counted > 0
        assert at.order("pause", why="lunch").status_code == 200
        assert at.order("pause").status_code == 409
        assert at.order("resume").status_code == 200
        assert at.view().evidence.champion.requests >= counted
        assert at.order("advance").status_code == 200
        half = who(at)
        # A user who had the challenger keeps it.
        assert challenged(few) < challenged(half)
        assert 15 < len(challenged(half)) < 45
        assert at.order("advance").json()["state"]["share"] == 100
        assert len(challenged(who(at))) == 60
        assert at.order("advance").status_code == 409
        promoted = at.order("promote", why="better").json()["state"]
        assert (promoted["strategy"], promoted["challenger"]) == ("single", None)
        version = promoted["champion"]["version"]
        until(lambda: asked.answers[-1].version == version)
        # Each version is still there for who names it, and a promotion can be taken back.
        before = at.decisions()[0]["champion"]["version"]
        pinned = ask(at.server.client, path=f"/v2/models/{NAME}/versions/{before}/infer")
        assert (pinned.version, pinned.value) == (before, CHAMPION)
        assert at.order("rollback", why="no, worse").json()["state"]["champion"]["version"] == before
        assert challenged(who(at)) == set()
        asked.ended.set()
        assert at.server.stop() == 0
    require_as_logged(asked.answers, at.log)
    assert {answer.value for answer in asked.answers} == {CHAMPION, CHALLENGER}
    decided = [(each["action"], each["before"], each["after"], each["why"]) for each in at.decisions()]
    assert decided == [
        ("start", 0, 5, "Asked for on the command line"),
        ("pause", 5, 5, "lunch"),
        ("resume", 5, 5, "Asked for"),
        ("advance", 5, 50, "Asked for"),
        ("advance", 50, 100, "Asked for"),
        ("promote", 100, 100, "better"),
        ("rollback", 100, 0, "no, worse"),
    ]
    # Started again with the same words, a rollout that has ended does not begin anew.
    with site(champion, tmp_path, *words) as again:
        assert again.view().state.strategy is Strategy.SINGLE
        assert challenged(who(again, 10)) == set()


def test_a_server_killed_in_a_canary_goes_on_with_the_same_users(
    champion: Path, challenger: Path, tmp_path: Path
) -> None:
    words = ("--challenger", str(challenger), *CANARY)
    with site(champion, tmp_path, *words) as at:
        at.order("advance")
        before = who(at)
        seen = until(lambda: (view := at.view()).evidence.champion.requests > 10 and view)
        at.server.process.kill()
    with site(champion, tmp_path, *words) as again:
        view = again.view()
        assert (view.state.stage, view.state.share, view.state.salt) == (1, 50, seen.state.salt)
        # What the killed server had counted in this stage still counts.
        assert view.evidence.champion.requests >= seen.evidence.champion.requests
        assert who(again) == before
        promoted = again.order("promote").json()["state"]["champion"]
        again.server.process.kill()
    # Also one that is started as if nothing had been promoted.
    with site(champion, tmp_path) as last:
        answer = ask(last.server.client)
        assert (answer.version, answer.value) == (promoted["version"], CHALLENGER)


def test_users_keep_their_package_across_workers(champion: Path, challenger: Path, tmp_path: Path) -> None:
    words = ("--workers", "2", "--challenger", str(challenger), "--strategy", "ab", "--key", "user")
    with running(champion, tmp_path, *words, trusted_types="support.moody.Moody") as server:
        with ExitStack() as stack:
            # Any worker may take a connection.
            given = {"base_url": server.client.base_url, "headers": dict(server.client.headers), "trust_env": False}
            clients = [stack.enter_context(httpx.Client(**given)) for _ in range(5)]
            each = {user: {ask(client, column=float(user)).value for client in clients} for user in range(30)}
        assert all(len(found) == 1 for found in each.values())
        assert {value for found in each.values() for value in found} == {CHAMPION, CHALLENGER}
        mixed = [{"name": "x", "shape": [2], "datatype": "FP64", "data": [1, 2]}]
        mixed.append({"name": "user", "shape": [2], "datatype": "FP64", "data": [1, 2]})
        refused = server.client.post(PATH, json={"inputs": mixed})
        assert (refused.status_code, refused.json()["column"]) == (400, "user")


def test_labels_count_whichever_worker_took_them_and_after_a_restart(
    champion: Path, challenger: Path, tmp_path: Path
) -> None:
    rules = ("--margin", "least_requests=1000000", "--margin", "quality_margin=0.05")
    words = ("--challenger", str(challenger), "--strategy", "canary", "--stages", "50,100", *rules)
    given = {"trusted_types": "support.moody.Moody", "log_flush_seconds": "0.05"}
    with running(champion, tmp_path, "--workers", "2", *words, **given) as server:
        first = [of_any_worker(server, ask) for _ in range(30)]
        for answer in first[:20]:
            of_any_worker(server, partial(label, answers=[answer]))
        until(lambda: labelled(server.log).champion.labelled + labelled(server.log).challenger.labelled == 20)
        server.process.kill()
    # Labels twice, of answers that another process has given, and of a few that nobody has.
    with running(champion, tmp_path, "--workers", "2", *words, **given) as server:
        strange = Answer(200, "", None, "from-elsewhere")
        of_any_worker(server, partial(label, answers=[*first, strange]))
        until(lambda: labelled(server.log).champion.labelled + labelled(server.log).challenger.labelled == 30)
        of_champion = sum(answer.value == CHAMPION for answer in first)
        seen = labelled(server.log)
        assert (seen.champion.labelled, seen.challenger.labelled) == (of_champion, 30 - of_champion)
        # The truth is what the champion says; the challenger is off by 1 of the 1.9 that answers span.
        assert seen.champion.loss == 0
        assert seen.challenger.loss == pytest.approx((30 - of_champion) / 1.9)
        later = [of_any_worker(server, ask) for _ in range(300)]
        of_any_worker(server, partial(label, answers=later))
        files = RolloutFiles(server.log)
        until(lambda: (state := files.read()) is not None and state.strategy is Strategy.SINGLE)
        assert server.stop() == 0
    state = files.read()
    assert state is not None
    last = state.decisions[-1]
    assert (last.action, last.who) == (RolloutAction.ROLLBACK, "automatic")
    assert "quality 52." in last.why
    assert last.champion.digest == state.champion.digest


Asked = TypeVar("Asked")


def of_any_worker(server: Running, work: Callable[[httpx.Client], Asked]) -> Asked:
    """What a new connection gives, which any worker may take."""
    headers = dict(server.client.headers)
    with httpx.Client(base_url=server.client.base_url, headers=headers, timeout=60, trust_env=False) as client:
        return work(client)


def label(client: httpx.Client, answers: list[Answer]) -> None:
    labels = [{"prediction_id": f"{answer.prediction_id}:0", "label": CHAMPION} for answer in answers]
    assert client.post("/feedback", json={"labels": labels, "foreign": True}).status_code == 200


def labelled(log: Path) -> Evidence:
    files = RolloutFiles(log)
    state = files.read()
    return files.counted(state.since) if state else Evidence()


def test_blue_green_switches_at_once_and_back(champion: Path, challenger: Path, tmp_path: Path) -> None:
    words = ("--challenger", str(challenger), "--strategy", "blue-green")
    with site(champion, tmp_path, *words) as at, load(at.server) as asked:
        for expected in (CHALLENGER, CHAMPION, CHALLENGER):
            assert at.order("switch").status_code == 200
            assert ask(at.server.client).value == expected
            shares = ("0%", "100%") if expected == CHALLENGER else ("100%", "0%")
            models = at.server.client.get("/ui/state").json()["models"]
            assert [each["role"] for each in models] == [f"champion, {shares[0]}", f"challenger, {shares[1]}"]
            assert [each["is_default"] for each in models] == [True, False]
            count = len(asked)
            until(lambda count=count: len(asked) > count + 10)
        assert at.order("rollback").json()["state"]["strategy"] == "single"
        assert ask(at.server.client).value == CHAMPION
        asked.ended.set()
        assert at.server.stop() == 0
    require_as_logged(asked.answers, at.log)
    # By the same words it is not begun again, by another strategy it is.
    for strategy, stands in (("blue-green", "single"), ("ab", "ab")):
        with site(champion, tmp_path, "--challenger", str(challenger), "--strategy", strategy) as at:
            assert at.view().state.strategy == stands


def test_a_challenger_that_fails_is_rolled_back_by_itself(champion: Path, challenger: Path, tmp_path: Path) -> None:
    from support.moody import FAIL

    words = ("--challenger", str(challenger), "--strategy", "canary", "--stages", "50,100")
    with site(champion, tmp_path, *words) as at, load(at.server, mood=lambda: FAIL) as asked:
        until(lambda: at.state().strategy is Strategy.SINGLE)
        until(lambda: {answer.status for answer in asked.answers[-20:]} == {200})
        asked.ended.set()
    failed = {answer.version for answer in asked.answers if answer.status == 500}
    assert failed == {at.decisions()[0]["challenger"]["version"]}
    last = at.decisions()[-1]
    assert (last["action"], last["who"], last["after"]) == (RolloutAction.ROLLBACK, "automatic", 0)
    assert last["evidence"]["challenger"]["errors"] > 0


def test_a_good_challenger_is_promoted_by_itself_and_labels_are_joined(
    champion: Path, challenger: Path, tmp_path: Path
) -> None:
    lax = ("error_margin=0.2", "latency_margin=20", "least_requests=20", "least_seconds=0")
    words = ("--challenger", str(challenger), "--strategy", "canary", "--stages", "40,60,100")
    words += tuple(word for rule in lax for word in ("--margin", rule))
    with site(champion, tmp_path, *words) as at, load(at.server, clients=4) as asked:
        until(lambda: len(asked) > 10)
        ids = [f"{answer.prediction_id}:0" for answer in asked.answers[:10]]
        labels = [{"prediction_id": name, "label": 1.0} for name in (*ids, "from-elsewhere")]
        assert at.server.client.post("/feedback", json={"labels": labels, "foreign": True}).status_code == 200
        until(lambda: at.state().strategy is Strategy.SINGLE)
        asked.ended.set()
        assert at.server.stop() == 0
    actions = [each["action"] for each in at.decisions()]
    assert actions == ["start", "advance", "promote"]
    require_as_logged(asked.answers, at.log)


def test_a_challenger_with_another_contract_is_refused_before_anything_is_written(
    champion: Path, tmp_path: Path
) -> None:
    other = package(tmp_path, CHALLENGER, columns=("x", "z"))
    words = ("--challenger", str(other), "--strategy", "ab")
    process = start(champion, tmp_path, *PORT, *words, trusted_types="support.moody.Moody")
    assert process.communicate(timeout=60)[0] == ""
    message = (tmp_path / "errors").read_text()
    assert "has another contract than the champion moody: the inputs user, z" in message
    assert process.returncode == 2, message
    assert message.count("\n") == 1
    assert not (tmp_path / "log" / "rollout.json").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--strategy", "canary"), "is for two packages"),
        (("--share", "7"), "is for two packages"),
        (("--challenger", "b"), "nothing says how it takes part"),
        (("--challenger", "b", "--strategy", "canary", "--stages", "50,25,100"), "rising percentages"),
        (("--challenger", "b", "--strategy", "canary", "--stages", "5,50"), "the last is 100"),
        (("--challenger", "b", "--strategy", "canary", "--stages", "5,many"), "stages: expected a float"),
        (("--challenger", "b", "--strategy", "canary", "--margin", "luck=1"), "There is no such rule"),
        (("--challenger", "b", "--strategy", "canary", "--margin", "error_margin=7"), "<= 1"),
        (("--challenger", "b", "--strategy", "blue-green", "--stages", "5,100"), "takes no rules"),
        (("--challenger", "b", "--strategy", "canary", "--share", "7"), "takes no share"),
        (("--challenger", "b", "--strategy", "shadow", "--stages", "7,100"), "has no stages"),
        (("--challenger", "b", "--strategy", "ab", "--share", "nan"), "a percentage above 0"),
        (("--challenger", "b", "--strategy", "shadow", "--share", "0"), "a percentage above 0"),
        (("--challenger", "b", "--strategy", "canary", "--margin", "latency_margin=inf"), "is a finite number"),
        (("--challenger", "b", "--strategy", "canary", "--margin", "least_seconds=nan"), ">= 0"),
    ],
)
def test_what_cannot_be_honoured_is_refused(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(serve, ["a", *words])
    assert isinstance(done.exception, UsageError)
    assert said in done.exception.text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"strategy": "nonsense"}, "There is no such strategy"),
        ({"strategy": "shadow", "shadow_when": "never"}, "asked always or idle"),
        ({"strategy": "ab", "share": float("nan")}, "a percentage above 0"),
    ],
)
def test_what_python_asks_for_is_refused_in_the_same_words(words: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        rollout_plan("b", **words)


def test_a_package_in_a_rollout_stays_and_stages_of_another_can_be_started(
    champion: Path, challenger: Path, tmp_path: Path
) -> None:
    words = (str(challenger),)
    with site(champion, tmp_path, *words) as at:
        before = ask(at.server.client)
        assert before.value == CHALLENGER  # the last of two versions answers
        assert at.order("start", strategy="canary", challenger="1234").status_code == 404
        versions = at.server.client.get(f"/v2/models/{NAME}").json()["versions"]
        other = next(each for each in versions if each != before.version)
        # What is refused leaves nothing behind: the next start is the first.
        refused = at.order("start", strategy="ab", challenger=other, key="no such, column")
        assert (refused.status_code, at.order("start").status_code) == (400, 400)
        assert not (at.log / NAME / "decisions.jsonl").exists()
        assert at.order("start", strategy="blue-green", challenger=str(champion)).status_code == 200
        assert at.order("start", strategy="ab", challenger=other).status_code == 409
        assert at.order("switch").status_code == 200
        assert ask(at.server.client).value == CHAMPION
        assert at.order("dance").status_code == 400
        at.server.process.send_signal(signal.SIGHUP)
        until(lambda: "A rollout of moody is under way" in (tmp_path / "errors").read_text())
        # A state that somebody has torn: it is said once, and the traffic goes on as it was divided.
        state = at.log / NAME / "rollout.json"
        torn = state.with_name("torn")
        torn.write_bytes(state.read_bytes()[:-20])
        torn.replace(state)
        until(lambda: "cannot be read" in (tmp_path / "errors").read_text())
        refused = at.order("rollback")
        assert (refused.status_code, "Put back a copy" in refused.text) == (400, True)
        assert ask(at.server.client).value == CHAMPION
        assert (tmp_path / "errors").read_text().count("cannot be read") == 1
        at.server.process.kill()
    process = start(champion, tmp_path, *PORT, *words, trusted_types="support.moody.Moody")
    assert process.communicate(timeout=60)[0] == ""
    message = (tmp_path / "errors").read_text()
    assert (process.returncode, message.count("\n"), "rollout.json cannot be read" in message) == (2, 1, True)


def test_a_rollout_that_cannot_be_written_down_is_refused_in_one_line(tmp_path: Path) -> None:
    place = tmp_path / "log"
    place.write_text("no folder")
    with pytest.raises(NotReadyError, match="cannot be written down"), RolloutFiles(place).held(wait=True):
        pass
    package = SlotPackage(path="a", version="1", digest="1")
    with pytest.raises(NotReadyError, match="Not a directory"):
        RolloutFiles(place).write(RolloutState(model="m", champion=package))
