"""In what the code ran: enough to build it again, and nothing that is nobody's business."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cellops.capture.environment import distributions, machine
from cellops.capture.environment.description import read_environment
from cellops.records.environment import Origin
from cellops.records.run import Environment
from support.kernel import Kernel

HASH = "ab" * 32


def _install(folder: Path, name: str, direct_url: object = None, record: str = "") -> Path:
    metadata = folder / f"{name}-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "RECORD").write_text(record)
    if direct_url is not None:
        (metadata / "direct_url.json").write_text(json.dumps(direct_url))
    return metadata


def test_this_environment() -> None:
    found = read_environment()
    assert found.python == ".".join(map(str, sys.version_info[:3]))
    assert found.distributions["msgspec"]
    assert "msgspec" in found.imported
    assert list(distributions.imported(distributions.installed(), {"msgspec", "sklearn"})) == [
        "msgspec",
        "scikit-learn",
    ]
    assert 1 <= (found.usable_cores or 0) <= found.cores
    assert Environment.from_json(found.to_json()) == found
    assert "://" not in found.lock()


def test_libraries_with_threads_are_named(loaded: Kernel) -> None:
    loaded.run("import os, numpy, sklearn.linear_model\nos.environ['OMP_NUM_THREADS'] = '1'")
    loaded.run("%%mlops run\nscore = 1 / 2")
    found = loaded.closed()[-1].environment
    assert found is not None
    assert "blas" in {pool.kind for pool in found.thread_pools}
    assert {"numpy", "scikit-learn"} <= set(found.imported)
    assert found.variables["OMP_NUM_THREADS"] == "1"


def test_only_variables_of_the_list_are_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    monkeypatch.setenv("MY_SECRET", "hunter2hunter2")
    found = read_environment()
    assert found.variables["PYTHONHASHSEED"] == "7"
    assert "hunter2" not in found.to_json().decode()


@pytest.mark.parametrize(
    ("direct_url", "origin"),
    [
        (None, None),
        (
            {"url": "https://host.example/a.whl", "archive_info": {"hash": f"sha256={HASH}"}},
            Origin(local=False, sha256=HASH),
        ),
        ({"url": "file:///a.whl", "archive_info": {"hashes": {"sha256": HASH}}}, Origin(local=True, sha256=HASH)),
        (
            {"url": "https://me:pw@host.example/r", "vcs_info": {"vcs": "git", "commit_id": "c0ffee"}},
            Origin(local=True, commit="c0ffee"),
        ),
        ({"url": "file:///nowhere", "dir_info": {"editable": True}}, Origin(local=True, editable=True)),
        ([], Origin(local=True)),
        ({"url": 3, "archive_info": None}, Origin(local=True)),
    ],
)
def test_where_a_distribution_came_from(tmp_path: Path, direct_url: object, origin: Origin | None) -> None:
    assert distributions.origin(_install(tmp_path, "mine", direct_url)) == origin


def test_what_conda_installed_came_from_its_channel_and_not_from_the_folder_it_was_built_in(tmp_path: Path) -> None:
    metadata = _install(tmp_path, "numpy", {"url": "file:///croot/numpy_1701295/work", "dir_info": {}})
    (metadata / "INSTALLER").write_text("conda\n")
    assert distributions.origin(metadata) is None


def test_an_editable_package_is_pinned_by_its_commit(tmp_path: Path) -> None:
    source = tmp_path / "source with blanks"
    source.mkdir()
    who = ["-c", "user.name=me", "-c", "user.email=me@host.example"]
    for arguments in (["init", "-q"], [*who, "commit", "-q", "--allow-empty", "-m", "First"]):
        subprocess.run(["git", "-C", str(source), *arguments], check=True, capture_output=True)
    commit = subprocess.check_output(["git", "-C", str(source), "rev-parse", "HEAD"], text=True).strip()
    given = {"url": source.as_uri(), "dir_info": {"editable": True}}
    found = distributions.origin(_install(tmp_path, "mine", given))
    assert found == Origin(local=True, editable=True, commit=commit)


@pytest.mark.parametrize(
    ("record", "modules"),
    [
        ("sklearn/__init__.py,sha256=x,1\nsklearn/tree/__init__.py,,\n", ("sklearn",)),
        ("six.py,sha256=x,1\n", ("six",)),
        ("_fast.cpython-311-x86_64-linux-gnu.so,,\n", ("_fast",)),
        ("google/protobuf/__init__.py,,\ngoogle/protobuf/internal/__init__.py,,\n", ("google.protobuf",)),
        ("../../bin/tool,,\nmine-1.0.dist-info/METADATA,,\n", ()),
    ],
)
def test_what_a_distribution_brings(tmp_path: Path, record: str, modules: tuple[str, ...]) -> None:
    assert distributions.modules_of(_install(tmp_path, "mine", record=record)) == modules


def test_the_lock_has_hashes_for_all_or_for_none() -> None:
    plain = Environment(python="3", implementation="", platform="", machine="", cpu="", cores=1)
    both = plain.replace(distributions={"a": "1", "b": "2", "mine": "3"}, local=("mine",))
    held, mine = Origin(local=False, sha256=HASH), Origin(local=True, commit="c0ffee")
    assert both.replace(origins={"a": held}).lock() == f"a==1  # --hash=sha256:{HASH}\nb==2\n# of no index: mine==3\n"
    assert both.replace(origins={"a": held, "mine": mine}, hashes={"b": (HASH, HASH[::-1])}).lock() == (
        f"a==1 --hash=sha256:{HASH}\nb==2 --hash=sha256:{HASH} --hash=sha256:{HASH[::-1]}\n"
        "# of no index: mine==3 at commit c0ffee\n"
    )


def test_graphics_cards_are_what_the_driver_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.gpus.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine.gpus() == ()
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'Some Card, 1024 MiB, 550.1'\n")
    tool.chmod(0o755)
    machine.gpus.cache_clear()
    assert machine.gpus() == ("Some Card, 1024 MiB, 550.1",)
    machine.gpus.cache_clear()
