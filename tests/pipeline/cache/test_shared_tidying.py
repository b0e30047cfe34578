"""A folder that machines share keeps within limits, and what is left of it can be used."""

from pathlib import Path

import pytest

from cellops.errors import StepError, UsageError
from cellops.flows.clean import clean_shared
from cellops.pipeline.cache.entries import Cache
from cellops.pipeline.cache.shared import SharedSteps
from cellops.settings import Settings
from support.kept import KEY, files, kept_with, of_step


def fill(address: str, tmp_path: Path, key: str = KEY) -> None:
    """Three steps, the first of the year 1970; the second hands on a value of the first too."""
    cache = Cache(tmp_path / "here", SharedSteps(address, key))
    both, alone, last = (cache.values.keep({"a": [number] * 1000})[0] for number in range(3))
    for name, ended, values in (("one", 10.0, (both, alone)), ("two", 2e9, (both,)), ("three", 3e9, (last,))):
        assert cache.share(kept_with(cache, name, *values).replace(ended=ended)) is None


def settings_of(folder: Path, key: str | None) -> Settings:
    return Settings(project=folder, folder=folder / "own", tracking_uri="", experiment="own", step_store_key=key)


def left(address: str, tmp_path: Path) -> list[str]:
    """The steps that another machine finds, and has whole."""
    there = Cache(tmp_path / "there", SharedSteps(address, KEY))
    found = [(name, entry) for name in ("one", "two", "three") for entry in there.find(of_step(name), [])]
    assert [there.fetch(entry) for _, entry in found] == [None] * len(found)
    return [name for name, _ in found]


def test_what_is_older_goes_with_what_no_other_step_needs(address: str, served: Path, tmp_path: Path) -> None:
    fill(address, tmp_path)
    held = files(served)
    settings = settings_of(tmp_path, KEY)
    freed = clean_shared(address, older_than=1, settings=settings)
    gone = set(held) - set(files(served))
    assert len(gone) == 2
    assert freed > 0
    assert left(address, tmp_path) == ["two", "three"]
    assert clean_shared(address, older_than=1, settings=settings) == 0


def test_the_oldest_go_until_the_rest_is_within_the_limit(address: str, served: Path, tmp_path: Path) -> None:
    fill(address, tmp_path)
    cache = Cache(tmp_path / "own", SharedSteps(address, KEY))
    whole = sum(path.stat().st_size for path in files(served))
    assert cache.bound_shared(limit=whole, before=None) == 0
    assert cache.bound_shared(limit=whole - 1, before=None) > 0
    assert left(address, tmp_path) == ["two", "three"]
    cache.bound_shared(limit=0, before=None)
    assert files(served) == []


def test_what_others_have_signed_stays(address: str, served: Path, tmp_path: Path) -> None:
    fill(address, tmp_path, key="another key of sixteen characters")
    held = files(served)
    assert clean_shared(address, max_size=0, settings=settings_of(tmp_path, KEY)) == 0
    assert files(served) == held


def test_what_is_not_said_or_not_there_is_told(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, KEY)
    with pytest.raises(UsageError, match="is not said"):
        clean_shared("file:///nowhere", settings=settings)
    with pytest.raises(StepError, match="with a key of at least 16 characters"):
        clean_shared("file:///nowhere", max_size=1, settings=settings_of(tmp_path, None))
    assert clean_shared(f"file://{tmp_path}/nowhere", max_size=1, settings=settings) == 0
