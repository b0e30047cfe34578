"""The life of registered models in a real registry: what each step requires, who decided it, and on what evidence."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier

import pytest

from cellops import settings as settings_module
from cellops.cli import main
from cellops.errors import CellopsError, IntegrityError, NotFoundError, PackageError, RegistryError, UsageError
from cellops.flows.archive import archive
from cellops.flows.deciding import report_of
from cellops.flows.execute import execute
from cellops.flows.models import models
from cellops.flows.package import Packaged, package
from cellops.flows.promote import promote
from cellops.flows.register import register
from cellops.flows.retire import retire
from cellops.flows.review import queue
from cellops.flows.runs import show
from cellops.packaging.manifest import verify
from cellops.records.deployment import DeploymentReport, DeploymentStep, StepReport
from cellops.records.registry import Decision, Evidence, RegisteredModel, Stage, Underway
from cellops.settings import Settings
from cellops.tracking.registry import PATIENCE, UNDERWAY, Registry
from support.notebooks import LOAD, PARAMETERS, TRAIN, write
from support.reviews import write_log

AGAIN = TRAIN.replace("--name trained", "--name again").replace("LogisticRegression()", "LogisticRegression(C=0.1)")
PRODUCTION, STAGING = Stage.PRODUCTION, Stage.STAGING


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A project with two trained runs and one without a model."""
    folder = tmp_path_factory.mktemp("registry")
    (folder / ".cellops").mkdir()
    found = settings_module.load(folder)
    bare = "%%mlops run --name bare\nx = 1 / 2"
    execute(write(folder / "train.ipynb", LOAD, PARAMETERS, TRAIN, AGAIN, bare), settings=found)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_AUTHOR_NAME", "Ada")
        patch.setenv("GIT_AUTHOR_EMAIL", "ada@example.org")
        yield found


@pytest.fixture(scope="module")
def first(held: Settings) -> Packaged:
    return package("trained", output=held.project / "first", settings=held)


@pytest.fixture(scope="module")
def second(held: Settings) -> Packaged:
    return package("again", output=held.project / "second", settings=held)


def only(name: str, held: Settings) -> RegisteredModel:
    (found,) = models(name, settings=held)
    return found


def state(name: str, held: Settings) -> dict[str, tuple[Stage, tuple[str, ...]]]:
    return {version.version: (version.stage, version.aliases) for version in only(name, held).versions}


def leave_report(digest: str, held: Settings, *, passed: bool) -> None:
    """Leave the report of a test deployment."""
    steps = tuple(StepReport(step=step, passed=passed, seconds=1.0, said="") for step in DeploymentStep)
    report = DeploymentReport(
        package="p",
        digest=digest,
        run=None,
        model_format="skops",
        cellops="0",
        platform="",
        started="2026-01-01T00:00:00+00:00",
        seconds=1.0,
        steps=steps,
    )
    path = report_of(digest, held)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(report.to_pretty_json())


def test_a_version_from_its_registration_to_the_archive(
    held: Settings, first: Packaged, second: Packaged, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "flights"
    made = register(first.path, model=name, settings=held)
    assert (made.version.version, made.version.stage, made.version.aliases) == ("1", STAGING, ("challenger",))
    assert made.decision is not None
    assert (made.decision.who, made.decision.verb) == ("Ada <ada@example.org>", "register")
    assert made.decision.evidence.package == made.version.package == first.digest
    assert made.decision.evidence.metrics["auc"] == pytest.approx(show("trained", settings=held).metrics["auc"])

    with pytest.raises(RegistryError, match=r"has not had a test deployment.*cellops package test"):
        promote("challenger", model=name, settings=held)
    with pytest.raises(RegistryError, match=f"cellops package test {first.path};"):
        promote(first.path, model=name, settings=held)
    leave_report(first.digest, held, passed=False)
    with pytest.raises(RegistryError, match="has not passed a test deployment"):
        promote("challenger", model=name, settings=held)
    assert state(name, held) == {"1": (STAGING, ("challenger",))}
    leave_report(first.digest, held, passed=True)
    now = promote("challenger", model=name, settings=held)
    assert state(name, held) == {"1": (PRODUCTION, ("champion",))}
    assert now.decision is not None
    assert now.decision.evidence.test is not None
    assert (now.decision.evidence.test.passed, now.decision.overridden) == (True, ())

    register(second.path, model=name, settings=held)
    answered = promote(second.path, model=name, without_test=True, reason="urgent", settings=held)
    assert state(name, held) == {"1": (STAGING, ()), "2": (PRODUCTION, ("champion",))}
    assert answered.replaced is not None
    assert (answered.before.version, answered.replaced.version) == ("1", "1")  # type: ignore[union-attr]
    assert (answered.decision.overridden, answered.decision.reason) == (("--without-test",), "urgent")  # type: ignore[union-attr]

    with pytest.raises(RegistryError, match=r"is the champion.*cellops retire models:/flights/2"):
        archive(second.path, model=name, settings=held)
    promote("models:/flights/1", settings=held)
    assert state(name, held) == {"1": (PRODUCTION, ("champion",)), "2": (STAGING, ())}
    retire(model=name, reason="wrong on holidays", settings=held)
    assert state(name, held) == {"1": (STAGING, ()), "2": (STAGING, ())}
    kept = archive(second.path, model=name, settings=held).version
    assert (kept.stage, kept.archive) == (Stage.ARCHIVED, f".cellops/archive/second-{second.digest[:16]}.zip")
    assert verify(held.project / str(kept.archive)).digest == second.digest
    with pytest.raises(RegistryError, match=r"is archived.*cellops register PACKAGE --model flights"):
        promote("models:/flights/2", settings=held)
    with pytest.raises(RegistryError, match=f"cellops register {second.path} --model flights"):
        promote(second.path, model=name, settings=held)

    decisions = [d for version in reversed(only(name, held).versions) for d in version.decisions]
    verbs = [(d.verb, d.version) for _, d in sorted({d.id: d for d in decisions}.items())]
    assert verbs == [
        ("register", "1"),
        ("promote", "1"),
        ("register", "2"),
        ("promote", "2"),
        ("promote", "1"),
        ("retire", "1"),
        ("archive", "2"),
    ]
    assert not only(name, held).underway
    os.chdir(held.project)
    main(["models", name])
    told = capsys.readouterr().out
    for said in ("archived", "staging → production", "Ada <ada@example.org>", "wrong on holidays", "without what"):
        assert said in told


def test_doing_it_twice_is_as_doing_it_once(held: Settings, first: Packaged) -> None:
    name = "twice"
    for _ in range(2):
        last = register(first.path, model=name, settings=held)
    assert last.decision is None
    for _ in range(2):
        now = promote(first.path, model=name, without_test=True, settings=held)
    assert now.decision is None
    for _ in range(2):
        gone = retire(model=name, settings=held)
    assert (gone.decision, gone.version.version) == (None, "1")
    for _ in range(2):
        kept = archive(first.path, model=name, settings=held)
    assert kept.decision is None
    assert [d.verb for d in kept.version.decisions] == ["register", "promote", "retire", "archive"]
    again = register(first.path, model=name, settings=held).version
    assert (again.stage, again.version) == (STAGING, "1")


def test_a_run_is_in_development_until_its_package_is_known(held: Settings, first: Packaged) -> None:
    name = "growing"
    assert register("trained", model=name, settings=held).version.stage is Stage.DEVELOPMENT
    assert promote("trained", model=name, settings=held).version.stage is Stage.DEVELOPMENT
    version = register(first.path, model=name, settings=held).version
    assert (version.version, version.stage, version.aliases) == ("1", STAGING, ("champion",))
    assert promote(first.path, model=name, without_test=True, settings=held).version.stage is PRODUCTION
    other = package("trained", output=held.project / "renamed", settings=held)
    with pytest.raises(RegistryError, match="in production with another package"):
        register(other.path, model=name, settings=held)


def test_what_cannot_be_registered_is_one_line(
    held: Settings, first: Packaged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PackageError, match="has no model"):
        register("bare", settings=held)
    broken = shutil.copytree(first.path, tmp_path / "broken")
    (broken / "MLmodel").write_text("other")
    with pytest.raises(IntegrityError, match="MLmodel"):
        register(str(broken), settings=held)
    with pytest.raises(NotFoundError, match="There is no registered model nowhere"):
        promote("models:/nowhere/1", settings=held)
    with pytest.raises(NotFoundError, match="There is no registered model nowhere"):
        retire(model="nowhere", settings=held)
    with pytest.raises(UsageError, match=r"names no version.*models:/NAME/3"):
        promote("models:/flights/newest", settings=held)
    monkeypatch.chdir(tmp_path)
    Path("bare-folder").mkdir()
    with pytest.raises(NotFoundError, match="no run bare-folder, and the folder of that name holds no package"):
        register("bare-folder", settings=held)
    with pytest.raises(NotFoundError, match="is not registered as elsewhere"):
        archive("again", model="elsewhere", settings=held)
    register("again", model="alone", settings=held)
    with pytest.raises(NotFoundError, match="cellops archive PACKAGE"):
        archive("again", model="alone", settings=held)
    with pytest.raises(CellopsError, match="Invalid model name"):
        register("again", model="a/b", settings=held)


def test_of_two_who_decide_at_once_one_is_refused(held: Settings, first: Packaged, second: Packaged) -> None:
    name = "together"
    for one in (first, second):
        register(one.path, model=name, settings=held)
    registry = Registry(held)
    seen = only(name, held)
    promote(first.path, model=name, without_test=True, settings=held)
    before = state(name, held)
    with pytest.raises(RegistryError, match=r"has been changed meanwhile: Ada <ada@example.org> decided to promote"):
        registry.decide(seen, deciding(name, "2"))
    assert state(name, held) == before
    assert not only(name, held).underway


def test_two_at_the_same_moment_never_both_hold_for_true_what_the_other_changes(
    held: Settings, first: Packaged, second: Packaged
) -> None:
    name = "racing"
    for one in (first, second):
        register(one.path, model=name, settings=held)
    made: list[Decision] = []
    for _ in range(4):
        seen, ready = only(name, held), Barrier(2)

        def decide(version: str, seen: RegisteredModel = seen, ready: Barrier = ready) -> Decision | None:
            registry, wanted = Registry(held), deciding(name, version)
            ready.wait(timeout=60)
            try:
                registry.decide(seen, wanted)
            except RegistryError:
                return None
            return wanted

        with ThreadPoolExecutor(2) as pool:
            done = list(filter(None, pool.map(decide, ("1", "2"))))
        assert len(done) <= 1
        made += done
    found = only(name, held)
    assert not found.underway
    assert {d.id for v in found.versions for d in v.decisions if d.verb == "promote"} == {d.id for d in made}
    assert found.aliases.get("champion") == (made[-1].version if made else None)


def deciding(name: str, version: str) -> Decision:
    return Decision(
        id=f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-other",
        verb="promote",
        model=name,
        version=version,
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        who="Bea",
        before=STAGING,
        stage=PRODUCTION,
        aliases={"champion": version, "challenger": None},
        evidence=Evidence(),
    )


def ended_process() -> int:
    ended = subprocess.Popen(["true"])
    ended.wait()
    return ended.pid


def announce(held: Settings, underway: Underway) -> None:
    from mlflow import MlflowClient

    key = f"{UNDERWAY}{underway.decision.id}"
    client = MlflowClient(held.tracking_uri)
    client.set_registered_model_tag(underway.decision.model, key, underway.to_json().decode())


def test_what_was_killed_in_the_middle_is_finished_by_whoever_comes_next(held: Settings, first: Packaged) -> None:
    from cellops.tracking.registry import _machine

    name = "killed"
    register(first.path, model=name, settings=held)
    other = Underway(decision=deciding(name, "1"), machine="another", process=1, granted=True)
    announce(held, other)
    with pytest.raises(RegistryError, match=r"Bea is about to promote version 1 of killed.*in a minute"):
        retire("challenger", model=name, settings=held)
    killed = other.replace(machine=_machine(), process=ended_process())
    announce(held, killed)
    retire(model=name, settings=held)
    assert state(name, held) == {"1": (STAGING, ())}
    assert [(d.verb, d.who) for d in only(name, held).versions[0].decisions][1:] == [
        ("promote", "Bea"),
        ("retire", "Ada <ada@example.org>"),
    ]

    announced = killed.replace(decision=deciding(name, "1"), granted=False)
    announce(held, announced)
    assert retire(model=name, settings=held).decision is None
    old = deciding(name, "1").replace(time="2020-01-01T00:00:00+00:00")
    announce(held, other.replace(decision=old, granted=False))
    register(first.path, model=name, settings=held)
    assert state(name, held) == {"1": (STAGING, ("challenger",))}
    assert PATIENCE.total_seconds() > 60


def test_who_only_looks_makes_no_store(project: Path) -> None:
    found = settings_module.load(project)
    assert models(settings=found) == []
    with pytest.raises(NotFoundError, match="There is no registered model flights"):
        models("flights", settings=found)
    assert not list((project / ".cellops").iterdir())


def test_an_archive_is_any_place_that_fsspec_reaches(held: Settings, second: Packaged) -> None:
    name = "remote"
    register(second.path, model=name, settings=held)
    made = archive(second.path, model=name, to="memory://archive", settings=held).version
    assert made.archive == f"memory://archive/second-{second.digest[:16]}.zip"
    import fsspec

    files = fsspec.filesystem("memory")
    path = f"/archive/second-{second.digest[:16]}.zip"
    (held.project / "brought.zip").write_bytes(files.cat_file(path))
    assert verify(held.project / "brought.zip").digest == second.digest
    back = register(str(held.project / "brought.zip"), model=name, settings=held).version
    assert (back.version, back.stage) == ("1", STAGING)
    files.pipe_file(path, b"other")
    with pytest.raises(PackageError, match=r"second-.* is already there, and is not this package"):
        archive(second.path, model=name, to="memory://archive", settings=held)


def test_the_champion_of_a_model_is_reviewed_by_its_name(held: Settings, first: Packaged) -> None:
    register(first.path, model="reviewed", settings=held)
    with pytest.raises(NotFoundError, match="no package reviewed, and no registered model of that name whose champion"):
        queue("reviewed", settings=held)
    leave_report(first.digest, held, passed=True)
    promote("challenger", model="reviewed", settings=held)
    copy = shutil.copytree(first.path, held.folder / "packages" / "kept")
    log = write_log(copy, held.folder / "log" / first.manifest.name, (0.52, 0.99))
    assert queue("reviewed", sample=0, settings=held).waiting == 1
    shutil.rmtree(copy)
    shutil.rmtree(log)
