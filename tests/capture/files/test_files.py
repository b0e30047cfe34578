"""What a cell reads and writes stands in its record: by whom, how large, with a digest and its method."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import xxhash

from cellops.capture.files import pinning
from cellops.capture.files.pinning import Pins, identify, pin
from cellops.capture.files.watcher import completed
from cellops.records.cell import CellRecord
from cellops.records.file import FileUse
from support.kernel import Kernel


def used(kernel: Kernel, source: str) -> list[FileUse]:
    """The files of a cell, which must run without a complaint."""
    done = kernel.run(source)
    assert (done.status, done.errors) == ("ok", []), done
    record = kernel.cells()[-1]
    assert not [finding for finding in record.findings if finding.code == "capture-fault"]
    return list(record.files)


def ways(files: list[FileUse]) -> list[tuple[str, str, str]]:
    return [(file.path, file.mode, file.opened) for file in files]


def digest_of(path: Path) -> str:
    return f"xxh3-128:{xxhash.xxh3_128_hexdigest(path.read_bytes())}"


@pytest.fixture
def data(loaded: Kernel) -> Path:
    """A project with one small table in many formats."""
    folder = loaded.project / "data"
    folder.mkdir()
    table = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"]})
    table.to_csv(folder / "t.csv", index=False)
    table.to_parquet(folder / "t.parquet")
    table.to_pickle(folder / "t.pkl")
    np.save(folder / "t.npy", np.arange(10))
    pl.DataFrame(table).write_ipc(folder / "t.arrow")
    loaded.run(
        "import pandas as pd, numpy as np, polars as pl, duckdb, joblib, os, io\n"
        "import pyarrow.parquet as pq, pyarrow.dataset\nfrom pathlib import Path"
    )
    return folder


READS = {
    "pd.read_csv('data/t.csv')": ("t.csv", "open"),
    "pd.read_parquet('data/t.parquet')": ("t.parquet", None),
    "pd.read_pickle('data/t.pkl')": ("t.pkl", "open"),
    "np.load('data/t.npy')": ("t.npy", "open"),
    "np.memmap('data/t.npy', mode='r')": ("t.npy", "open"),
    "joblib.load('data/t.pkl')": ("t.pkl", "open"),
    "open('data/t.csv').read()": ("t.csv", "open"),
    "Path('data/t.csv').read_text()": ("t.csv", "open"),
    "os.close(os.open('data/t.csv', os.O_RDONLY))": ("t.csv", "open"),
    "name = 't'\npl.read_csv(f'data/{name}.csv')": ("t.csv", None),
    "folder = Path('data')\npl.read_parquet(folder / 't.parquet')": ("t.parquet", None),
    "pl.scan_parquet(os.path.join('data', 't.parquet')).collect()": ("t.parquet", "argument"),
    "pl.read_ipc(str(Path('data').joinpath('t.arrow')))": ("t.arrow", None),
    "paths = {'train': 'data/t.parquet'}\npq.read_table(paths['train'])": ("t.parquet", "argument"),
    "pyarrow.dataset.dataset('data/t.parquet').to_table()": ("t.parquet", "argument"),
    "pl.read_parquet('data/*.parquet')": ("t.parquet", "argument"),
    "duckdb.sql(\"select * from 'data/t.parquet'\").fetchall()": ("t.parquet", "argument"),
    "duckdb.sql(\"select * from read_csv('data/t.csv')\").fetchall()": ("t.csv", "argument"),
    "duckdb.connect().execute(f\"select sum(a) from 'data/{'t'}.csv'\").fetchall()": ("t.csv", "argument"),
    "def helper(path): return pl.scan_parquet(path).collect()\nhelper(path='data/t.parquet')": (
        "t.parquet",
        "argument",
    ),
}


@pytest.mark.parametrize("source", READS)
def test_a_file_is_known_whoever_reads_it(loaded: Kernel, data: Path, source: str) -> None:
    name, opened = READS[source]
    files = used(loaded, source)
    assert [(file.path, file.mode) for file in files] == [(f"data/{name}", "read")]
    assert opened in {None, files[0].opened}
    assert (files[0].method, files[0].digest, files[0].size) == (
        "full",
        digest_of(data / name),
        (data / name).stat().st_size,
    )


def test_what_is_written_is_recorded_and_not_hashed(loaded: Kernel, data: Path) -> None:
    files = used(
        loaded, "pd.DataFrame({'a': [1]}).to_csv('new.csv')\npl.DataFrame({'a': [1]}).write_parquet('new.parquet')"
    )
    assert ways(files) == [("new.csv", "write", "open"), ("new.parquet", "write", files[1].opened)]
    assert {(file.method, file.digest, file.reason) for file in files} == {("metadata-only", None, "the cell wrote it")}
    assert ways(used(loaded, "with open('new.csv', 'r+') as file: file.read()")) == [("new.csv", "update", "open")]
    assert used(loaded, "x = open('new.csv').read()")[0].digest == digest_of(loaded.project / "new.csv")


def test_imports_the_system_and_missing_files_are_no_data(loaded: Kernel, data: Path) -> None:
    (loaded.project / "helper.py").write_text("value = 1")
    source = (
        "import helper, wave, sklearn.datasets\nsklearn.datasets.load_iris()\nopen('/proc/self/stat').read()\n"
        "open(os.devnull, 'w').close()\ntry:\n    open('missing.csv')\nexcept OSError: pass\nos.listdir('data')\n"
        "open('.cellops/mine', 'w').close()"
    )
    assert used(loaded, source) == []


def test_what_another_thread_opens_is_not_the_cells(loaded: Kernel, data: Path) -> None:
    source = "import threading\nt = threading.Thread(target=lambda: open('data/t.csv').read())\nt.start(); t.join()"
    assert used(loaded, source) == []


def test_paths_are_told_from_where_the_cell_stood(loaded: Kernel, data: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.csv").write_text("a\n1\n")
    source = f"os.chdir('data'); open('t.csv').close(); os.chdir('..'); open({str(tmp_path / 'outside.csv')!r}).close()"
    assert [file.path for file in used(loaded, source)] == ["data/t.csv", str(tmp_path / "outside.csv")]


def test_a_failed_cell_tells_what_it_had_read(loaded: Kernel, data: Path) -> None:
    assert loaded.run("open('data/t.csv').read()\n1 / 0").status == "error"
    assert ways(list(loaded.cells()[-1].files)) == [("data/t.csv", "read", "open")]


def test_a_cell_that_opens_thousands_of_files_lists_some_and_counts_all(loaded: Kernel) -> None:
    done = loaded.run("for n in range(600):\n    open(f'{n}.txt', 'w').close()")
    assert done.status == "ok"
    record = loaded.cells()[-1]
    assert len(record.files) == 500
    assert [f.seen for f in record.findings] == ["the cell opened 600 files, of which 500 are listed"]


def test_addresses_stand_without_credentials_and_are_a_finding(loaded: Kernel) -> None:
    source = (
        "import types\npl = types.SimpleNamespace(read_parquet=lambda path: None)\n"
        "pl.read_parquet('s3://someone:hunter2@bucket/t.parquet?X-Amz-Signature=abc&versionId=7')\n"
        "pl.read_parquet('lakefs://repository/main/tables/t.parquet')"
    )
    files = used(loaded, source)
    assert [file.path for file in files] == [
        "s3://bucket/t.parquet?versionId=7",
        "lakefs://repository/main/tables/t.parquet",
    ]
    assert [(p.kind, p.target, p.version) for file in files for p in file.pointers] == [
        ("uri", "s3://bucket/t.parquet?versionId=7", "7"),
        ("lakefs", "lakefs://repository/tables/t.parquet", "main"),
    ]
    record = loaded.cells()[-1]
    assert [finding.code for finding in record.findings].count("network-read") == 2
    assert "hunter2" not in record.to_json().decode()
    assert "X-Amz-Signature" not in json.dumps([f.to_dict() for f in record.files])


def test_what_a_reader_asks_the_network_for_is_known_from_the_request(loaded: Kernel) -> None:
    source = (
        "import pandas\naddress = 'http://user:hunter2@' + 'localhost:1/t.csv?token=abc'\n"
        "def ask(reader):\n    try:\n        reader(address)\n    except OSError: pass\nask(pandas.read_csv)"
    )
    assert [file.path for file in used(loaded, source)] == ["http://localhost:1/t.csv"]
    assert [finding.code for finding in loaded.cells()[-1].findings].count("network-read") == 1


def test_a_run_holds_what_the_cells_that_it_depends_on_read(loaded: Kernel, data: Path) -> None:
    with (data / "large.bin").open("wb") as file:
        file.truncate(3 * 2**20)
    used(loaded, "other = open('data/t.arrow', 'rb').read()")
    files = used(loaded, "t = open('data/t.csv').read()\nlarge = open('data/large.bin', 'rb').read()")
    assert [(file.path, file.method) for file in files] == [("data/t.csv", "full"), ("data/large.bin", "deferred")]
    loaded.run("%%mlops run\nrate = (len(t) + len(large)) / 3")
    run = loaded.closed()[-1]
    assert {file.path for file in run.files} == {"data/t.csv", "data/large.bin"}
    whole = {file.path: completed(file, loaded.project).digest for file in run.files}
    assert whole == {path: digest_of(loaded.project / path) for path in whole}


def test_a_deferred_file_that_has_changed_since_is_not_hashed(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("before")
    seen = path.stat()
    use = FileUse(path="t.csv", mode="read", opened="open", size=6, modified=seen.st_mtime_ns / 1e9, method="deferred")
    assert (completed(use, tmp_path).method, completed(use, tmp_path).digest) == ("full", digest_of(path))
    path.write_text("afterwards")
    assert (completed(use, tmp_path).method, completed(use, tmp_path).digest) == ("metadata-only", None)
    path.unlink()
    assert completed(use, tmp_path).reason == "it was written to before it had been hashed"


def test_nothing_is_heard_once_the_extension_is_unloaded(loaded: Kernel, data: Path) -> None:
    loaded.run("%unload_ext cellops")
    before = len(loaded.cells())
    assert loaded.run("open('data/t.csv').read(5)").results == ["'a,b\\n1'"]
    assert len(loaded.cells()) == before


def test_a_forked_child_reads_what_it_wants(loaded: Kernel, data: Path) -> None:
    source = "pid = os.fork()\nif pid == 0:\n    open('data/t.csv').read()\n    os._exit(0)\nos.waitpid(pid, 0)[1]"
    assert loaded.run(source).results == ["0"]
    assert loaded.cells()[-1].files == ()


def test_a_file_that_changes_while_it_is_hashed_says_so(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("before")
    seen = identify(path)
    assert seen is not None
    path.write_text("after!")
    os.utime(path, ns=(seen.modified, seen.modified))
    found = pin(path, seen)
    assert (found.method, found.digest, found.reason) == (
        "metadata-only",
        None,
        "it was written to before it had been hashed",
    )


def test_a_file_that_grows_while_it_is_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"a" * 100)
    seen = identify(path)
    assert seen is not None
    real = pinning._digest

    def grown(given: Path, of: pinning.Identity) -> str | None:
        found = real(given, of)
        with path.open("ab") as file:
            file.write(b"b")
        return found

    monkeypatch.setattr(pinning, "_digest", grown)
    assert pin(path, seen).method == "metadata-only"


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="there is no file here that nobody can read")
def test_an_unreadable_file_says_so() -> None:
    path = Path("/proc/self/mem")
    seen = identify(path)
    assert seen is not None
    found = pin(path, seen)
    assert (found.method, str(found.reason).startswith("it could not be read: ")) == ("metadata-only", True)


def test_a_pipe_is_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    seen = identify(tmp_path / "pipe")
    assert seen is not None
    assert pin(tmp_path / "pipe", seen).reason == "it is no regular file"


def test_an_enormous_file_is_sampled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pinning, "LARGEST", 4 * 2**20)
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(20 * 2**20)
    seen = identify(path)
    assert seen is not None
    found = pin(path, seen)
    assert (found.method, found.reason) == (
        "sampled",
        "1024 blocks of 1048576 bytes were hashed: the file is too large",
    )


def test_a_folder_counts_by_the_names_and_contents_of_its_files(tmp_path: Path) -> None:
    def digest(folder: Path) -> str:
        seen = identify(folder)
        assert seen is not None
        found = pin(folder, seen)
        assert found.method == "full"
        return str(found.digest)

    one = tmp_path / "one"
    (one / "inner").mkdir(parents=True)
    (one / "a").write_text("1")
    (one / "inner" / "b").write_text("2")
    before = digest(one)
    shutil.copytree(one, tmp_path / "other")
    assert digest(tmp_path / "other") == before
    (one / "inner" / "b").write_text("3")
    assert digest(one) != before
    (one / "inner" / "b").write_text("2")
    (one / "a").rename(one / "c")
    assert digest(one) != before


def test_a_large_file_is_hashed_beside_the_kernels_work(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"a" * 3 * 2**20)
    seen = identify(path)
    assert seen is not None
    pins = Pins()
    pins.defer(path, seen)
    thread = pins._thread
    assert thread is not None
    pins.stop()
    thread.join(60)
    found = pins.get(path, seen)
    assert found is not None
    assert found.digest == digest_of(path)


def test_the_same_record_is_read_back(loaded: Kernel, data: Path) -> None:
    used(loaded, "open('data/t.csv').read()")
    record = loaded.cells()[-1]
    assert CellRecord.from_json(record.to_json()) == record


def test_a_file_of_git_lfs_that_was_not_fetched_is_a_finding(loaded: Kernel, data: Path) -> None:
    (data / "t.csv").write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 12345\n")
    files = used(loaded, "open('data/t.csv').read()")
    assert [(p.kind, p.version) for p in files[0].pointers] == [("git-lfs", f"sha256:{'a' * 64}")]
    assert [finding.code for finding in loaded.cells()[-1].findings] == ["data-not-fetched"]


def test_python_lists_an_audit_event_for_what_this_counts_on() -> None:
    """A python that no longer tells of its opens would silently lose all."""
    script = (
        "import sys\nseen = []\nsys.addaudithook(lambda event, given: seen.append(event))\n"
        "open(sys.argv[1]).close()\nassert 'open' in seen"
    )
    subprocess.run([sys.executable, "-c", script, __file__], check=True)


@pytest.mark.usefixtures("data")
def test_a_path_that_a_function_binds_anew_is_not_known(loaded: Kernel) -> None:
    loaded.run("path = 'data/t.parquet'\ndef go_on():\n    global path\n    path = str(Path('data', 't.arrow'))")
    assert loaded.run("height = pl.read_parquet(path).height\ngo_on()").status == "ok"
    assert "path-not-known" in [finding.code for finding in loaded.cells()[-1].findings]
