"""What was used longest ago goes first, and nothing that an execution still needs."""

import os
import subprocess
import sys
from pathlib import Path

from cellops.pipeline.cache.entries import Cache
from cellops.pipeline.cache.tidying import is_in_use
from support.kept import kept_with

HOLDING = """
import sys
from pathlib import Path
from cellops.pipeline.cache.entries import Cache
with Cache(Path(sys.argv[1])).in_use():
    print("held", flush=True)
    sys.stdin.read()
"""


def age(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            os.utime(path, (1, 1))


def sizes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_what_was_used_longest_ago_goes_first(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    old, new = cache.values.keep({"a": [1]})[0], cache.values.keep({"b": [2]})[0]
    os.utime(cache.values.path(old), (1, 1))
    assert cache.bound(old.size + new.size) == 0
    assert cache.bound(new.size) == old.size
    assert [cache.values.has(one) for one in (old, new)] == [False, True]


def test_entries_are_bounded_too(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    for number in range(20):
        kept_with(cache, f"step{number}")
    assert sizes(tmp_path) > 5000
    cache.bound(5000)
    assert sizes(tmp_path) <= 5000
    cache.bound(0)
    assert sizes(tmp_path) == 0


def test_a_running_execution_loses_nothing_and_a_dead_one_holds_nothing(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    used, unused = cache.values.keep({"a": [1]})[0], cache.values.keep({"b": [2]})[0]
    of_used, _ = kept_with(cache, "used", used), kept_with(cache, "unused", unused)
    half = tmp_path / "values" / ".half.part"
    half.write_bytes(b"0")
    age(tmp_path)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    assert is_in_use(tmp_path)
    assert cache.is_whole(of_used)
    written = cache.values.keep({"c": [3]})[0]
    cache.bound(0)
    assert [cache.values.has(one) for one in (used, unused, written)] == [True, False, True]
    assert cache.is_whole(of_used)
    assert not half.exists()
    holder.kill()
    holder.communicate()
    assert not is_in_use(tmp_path)
    cache.bound(0)
    assert not cache.values.has(used)


def test_what_is_being_written_stays_while_its_execution_runs(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    half = tmp_path / "values" / ".half.part"
    with cache.in_use():
        half.parent.mkdir(parents=True)
        half.write_bytes(b"0")
        cache.bound(0)
        assert half.exists()
    whole = cache.values.keep({"a": [1]})[0]
    assert cache.bound(1_000_000) == 1
    assert not half.exists()
    assert cache.values.has(whole)
    assert not list((tmp_path / "in-use").iterdir())
