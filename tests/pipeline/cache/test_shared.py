"""Steps that machines share: found elsewhere, signed, whole, and without any secret."""

import builtins
import os
import pickle
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cellops.errors import StepError
from cellops.pipeline.cache.entries import Cache
from cellops.pipeline.cache.key import digest
from cellops.pipeline.cache.shared import MOST_ENTRIES, SharedSteps
from support.ftp import PASSWORD, ftp_server
from support.kept import KEY, files, kept, of_step


def test_another_machine_finds_a_step_and_has_its_values(address: str, served: Path, tmp_path: Path) -> None:
    here, there = (Cache(tmp_path / name, SharedSteps(address, KEY)) for name in ("here", "there"))
    problems: list[str] = []
    assert list(there.find(of_step("make"), problems)) == []
    entry = kept(here, [1, {"b": 2}])
    assert here.share(entry) is None
    assert (
        Cache(tmp_path / "third", SharedSteps(address, KEY)).share(kept(Cache(tmp_path / "third"), [1, {"b": 2}]))
        is None
    )
    assert len(files(served)) == 3
    (found,) = there.find(of_step("make"), problems)
    assert found == entry
    assert there.fetch(found) is None
    assert there.values.load(found.values) == {"a": [1, {"b": 2}]}
    assert list(Cache(tmp_path / "there").find(of_step("make"), problems)) == [entry]
    assert list(there.find(of_step("other"), problems)) == []
    assert problems == []
    assert not [path for path in files(tmp_path) if path.suffix == ".part"]


def test_several_may_write_the_same_at_once(address: str, served: Path, tmp_path: Path) -> None:
    caches = [Cache(tmp_path / str(number), SharedSteps(address, KEY)) for number in range(4)]
    entries = [kept(cache, list(range(10_000))) for cache in caches]
    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(lambda given: given[0].share(given[1]), zip(caches, entries, strict=True)))
    assert told == [None] * 4
    assert len(files(served)) == 3
    (found,) = Cache(tmp_path / "there", SharedSteps(address, KEY)).find(of_step("make"), [])
    there = Cache(tmp_path / "there", SharedSteps(address, KEY))
    assert there.fetch(found) is None
    assert there.values.load(found.values) == {"a": list(range(10_000))}


def test_what_has_gone_there_is_told_and_nothing_else_is_lost(address: str, served: Path, tmp_path: Path) -> None:
    here, there = (Cache(tmp_path / name, SharedSteps(address, KEY)) for name in ("here", "there"))
    entry = kept(here, [1])
    here.share(entry)
    (value,) = (path for path in files(served) if path.suffix == ".pickle")
    content = value.read_bytes()
    value.unlink()
    told = there.fetch(entry)
    assert told is not None
    assert f"has lost values/{value.parent.name}/{value.name}" in told
    value.write_bytes(content)
    assert there.fetch(entry) is None


def test_what_was_changed_there_is_told_and_written_again(address: str, served: Path, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "ran",))

    here, there = (Cache(tmp_path / name, SharedSteps(address, KEY)) for name in ("here", "there"))
    entry = kept(here, [1, 2, 3])
    here.share(entry)
    (value,) = (path for path in files(served) if path.suffix == ".pickle")
    value.write_bytes(pickle.dumps(Evil()).ljust(value.stat().st_size, b"."))
    (found,) = there.find(entry.key, [])
    told = there.fetch(found)
    assert told is not None
    assert "is not what was written" in told
    assert PASSWORD not in told
    assert not (tmp_path / "ran").exists()
    assert not value.exists()
    assert here.share(entry) is None
    assert there.fetch(found) is None


def test_values_of_another_version_are_told(tmp_path: Path, served: Path) -> None:
    cache = Cache(tmp_path / "here", SharedSteps(f"file://{served}", KEY))
    entry = kept(cache, [1])
    newer = entry.replace(values=(entry.values[0].replace(format="newer"),))
    assert cache.fetch(newer) == "what was kept of it is of another version"


def test_entries_of_others_are_not_used(address: str, served: Path, tmp_path: Path) -> None:
    stranger = Cache(tmp_path / "stranger", SharedSteps(address, "another key of somebody else"))
    entry = kept(stranger, [1])
    stranger.share(entry)
    problems: list[str] = []
    here = Cache(tmp_path / "here", SharedSteps(address, KEY))
    assert list(here.find(entry.key, problems)) == []
    assert len(problems) == 1
    assert "signed with another key" in problems[0]
    (path,) = (served / "steps" / "kept" / digest(entry.key)).iterdir()
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"seconds":1.0', b'"seconds":2.0'))
    assert list(stranger.find(of_step("make"), [])) == [entry]  # of its own folder
    shutil.rmtree(tmp_path / "stranger" / "kept")
    assert list(stranger.find(of_step("make"), [])) == []


def test_a_signed_entry_is_not_used_under_another_key(address: str, served: Path, tmp_path: Path) -> None:
    shared = SharedSteps(address, KEY)
    here = Cache(tmp_path / "here", shared)
    here.share(kept(here, [1]))
    (path,) = (served / "steps" / "kept").rglob("*.json")
    other = served / "steps" / "kept" / digest(of_step("other"))
    other.mkdir()
    shutil.copy(path, other / path.name)
    assert len(list(shared.find(other.name, []))) == 1
    assert list(here.find(of_step("other"), [])) == []


def test_entries_are_read_when_they_are_asked_for(
    address: str, served: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Cache(tmp_path / "here", SharedSteps(address, KEY))
    entry = kept(here, [1])
    for ended in (3.0, 12.0, 5.0):
        here.share(entry.replace(ended=ended))
    there = SharedSteps(address, KEY)
    read: list[str] = []
    reading = there._folder._system.cat_file

    def reads(path: str) -> bytes:
        read.append(path)
        return reading(path)  # type: ignore[no-any-return]

    monkeypatch.setattr(there._folder._system, "cat_file", reads)
    found = there.find(digest(entry.key), [])
    assert next(found).ended == 12.0
    assert len(read) == 1
    assert [one.ended for one in found] == [5.0, 3.0]
    assert len(read) == 3


def test_what_is_no_entry_hides_none(address: str, served: Path, tmp_path: Path) -> None:
    here, there = (Cache(tmp_path / name, SharedSteps(address, KEY)) for name in ("here", "there"))
    entry = kept(here, [1])
    here.share(entry)
    folder = served / "steps" / "kept" / digest(entry.key)
    (folder / f"{'9' * 15}-folder.json").mkdir()
    for number in range(MOST_ENTRIES):
        (folder / f"{'9' * 15}-{number}.json").write_bytes(b"nothing")
    problems: list[str] = []
    assert list(there.find(entry.key, problems)) == [entry]
    assert all("signed with another key" in told for told in problems)
    assert there.fetch(entry) is None


def test_files_that_may_not_be_read_do_not_turn_the_store_off(served: Path, tmp_path: Path) -> None:
    hidden = served / "steps" / "kept" / digest(of_step("other"))
    hidden.mkdir(parents=True)
    with ftp_server(served, hidden) as address:
        here, there = (Cache(tmp_path / name, SharedSteps(address, KEY)) for name in ("here", "there"))
        entry = kept(here, [1])
        here.share(entry)
        here.share(entry.replace(key=of_step("other")))
        problems: list[str] = []
        assert list(there.find(of_step("other"), problems)) == []
        (told,) = problems
        assert " cannot be read: " in told
        assert PASSWORD not in told
        assert list(there.find(entry.key, [])) == [entry]
        assert there.fetch(entry) is None


def test_a_store_that_does_not_answer_is_told_once_and_costs_nothing(tmp_path: Path, served: Path) -> None:
    with ftp_server(served) as address:
        cache = Cache(tmp_path / "here", SharedSteps(address, KEY))
    entry = kept(cache, [1])
    told = cache.share(entry)
    assert told is not None
    assert "does not answer" in told
    assert PASSWORD not in told
    problems: list[str] = []
    assert list(cache.find(entry.key, problems)) == [entry]
    assert problems == [told]


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for short in (None, "short"):
        with pytest.raises(StepError, match="a key of at least 16 characters") as caught:
            SharedSteps("ftp://me:secret-word@host/steps", short)
        assert "secret-word" not in str(caught.value)
    with pytest.raises(StepError, match="Protocol not known"):
        SharedSteps("nowhere://host/steps", KEY)
    with pytest.raises(StepError, match="needs a driver that is not installed"):
        SharedSteps("gdrive://host/steps", KEY)
    real = builtins.__import__

    def without(name: str, *args: Any) -> Any:
        if name.startswith("fsspec"):
            raise ImportError(name)
        return real(name, *args)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(StepError, match=r'pip install "cellops\[store\]"'):
        SharedSteps(f"file://{tmp_path}", KEY)


@pytest.mark.skipif(os.name != "posix", reason="the bits of a mode are those of POSIX")
def test_only_the_owner_reads_what_was_brought_here(address: str, tmp_path: Path) -> None:
    here, there = (Cache(tmp_path / name, SharedSteps(address, KEY)) for name in ("here", "there"))
    entry = kept(here, [1])
    here.share(entry)
    assert there.fetch(entry) is None
    assert all(path.stat().st_mode & 0o077 == 0 for path in files(tmp_path / "there"))
