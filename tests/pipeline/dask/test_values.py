"""Values on their way between machines, and what tells that a worker has executed a step in other surroundings."""

from pathlib import Path

import nbformat
import pytest

from cellops.errors import StepError
from cellops.pipeline.dask.place import Place, place_of
from cellops.pipeline.dask.surroundings import as_there, asked_for, told_apart
from cellops.pipeline.dask.values import Exchange, lend
from cellops.pipeline.values.store import ValueStore
from cellops.records.cached import Dependencies
from cellops.records.handover import HandedOver

SALT = b"of one step"


def test_a_value_is_taken_only_with_the_content_that_its_digest_names(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    exchange = Exchange(Place(shared.as_uri()), "one")
    one, other = ValueStore(tmp_path / "one"), ValueStore(tmp_path / "other")
    kept = one.keep({"rows": [1, 2], "name": "a"})
    exchange.send(kept, one)
    exchange.bring(kept, other)
    assert other.load(kept) == {"rows": [1, 2], "name": "a"}

    third = ValueStore(tmp_path / "third")
    (sent,) = shared.rglob(one.path(kept[0]).name)
    content = sent.read_bytes()
    sent.write_bytes(bytes(reversed(content)))
    with pytest.raises(StepError, match=r"The value of rows cannot be taken from .* is not what was written"):
        exchange.bring(kept, third)
    exchange.send(kept, one)
    exchange.bring(kept, third)
    assert third.load(kept) == {"rows": [1, 2], "name": "a"}


def test_a_value_is_lent_to_another_store_of_the_same_disk(tmp_path: Path) -> None:
    one, other = ValueStore(tmp_path / "one"), ValueStore(tmp_path / "other")
    kept = one.keep({"rows": [1, 2]})
    for _ in range(2):
        lend(kept, one, other)
    assert other.load(kept) == {"rows": [1, 2]}
    assert one.path(kept[0]).samefile(other.path(kept[0]))


def test_a_value_that_seems_secret_goes_only_where_its_owner_alone_reads(tmp_path: Path) -> None:
    store = ValueStore(tmp_path / "one")
    kept = store.keep({"url": "https://joe:correct-horse-9@example.org"})
    shared = tmp_path / "shared"
    with pytest.raises(StepError, match="A secret seems to stand in url, which would go to file://"):
        Exchange(Place(shared.as_uri()), "one").send(kept, store)
    assert not shared.exists()
    Exchange(Place(shared.as_uri(), own=shared), "one").send(kept, store)
    assert list(shared.rglob("*.json"))


def test_code_that_asks_for_what_a_worker_has_otherwise_is_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("%%mlops step a\nimport os\nos.environ['MODE']")])  # type: ignore[no-untyped-call]
    answer = HandedOver(dependencies=Dependencies())
    monkeypatch.setenv("MODE", "fast")
    monkeypatch.setenv("OTHER", "1")
    here = asked_for(made, answer.dependencies, tmp_path, SALT)
    assert told_apart(answer, here, here) == answer
    monkeypatch.setenv("OTHER", "2")
    assert asked_for(made, answer.dependencies, tmp_path, SALT) == here
    monkeypatch.setenv("MODE", "slow")
    there = told_apart(answer, here, asked_for(made, answer.dependencies, tmp_path, SALT)).dependencies
    assert there is not None
    assert there.unknown == ("it depends on MODE in the environment, which the worker that executed it had otherwise",)


def test_what_libraries_heed_is_as_on_the_machine_that_asks() -> None:
    heeded = {"OMP_NUM_THREADS": "4", "TZ": None}
    assert as_there({"TZ": "UTC", "OMP_NUM_THREADS": "1", "A": "b"}, heeded) == {"A": "b", "OMP_NUM_THREADS": "4"}


def test_the_folder_of_a_project_is_the_one_that_its_address_names(tmp_path: Path) -> None:
    place = place_of("tcp://127.0.0.1:8786", None, tmp_path / "my 100% #project")
    assert place.own is not None
    store = ValueStore(tmp_path / "one")
    Exchange(place, "one").send(store.keep({"rows": [1, 2]}), store)
    assert [path for path in place.own.rglob("*") if path.is_file()]
