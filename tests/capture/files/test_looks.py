"""Folders that a cell lists, and places where it finds nothing, stand in its record as they were when it looked."""

import os
from pathlib import Path

import pytest

from cellops.capture.files.names import MOST_HASHED, MOST_KEPT, names_in
from cellops.records.file import Found, Look
from support.kernel import Kernel

IMPORTS = "import glob, os\nfrom pathlib import Path\nfor name in 'ab': Path(f'data/{name}.csv').write_text(name)"


@pytest.fixture
def folder(loaded: Kernel) -> Path:
    """A project with two files in a folder."""
    (loaded.project / "data").mkdir()
    assert loaded.run(IMPORTS).status == "ok"
    return loaded.project / "data"


def looked(kernel: Kernel, source: str) -> dict[str, Look]:
    done = kernel.run(source)
    assert (done.status, done.errors) == ("ok", []), done
    assert not [finding for finding in kernel.cells()[-1].findings if finding.code == "capture-fault"]
    return {look.path: look for look in kernel.cells()[-1].looks}


LISTS = (
    "glob.glob('data/**/*.csv', recursive=True)",
    "glob.glob('data/*.csv'), os.listdir('data')",
    "os.listdir('data')",
    "os.listdir(b'data')",
    "list(os.scandir('data'))",
    "list(Path('data').iterdir())",
    "list(Path('data').rglob('*.csv'))",
    "list(os.walk('data'))",
    "os.chdir('data'); os.listdir(); os.chdir('..')",
)


@pytest.mark.usefixtures("folder")
def test_folders_that_are_listed_have_their_names(loaded: Kernel) -> None:
    found = names_in(str(loaded.project / "data"))
    assert found is not None
    for source in LISTS:
        data = looked(loaded, source)["data"]
        assert data == Look(path="data", found=Found.FOLDER, digest=found.digest, names=("a.csv", "b.csv")), source


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "source", ["glob.glob('data/a*')", "list(glob.iglob('data/a*'))", "list(Path('data').glob('a*'))"]
)
def test_folders_in_which_names_are_sought_have_those_that_match(loaded: Kernel, source: str) -> None:
    found = names_in(str(loaded.project / "data"), pattern="a*")
    assert found is not None
    whole = Look(path="data", found=Found.FOLDER, digest=found.digest, names=("a.csv",), pattern="a*")
    assert looked(loaded, source)["data"] == whole


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("source", "pattern", "names"),
    [
        ("glob.glob('data/*/x.json')", "*/x.json", ("one/x.json",)),
        ("list(Path('data').glob('*/x.json'))", "*/x.json", ("one/x.json",)),
        ("list(Path().glob('data/*/x.json'))", "*/x.json", ("one/x.json",)),
        ("glob.glob('*/x.json', root_dir='data')", "*/x.json", ("one/x.json",)),
        ("glob.glob(os.path.abspath('data/*/x.json'))", "*/x.json", ("one/x.json",)),
        ("glob.glob(b'data/*/x.json')", "*/x.json", ("one/x.json",)),
        ("glob.glob('data/*/x.json/**', recursive=True)", "*/x.json", ("one/x.json",)),
        ("glob.glob('data/**/x.json')", "**/x.json", ("one/x.json",)),
        ("glob.glob('data/x.json')", "x.json", ()),
        ("list(Path('data').glob('a.csv'))", "a.csv", ("a.csv",)),
        ("glob.glob('data/*/')", None, ()),
        ("glob.glob('data/*/*.json')", None, ()),
    ],
)
def test_what_glob_asks_for_without_listing_stands_with_what_matched(
    loaded: Kernel, source: str, pattern: str | None, names: tuple[str, ...]
) -> None:
    for folder in ("one", "two"):
        (loaded.project / "data" / folder).mkdir()
    (loaded.project / "data" / "one" / "x.json").touch()
    done = loaded.run(source)
    assert (done.status, done.errors) == ("ok", [])
    looks = loaded.cells()[-1].looks
    found = [(look.pattern, look.names) for look in looks if look.path == "data" and look.pattern not in {None, "*"}]
    assert found == ([] if pattern is None else [(pattern, names)])


def test_a_folder_in_which_glob_asks_for_something_was_not_there(loaded: Kernel) -> None:
    for source in ("list(Path('nowhere').glob('*.csv'))", "list(Path().glob('nowhere/*'))", "glob.glob('nowhere/x')"):
        look = Look(path="nowhere", found=Found.NOTHING)
        assert looked(loaded, f"import glob\nfrom pathlib import Path\n{source}") == {"nowhere": look}, source


def test_a_folder_is_seen_as_it_was_when_it_was_listed_first(loaded: Kernel, folder: Path) -> None:
    before = names_in(str(folder))
    assert before is not None
    found = looked(loaded, "names = os.listdir('data')\nopen('data/c.csv', 'w').close()\nos.listdir('data')")
    assert found["data"].digest == before.digest
    assert looked(loaded, "os.listdir('data')")["data"].names == ("a.csv", "b.csv", "c.csv")


@pytest.mark.usefixtures("folder")
def test_what_was_not_there_is_nothing(loaded: Kernel) -> None:
    tried = "try:\n    open('data/none.csv')\nexcept FileNotFoundError:\n    pass"
    assert looked(loaded, tried) == {"data/none.csv": Look(path="data/none.csv", found=Found.NOTHING)}
    assert looked(loaded, "glob.glob('nowhere/*')")["nowhere"].found is Found.NOTHING
    made = "try:\n    open('data/kept.csv')\nexcept FileNotFoundError:\n    open('data/kept.csv', 'w').close()"
    assert looked(loaded, made)["data/kept.csv"].found is Found.NOTHING


@pytest.mark.usefixtures("folder")
def test_what_a_cell_asks_for_is_there_or_not(loaded: Kernel) -> None:
    asked = {
        "os.path.exists('data/a.csv')": ("data/a.csv", Found.SOMETHING),
        "os.path.isfile('data/none.csv')": ("data/none.csv", Found.NOTHING),
        "Path('data/none.csv').exists()": ("data/none.csv", Found.NOTHING),
        "p = Path('data')\n(p / 'a.csv').is_file()": ("data/a.csv", Found.SOMETHING),
        "os.path.isdir('data')": ("data", Found.SOMETHING),
        "if not os.path.exists('data/new.csv'): open('data/new.csv', 'w').close()": ("data/new.csv", Found.NOTHING),
    }
    for source, (path, found) in asked.items():
        assert looked(loaded, source) == {path: Look(path=path, found=found)}, source


def test_the_size_and_time_that_a_cell_asks_for_stand_in_its_record(loaded: Kernel, folder: Path) -> None:
    seen = (folder / "a.csv").stat()
    look = Look(path="data/a.csv", found=Found.SOMETHING, digest=f"{seen.st_size} {seen.st_mtime_ns}")
    for source in (
        "os.path.getsize('data/a.csv')",
        "os.path.exists('data/a.csv') and os.stat('data/a.csv').st_size",
        "Path('data/a.csv').stat().st_mtime",
    ):
        assert looked(loaded, source) == {"data/a.csv": look}, source
    assert looked(loaded, "try:\n    os.stat('no')\nexcept OSError:\n    pass")["no"].found is Found.NOTHING


@pytest.mark.usefixtures("folder")
def test_tools_and_imports_look_for_nothing_of_the_users(loaded: Kernel) -> None:
    source = (
        "import importlib.metadata, tempfile, wave\nlist(importlib.metadata.distributions())\nos.listdir('/usr/lib')"
    )
    assert looked(loaded, f"{source}\nwith tempfile.TemporaryDirectory() as t: os.listdir(t)") == {}
    (loaded.project / "data" / "__pycache__").mkdir()
    assert looked(loaded, "os.listdir('data')")["data"].names == ("a.csv", "b.csv")


@pytest.mark.usefixtures("folder")
def test_secrets_in_names_are_not_recorded(loaded: Kernel) -> None:
    secret = "ghp_" + "a1B2" * 9
    (loaded.project / "data" / f"{secret}.csv").touch()
    loaded.run(f"password = '{secret}'")
    looked(loaded, "os.listdir('data'); os.path.exists(f'data/{password}')")
    assert secret not in "".join(journal.read_text() for journal in loaded.project.rglob("*.jsonl"))


def test_of_many_names_only_a_digest_is_kept(tmp_path: Path) -> None:
    for number in range(MOST_KEPT + 1):
        (tmp_path / f"{number}").touch()
    many = names_in(str(tmp_path))
    assert many is not None
    assert (many.digest is not None, many.names) == (True, None)
    (tmp_path / "0").unlink()
    fewer = names_in(str(tmp_path))
    assert fewer is not None
    assert fewer.digest != many.digest
    assert len(fewer.names or ()) == MOST_KEPT


def test_too_many_names_are_not_hashed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_HASHED >= 10_000
    monkeypatch.setattr("cellops.capture.files.names.MOST_HASHED", 2)
    for number in range(3):
        (tmp_path / f"{number}").touch()
    assert names_in(str(tmp_path)) == (None, None, None)
    assert names_in(str(tmp_path / "nowhere")) is None
    assert names_in(os.devnull) is None
