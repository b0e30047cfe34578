"""The packages of a server while it runs: loaded beside those at work, put in their place, and let go."""

import gc
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cellops.errors import NotFoundError, NotReadyError, PackageError
from cellops.packaging.load import LoadedPackage, load_package
from cellops.serving.errors import LoadError
from cellops.serving.limits import Limits
from cellops.serving.logs import LogPlace
from cellops.serving.model_folder import ModelFolder
from cellops.serving.models import Models
from cellops.serving.repository import Reach, Repository, Source
from cellops.settings import load
from support.served import build

LIMITS = Limits(1000, 10)
Shelf = dict[Path, Any]
"""What lies where: a package, or the error of loading it."""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> LoadedPackage:
    return load_package(build("narrow", tmp_path_factory.mktemp("narrow")))


@pytest.fixture
def shelf() -> Shelf:
    return {}


@pytest.fixture
def repository(shelf: Shelf, tmp_path: Path) -> Iterator[Repository]:
    def taken(path: Path) -> LoadedPackage:
        found = shelf[path]
        if isinstance(found, Exception):
            raise found
        return found

    (tmp_path / "models").mkdir()
    folder = ModelFolder(tmp_path / "models")
    source = Source(taken, lambda _package: None, lambda name: LogPlace(tmp_path / name), folder=folder)
    made = Repository(source, LIMITS, load(tmp_path))
    yield made
    made.close()


def version(package: LoadedPackage, digit: int, name: str = "narrow") -> LoadedPackage:
    return replace(package, digest=str(digit) * 64, manifest=package.manifest.replace(name=name))


def started(repository: Repository, shelf: Shelf, **packages: LoadedPackage) -> list[Models]:
    """The tables that follow one another."""
    shelf |= {Path(path): package for path, package in packages.items()}
    tables = [repository.start(map(Path, packages))]
    repository.attach(Reach(tables.append, lambda act: act()))
    return tables


def answering(models: Models) -> list[str]:
    return [model.version[0] for model in models.all]


def test_versions_are_replaced_in_their_places(repository: Repository, shelf: Shelf, package: LoadedPackage) -> None:
    tables = started(repository, shelf, a=version(package, 1), b=version(package, 2), c=version(package, 3, "other"))
    shelf[Path("b")] = version(package, 4)
    changes = repository.load("narrow")
    assert [(change.before[0], change.after[0]) for change in changes] == [("1", "1"), ("2", "4")]
    assert [answering(models) for models in tables] == [["1", "2", "3"], ["1", "4", "3"]]
    assert repository.models.defaults["narrow"].version[0] == "4"


def test_what_cannot_be_loaded_leaves_what_is_at_work(
    repository: Repository, shelf: Shelf, package: LoadedPackage
) -> None:
    tables = started(repository, shelf, a=version(package, 1), b=version(package, 2, "other"))
    shelf[Path("a")] = PackageError("It is torn", remedy="Mend it")
    shelf[Path("b")] = version(package, 3, "other")
    first, second = repository.reload()
    assert (first.before, first.after, first.trouble) == ("1" * 64, "1" * 64, "It is torn. Mend it")
    assert second.after == "3" * 64
    assert answering(tables[-1]) == ["1", "3"]
    assert [entry["reason"] for entry in repository.index()] == ["It is torn. Mend it", ""]
    shelf[Path("a")] = version(package, 1)
    repository.reload()
    assert [entry["reason"] for entry in repository.index()] == ["", ""]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda _package: ValueError("a secret"), "Loading narrow failed"),
        (lambda package: version(package, 5, "another"), "called another"),
        (lambda package: version(package, 2), "given twice"),
    ],
    ids=["a bug", "another name", "the same version twice"],
)
def test_a_package_that_cannot_take_the_place_is_refused(
    repository: Repository,
    shelf: Shelf,
    package: LoadedPackage,
    wrong: Callable[[LoadedPackage], Any],
    said: str,
) -> None:
    tables = started(repository, shelf, a=version(package, 1), b=version(package, 2))
    shelf[Path("a")] = wrong(package)
    change, _ = repository.reload()
    assert said in change.trouble
    assert "secret" not in change.trouble
    assert answering(repository.models) == answering(tables[0])


def test_a_model_is_closed_when_its_last_request_has_ended_and_its_package_let_go(
    repository: Repository, shelf: Shelf, package: LoadedPackage
) -> None:
    old = version(package, 1)
    old = replace(old, predictor=Answering())
    (models,) = started(repository, shelf, a=old)
    shelf[Path("a")] = version(package, 2)
    (model,) = models.all
    predictor = weakref.ref(old.predictor)
    del old
    gc.disable()
    try:
        model.begin()
        model.begin()
        repository.reload()
        model.end()
        assert predictor() is not None
        assert model.logs.labels.append(None, 0)
        model.end()
        repository.close()
        assert predictor() is None
    finally:
        gc.enable()
    assert not model.logs.labels.append(None, 0)


class Answering:
    """A predictor that is only held."""


def test_models_are_unloaded_and_loaded_again(repository: Repository, shelf: Shelf, package: LoadedPackage) -> None:
    started(repository, shelf, a=version(package, 1), b=version(package, 2), c=version(package, 3, "other"))
    assert [change.after for change in repository.unload("narrow")] == [None, None]
    assert [entry["state"] for entry in repository.index()] == ["UNAVAILABLE", "UNAVAILABLE", "READY"]
    assert repository.models.first.name == "other"
    with pytest.raises(NotFoundError, match="at work"):
        repository.unload("narrow")
    with pytest.raises(LoadError, match="only model"):
        repository.unload("other")
    repository.reload()
    assert answering(repository.models) == ["3"]
    repository.load("narrow")
    assert answering(repository.models) == ["1", "2", "3"]


def test_only_packages_in_the_folder_of_models_can_be_loaded_besides(
    repository: Repository, shelf: Shelf, package: LoadedPackage, tmp_path: Path
) -> None:
    folder, outside = tmp_path / "models", tmp_path / "outside"
    for path in (folder / "inside", outside, folder / "empty"):
        path.mkdir()
    for path in (folder / "inside", outside):
        (path / "manifest.json").touch()
    (folder / "link").symlink_to(outside)
    (folder / "archived.zip").touch()
    shelf[folder / "inside"] = version(package, 2, "inside")
    shelf[folder / "archived.zip"] = version(package, 3, "archived")
    shelf[outside] = shelf[folder / "link"] = version(package, 4, "outside")
    started(repository, shelf, a=version(package, 1))
    for name in ("outside", "link", "../outside", "empty", "", ".", "inside/../inside", str(outside)):
        with pytest.raises(NotFoundError, match="no such model") as caught:
            repository.load(name)
        assert caught.value.remedy.endswith("narrow, archived, inside")
    repository.load("inside")
    repository.load("archived")
    assert answering(repository.models) == ["1", "2", "3"]
    assert [entry["state"] for entry in repository.index()] == ["READY"] * 3


def test_nothing_is_loaded_into_a_server_that_has_stopped(
    repository: Repository, shelf: Shelf, package: LoadedPackage
) -> None:
    started(repository, shelf, a=version(package, 1))
    shelf[Path("a")] = version(package, 2)
    repository.close()
    with pytest.raises(NotReadyError, match="being stopped"):
        repository.reload()


def test_nothing_is_loaded_into_a_server_that_does_not_answer_yet(
    repository: Repository, shelf: Shelf, package: LoadedPackage
) -> None:
    shelf[Path("a")] = version(package, 1)
    repository.start([Path("a")])
    with pytest.raises(NotReadyError, match="being started"):
        repository.load("narrow")
