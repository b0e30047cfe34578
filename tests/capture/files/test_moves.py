"""Files that a cell moves, links and takes away, and folders that it makes, stand in its record as they were left."""

import os
from pathlib import Path

import pytest

from cellops.records.file import FileUse, Found, Look
from support.kernel import Kernel

IMPORTS = "import os, pathlib, polars, shutil, tempfile\nfrom pathlib import Path"


@pytest.fixture
def kernel(loaded: Kernel) -> Kernel:
    (loaded.project / "foreign.csv").write_text("a\n1\n")
    (loaded.project / "folder").mkdir()
    (loaded.project / "folder" / "inner.csv").write_text("a\n1\n")
    assert loaded.run(IMPORTS).status == "ok"
    return loaded


def uses(kernel: Kernel, source: str) -> dict[str, str]:
    """How files were used, by path; the cell must run without a complaint."""
    done = kernel.run(source)
    assert (done.status, done.errors) == ("ok", []), done
    record = kernel.cells()[-1]
    assert not [finding for finding in record.findings if finding.code == "capture-fault"]
    return {file.path: file.mode for file in record.files}


WRITTEN = "Path('o.tmp').write_text('1')\n"
TABLE = "polars.DataFrame({'a': [1]}).write_parquet('o.tmp')\n"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (f"{WRITTEN}os.replace('o.tmp', 'o.csv')", {"o.csv": "write"}),
        (f"{WRITTEN}shutil.move('o.tmp', 'o.csv')", {"o.csv": "write"}),
        (f"{WRITTEN}Path('o.tmp').rename('o.csv')", {"o.csv": "write"}),
        (f"{WRITTEN}shutil.copy2('o.tmp', 'o.csv'); os.unlink('o.tmp')", {"o.csv": "write"}),
        (f"{TABLE}os.replace('o.tmp', 'o.csv')", {"o.csv": "write"}),
        (f"{WRITTEN}os.remove('o.tmp')", {}),
        ("os.mkdir('t'); Path('t/x').write_text('1'); os.rename('t', 'u')", {"u/x": "write"}),
        ("text = Path('o.csv').write_text('1'); os.link('o.csv', 'l.csv')", {"o.csv": "write", "l.csv": "write"}),
        ("os.rename('foreign.csv', 'o.csv')", {"foreign.csv": "update", "o.csv": "write"}),
        ("os.remove('foreign.csv')", {"foreign.csv": "update"}),
        ("os.remove('foreign.csv'); Path('foreign.csv').write_text('2')", {"foreign.csv": "write"}),
        ("text = Path('foreign.csv').read_text(); os.remove('foreign.csv')", {"foreign.csv": "update"}),
        ("Path('foreign.csv').write_text('2'); os.remove('foreign.csv')", {"foreign.csv": "update"}),
        ("shutil.rmtree('folder')", {"folder/inner.csv": "update", "folder": "update"}),
        ("os.rename('folder', 'other')", {"folder/inner.csv": "update", "other/inner.csv": "write"}),
        ("os.truncate('foreign.csv', 0)", {"foreign.csv": "update"}),
        ("with tempfile.TemporaryDirectory() as t: Path(t, 'x').write_text('1')", {}),
    ],
)
def test_what_is_moved_or_taken_away_is_told(kernel: Kernel, source: str, expected: dict[str, str]) -> None:
    assert uses(kernel, source) == expected


def test_what_was_taken_away_says_so(kernel: Kernel) -> None:
    uses(kernel, "os.remove('foreign.csv')")
    assert kernel.cells()[-1].files == (
        FileUse(path="foreign.csv", mode="update", opened="open", reason="it was taken away"),
    )


def test_a_file_of_an_earlier_cell_is_the_kernels_own(kernel: Kernel) -> None:
    assert uses(kernel, WRITTEN) == {"o.tmp": "write"}
    assert uses(kernel, "os.replace('o.tmp', 'o.csv')") == {"o.csv": "write"}


def test_folders_and_links_that_are_made_are_there_and_what_is_missing_is_not(kernel: Kernel) -> None:
    made = "os.makedirs('made/inner', exist_ok=True); os.makedirs('folder', exist_ok=True); os.symlink('made', 'link')"
    assert uses(kernel, f"{made}\nPath('none').unlink(missing_ok=True)") == {}
    looked = {look.path: look for look in kernel.cells()[-1].looks}
    there = ("made", "made/inner", "folder", "link")
    assert looked == {
        **{path: Look(path=path, found=Found.SOMETHING) for path in there},
        "none": Look(path="none", found=Found.NOTHING),
    }


def test_folders_of_others_for_passing_files_are_listed_as_any(kernel: Kernel, tmp_path: Path) -> None:
    there = tmp_path / "outside"
    there.mkdir()
    (there / "a.csv").touch()
    uses(kernel, f"tempfile.tempdir = {str(tmp_path)!r}\nos.listdir({str(there)!r})\nt = tempfile.mkdtemp()")
    uses(kernel, f"os.listdir(t)\nos.listdir({str(there)!r})")
    (look,) = kernel.cells()[-1].looks
    assert (look.path, look.names) == (str(there), ("a.csv",))


@pytest.mark.skipif(os.name != "posix", reason="open folders have no numbers there")
def test_what_is_moved_in_open_folders_is_counted(kernel: Kernel) -> None:
    source = "number = os.open('.', os.O_RDONLY)\nos.rename('foreign.csv', 'o.csv', src_dir_fd=number)"
    uses(kernel, source)
    assert "files-not-listed" in {finding.code for finding in kernel.cells()[-1].findings}
