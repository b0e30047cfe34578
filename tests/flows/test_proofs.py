"""A proof around its verdict: what it leaves of the user's files, where it is kept, and what it cannot be made of."""

import contextlib
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from mlflow import MlflowClient

from cellops.errors import NotFoundError, RecordError, UsageError, VerificationError
from cellops.flows.compare import compare
from cellops.flows.recorded import recorded
from cellops.flows.runs import runs
from cellops.flows.sync import sync
from cellops.flows.verify import verify
from cellops.pipeline.verify.leftovers import put_back_leftovers
from cellops.pipeline.verify.written_files import put_aside
from cellops.records.aside import LIST, REPLAYING, PutAside
from cellops.records.execution import CellProgress, CellState
from cellops.records.file import FilesPinned
from cellops.records.proof import Proof, Verdict
from cellops.settings import load
from support.kernel import Kernel
from support.permissions import OBEY_PERMISSIONS
from support.proofs import in_short

RUN = "%%mlops run --name trained\nscore = 0.5"


@pytest.fixture(autouse=True)
def _no_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELLOPS_WRITER", "false")


def test_parameters_that_the_run_does_not_depend_on_are_not_asked_for(loaded: Kernel) -> None:
    loaded.run("%%mlops parameters\nrows = 5")
    loaded.run("%%mlops parameters\ndepth = 3")
    loaded.run("%%mlops run\nsize = float(depth)")
    proof = verify()
    assert proof.verdict is Verdict.IDENTICAL, proof.cells
    assert {one.name for cell in proof.cells for one in cell.comparisons if one.kind == "parameter"} == {"depth"}


def test_what_the_slice_writes_is_put_back(loaded: Kernel) -> None:
    out, new = loaded.project / "out.csv", loaded.project / "new.txt"
    loaded.run("rows = [1, 2]\nopen('out.csv', 'w').write(str(rows))\nopen('new.txt', 'w').write('x')")
    loaded.run("%%mlops run\ntext = open('out.csv').read()\nsize = float(len(text))")
    out.write_text("edited by hand since", encoding="utf-8")
    new.unlink()
    proof = verify()
    assert proof.verdict is Verdict.IDENTICAL, proof.cells
    assert out.read_text(encoding="utf-8") == "edited by hand since"
    assert not new.exists()
    assert not [path for path in Path(proof.folder).iterdir() if path.name in {"aside", "record"}]


def test_names_of_a_librarys_writers_come_out_the_same(loaded: Kernel) -> None:
    loaded.run("import polars, duckdb\nfrom pyarrow.csv import write_csv\nsave = polars.DataFrame.write_csv")
    loaded.run("connect = duckdb.connect\ntable = polars.DataFrame\nsaving = table().write_csv")
    loaded.run(
        "%%mlops run\nframe = table({'x': [1]})\nsave(frame, 'a.csv')\nwrite_csv(frame.to_arrow(), 'b.csv')\n"
        "connect().close()\nscore = 0.5"
    )
    proof = verify()
    assert proof.verdict is Verdict.IDENTICAL, in_short(proof)


def test_what_somebody_else_writes_meanwhile_is_kept(loaded: Kernel) -> None:
    out = loaded.project / "out.txt"
    loaded.run("open('out.txt', 'w').write('of the run')")
    loaded.run("%%mlops run\nlength = float(len(open('out.txt').read()))")

    def at_the_last_cell(progress: CellProgress) -> None:
        if progress.index == 1 and progress.state is CellState.DONE:
            with out.open("a", encoding="utf-8") as file:
                file.write(" and mine")

    proof = verify(on_progress=at_the_last_cell)
    assert proof.verdict is Verdict.IDENTICAL, proof.cells
    assert out.read_text(encoding="utf-8") == "of the run"
    (told,) = [note for note in proof.notes if "was put back" in note]
    (kept,) = (Path(proof.folder) / "found").iterdir()
    assert str(kept) in told
    assert kept.read_text(encoding="utf-8") == "of the run and mine"


def test_files_that_a_killed_verification_left_are_put_back_by_the_next(tmp_path: Path) -> None:
    kept = tmp_path / "model.bin"
    kept.write_bytes(b"mine")
    folder = tmp_path / "proofs" / "one" / "aside"
    told: list[str] = []
    with put_aside([kept], folder, told.append):
        shutil.copytree(folder, tmp_path / "left")
    assert not told
    kept.write_bytes(b"of the replay, or mine")
    shutil.copytree(tmp_path / "left", folder)
    (tmp_path / "proofs" / REPLAYING).touch()
    put_back_leftovers(tmp_path / "proofs", told.append)
    assert kept.read_bytes() == b"mine"
    assert not folder.exists()
    (found,) = (folder.parent / "found").iterdir()
    assert found.read_bytes() == b"of the replay, or mine"
    assert told[0].endswith(str(found.parent))
    assert not (tmp_path / "proofs" / REPLAYING).exists()


def test_one_file_that_cannot_be_put_back_keeps_no_other_back(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a", "b", "c")]
    for path in files:
        path.write_text("mine", encoding="utf-8")
    told: list[str] = []
    with put_aside(files, tmp_path / "proofs" / "one" / "aside", told.append):
        for path in files:
            path.write_text("of the replay", encoding="utf-8")
        files[1].unlink()
        (files[1] / "inside").mkdir(parents=True)
    assert [path.read_text(encoding="utf-8") for path in (files[0], files[2])] == ["mine", "mine"]
    assert any(f"{files[1]} could not be put back" in text for text in told)
    (tmp_path / "proofs" / REPLAYING).touch()
    put_back_leftovers(tmp_path / "proofs", told.append)
    assert not (tmp_path / "proofs" / REPLAYING).exists()


TOUCHING = {
    "replaced": "open('part', 'w').write('new')\nos.replace('part', 'kept.txt')",
    "moved away": "os.rename('kept.txt', 'elsewhere.txt')",
    "deleted": "os.remove('kept.txt')",
    "moved in": "open('part', 'w').write('new')\nshutil.move('part', 'kept.txt')",
    "truncated": "os.truncate('kept.txt', 0)",
    "a folder deleted": "shutil.rmtree('folder')\nos.makedirs('folder')",
    "a new name each time": "open(f'model-{time.time_ns()}.bin', 'w').write('new')",
    "a new folder": "os.makedirs('made/inside')\nopen('made/inside/x', 'w').write('new')",
    "through a link": "open('link.txt', 'w').write('new')",
    "a link turned round": "os.remove('link.txt')\nos.symlink('kept.txt', 'link.txt')",
    "a link replaced": "os.symlink('kept.txt', 'part')\nos.replace('part', 'link.txt')",
    "a link to a folder replaced": "os.remove('current')\nos.makedirs('new')\nos.symlink('new', 'current')",
    "a link made a folder": "os.remove('current')\nos.makedirs('current')\nopen('current/x', 'w').write('new')",
    "a file made a link": "os.remove('kept.txt')\nos.symlink('store.txt', 'kept.txt')",
    "a link away with its folder": "shutil.rmtree('folder')",
    "written through a link to nothing": "open('nothing', 'w').write('new')",
    "a folder moved": "os.rename('folder', 'moved')",
    "its mode": "os.chmod('kept.txt', 0o400)\nos.chmod('folder', 0o700)",
    "its times": "os.utime('kept.txt', (0, 0))",
    "a database by its address": (
        "c = sqlite3.connect('file:kept%2Edb?mode=rw&cache=private', uri=True)\n"
        "c.execute('insert into t values (2)')\nc.commit()\nc.close()"
    ),
    "a new database by its address": (
        "c = sqlite3.connect('file://' + os.path.abspath('made.db'), uri=True)\n"
        "c.execute('create table t (n)')\nc.close()"
    ),
    "polars": "import polars\nfor name in ('kept', 'new'):\n    polars.DataFrame({'x': [1]}).write_csv(name + '.txt')",
    "polars later": "import polars\npolars.LazyFrame({'x': [1]}).sink_parquet(path='kept' + '.txt')",
    "pandas by pyarrow": "import pandas\npandas.DataFrame({'x': [1]}).to_parquet('kept' + '.txt')",
    "pyarrow": "from pyarrow import feather, table\nfeather.write_feather(table({'x': [1]}), 'kept' + '.txt')",
    "pyarrow's own format": (
        "import pyarrow\ntable = pyarrow.table({'x': [1]})\n"
        "with pyarrow.ipc.new_file('kept' + '.txt', table.schema) as file:\n    file.write_table(table)"
    ),
    "a folder of files": (
        "import pyarrow\nfrom pyarrow import dataset, parquet\ntable = pyarrow.table({'x': [1]})\n"
        "parquet.write_to_dataset(table, 'fol' + 'der', partition_cols=['x'])\n"
        "dataset.write_dataset(table, 'another', format='csv')"
    ),
    "a booster": (
        "import xgboost\nmatrix = xgboost.DMatrix([[1.0], [2.0]], [1.0, 2.0])\n"
        "xgboost.train({}, matrix, 1).save_model('model' + '.json')"
    ),
    "a database": "c = sqlite3.connect('kept.db')\nc.execute('insert into t values (2)')\nc.commit()\nc.close()",
}


@pytest.mark.parametrize("touching", TOUCHING.values(), ids=TOUCHING)
def test_whatever_python_does_to_files_is_undone(loaded: Kernel, touching: str) -> None:
    folder = loaded.project
    loaded.run(
        "import os, shutil, sqlite3, time\n"
        "def touch():\n    if os.environ.get('CELLOPS_RESTORING'):\n        " + touching.replace("\n", "\n        ")
    )
    loaded.run("%%mlops run\ntouch()\nscore = 0.5")
    (folder / "kept.txt").write_text("mine", encoding="utf-8")
    (folder / "store.txt").write_text("mine", encoding="utf-8")
    (folder / "link.txt").symlink_to("store.txt")
    (folder / "folder").mkdir()
    (folder / "folder" / "precious.txt").write_text("mine", encoding="utf-8")
    (folder / "folder" / "inner").mkdir()
    (folder / "folder" / "up").symlink_to("..")
    (folder / "current").symlink_to("folder")
    (folder / "nothing").symlink_to("elsewhere")
    with contextlib.closing(sqlite3.connect(folder / "kept.db")) as database:
        database.execute("create table t (n)")
        database.commit()
    before = picture(folder)
    assert verify().verdict is Verdict.IDENTICAL
    assert picture(folder) == before


def picture(folder: Path) -> dict[str, tuple[object, ...]]:
    """What stands below a folder, but for cellops' own: links, folders, and files with their mode, time and number."""
    own = folder / ".cellops"
    paths = [path for path in sorted(folder.rglob("*")) if not path.is_relative_to(own) and not path.is_socket()]
    return {str(path.relative_to(folder)): _described(path) for path in paths}


def _described(path: Path) -> tuple[object, ...]:
    status = path.lstat()
    if path.is_symlink():
        return (path.readlink(),)
    if path.is_dir():
        return (status.st_mode,)
    return path.read_bytes(), status.st_mode, status.st_mtime_ns, status.st_ino


HELD = {
    "a log": (
        "log = open('held', 'w')",
        "log.write('of the run\\n')\nlog.flush()",
        "log.write('precious')\nlog.flush()\nopen('held').read()",
        "'of the run\\nof the run\\nprecious'",
    ),
    "a database": (
        "import sqlite3\nheld = sqlite3.connect('held')\nheld.execute('create table if not exists t (n)')",
        "held.execute('insert into t values (1)')\nheld.commit()",
        (
            "held.execute('insert into t values (2)')\nheld.commit()\n"
            "sqlite3.connect('held').execute('select n from t').fetchall()"
        ),
        "[(1,), (1,), (2,)]",
    ),
    "a database with a log ahead": (
        (
            "import sqlite3\nheld = sqlite3.connect('held')\n"
            "mode = held.execute('pragma journal_mode=wal').fetchall()\n"
            "held.execute('create table if not exists t (n)')"
        ),
        "held.execute('insert into t values (1)')\nheld.commit()",
        (
            "held.execute('insert into t values (2)')\nheld.commit()\n"
            "sqlite3.connect('held').execute('select n from t').fetchall()"
        ),
        "[(1,), (1,), (2,)]",
    ),
    "a mapped array": (
        "import numpy as np\nheld = np.memmap('held', dtype='u1', mode='w+', shape=(8,))\nheld[:] = 1\ncount = 0",
        "held[count] = 7\ncount += 1",
        "held[7] = 9\nheld.flush()\nopen('held', 'rb').read().hex(), int(held.sum())",
        "('0707010101010109', 28)",
    ),
}


@pytest.mark.parametrize(("opened", "written", "later", "expected"), HELD.values(), ids=HELD)
def test_a_session_that_has_a_file_open_goes_on_with_it(
    loaded: Kernel, opened: str, written: str, later: str, expected: str
) -> None:
    loaded.run(opened)
    loaded.run(f"%%mlops run\n{written}\nscore = 0.5")
    loaded.run(written)
    loaded.run("from cellops.flows.verify import verify\nproof = verify()")
    assert loaded.run(later).results == [expected]
    # Of a database with a log, what changes depends on whether the kernel of the replay closed it at its end.
    assert re.search(r"held(-shm|-wal)? was open in this process while", loaded.run("proof.notes").results[0])


def test_a_file_keeps_its_other_names_whoever_replaces_it(tmp_path: Path) -> None:
    kept, other = tmp_path / "kept", tmp_path / "other"
    kept.write_text("mine", encoding="utf-8")
    other.hardlink_to(kept)
    told: list[str] = []
    with put_aside([kept], tmp_path / "aside", told.append):
        other.write_text("of the replay", encoding="utf-8")
        (tmp_path / "part").write_text("mine", encoding="utf-8")
        (tmp_path / "part").replace(kept)
    assert kept.samefile(other)
    assert kept.read_text(encoding="utf-8") == "mine"


def test_a_link_that_somebody_turns_meanwhile_is_kept(tmp_path: Path) -> None:
    aside, link, told = tmp_path / "one" / "aside", tmp_path / "latest", list[str]()
    link.symlink_to("v1")
    with put_aside([], aside, told.append):
        (aside / LIST).write_bytes(PutAside(path=str(link), link="v1", existed=True).to_json() + b"\n")
        link.unlink()
        link.symlink_to("v3")
    assert str(link.readlink()) == "v1"
    (found,) = (aside.parent / "found").iterdir()
    assert str(found.readlink()) == "v3"
    assert str(found) in told[0]


def test_two_verifications_at_once_do_not_see_each_other(loaded: Kernel) -> None:
    loaded.run(
        "%%mlops run --name counting\nopen('count.txt', 'w').write('x' * 5)\n"
        "size = float(len(open('count.txt').read()))"
    )
    (loaded.project / "count.txt").write_text("mine", encoding="utf-8")
    command = [sys.executable, "-m", "cellops", "verify", "counting"]
    both = [subprocess.Popen(command, cwd=loaded.project, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sum("Waiting for another verification" in text for text in said) == 1
    assert (loaded.project / "count.txt").read_text(encoding="utf-8") == "mine"


def test_a_name_that_nothing_reads_does_not_speak_of_the_run(loaded: Kernel) -> None:
    loaded.run("import time\nmoment, scale = time.time(), 2.0")
    loaded.run("%%mlops run\ndouble = scale * 2")
    proof = verify()
    assert proof.verdict is Verdict.IDENTICAL, proof.cells
    assert any("moment" in note and "nothing behind this cell that reads it" in note for note in proof.notes)


def test_what_a_cell_draws_before_it_seeds_is_told_as_that(loaded: Kernel) -> None:
    loaded.run("%%mlops run\nimport random\ndrawn = random.random()\nrandom.seed(3)")
    proof = verify()
    assert proof.verdict is Verdict.IDENTICAL, in_short(proof)
    (note,) = proof.notes
    assert "may draw from a generator (python) before it seeds it" in note


def test_a_run_that_fails_as_it_did_is_told_as_that(loaded: Kernel) -> None:
    loaded.run("%%mlops run --name failing\nscore = 0.5\nraise ValueError(score)")
    done = _verify(loaded.project, "failing")
    assert done.returncode == 0, done.stderr
    assert ": identical, it fails as it did then · " in done.stdout
    assert "fails with ValueError in line 3, as it did then\n" in done.stdout
    (shown,) = loaded.run("%mlops verify failing").displays
    assert "Identical, it fails as it did then" in shown["text/html"]
    assert "fails with ValueError in line 3, as it did then" in shown["text/html"]


def test_a_comment_in_a_module_is_told_and_changes_nothing(loaded: Kernel) -> None:
    module = loaded.project / "scales.py"
    module.write_text("FACTOR = 2\n", encoding="utf-8")
    loaded.run("%%mlops run\nimport scales\ndouble = scales.FACTOR * 2.0")
    module.write_text("FACTOR = 2  # twice\n", encoding="utf-8")
    proof = verify()
    assert proof.verdict is Verdict.IDENTICAL, proof.cells
    assert [one.verdict for one in proof.modules] == [Verdict.DIVERGED]


def test_what_a_cell_adds_to_a_file_is_named_as_the_cause(loaded: Kernel) -> None:
    adding = "with open('log.txt', 'a') as log:\n    log.write('line\\n')"
    loaded.run(f"%%mlops run\n{adding}\nlines = len(open('log.txt').readlines())")
    proof = verify()
    assert proof.verdict is Verdict.DIVERGED
    assert "adds to a file" in proof.causes[0].text
    assert (loaded.project / "log.txt").read_text(encoding="utf-8") == "line\n"


def test_the_run_has_its_proof_in_the_store_and_in_the_list(loaded: Kernel) -> None:
    loaded.run(RUN)
    assert runs()[0].proof is None
    proof = verify("trained")
    assert runs()[0].proof == "identical"
    sync()
    shutil.rmtree(loaded.project / ".cellops" / "journal")
    (found,) = runs()
    assert (found.proof, found.synced) == ("identical", True)
    held = Proof.from_file(Path(proof.folder) / "proof.json")
    assert (held.run, held.verdict) == (found.run, Verdict.IDENTICAL)


def test_a_run_is_verified_from_the_store_alone(loaded: Kernel) -> None:
    loaded.run("import random\nimport numpy as np")
    loaded.run("noise = np.random.normal(size=50)\nlucky = random.random()")
    loaded.run("%%mlops run --name trained\ntotal = float(noise.sum()) + lucky")
    loaded.stop()
    sync()
    for name in ("journal", "states", "values"):
        shutil.rmtree(loaded.project / ".cellops" / name)
    proof = verify("trained")
    assert proof.verdict is Verdict.IDENTICAL, proof.cells
    assert {one.name for cell in proof.cells for one in cell.comparisons} >= {"noise", "lucky", "total"}


def test_a_run_of_another_tool_is_told(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{project}/theirs.db")
    client = MlflowClient(f"sqlite:///{project}/theirs.db")
    client.create_run(client.create_experiment("theirs"), run_name="foreign")
    (project / ".cellops").rmdir()
    with pytest.raises(RecordError, match=r"The run foreign \(.{8}\) was not recorded by cellops\. Begin its cell"):
        verify("foreign")
    with pytest.raises(RecordError, match="was not recorded by cellops"):
        compare("foreign", "foreign")
    assert [run.name for run in runs()] == ["foreign"]
    assert not (project / ".cellops").exists()


def test_last_is_the_newest_of_the_store_too(loaded: Kernel) -> None:
    loaded.run("%%mlops run --name older\nscore = 0.5")
    loaded.stop()
    newer = Kernel(loaded.project, {"CELLOPS_WRITER": "false"})
    try:
        newer.run("%load_ext cellops")
        newer.run("%%mlops run --name newer\nscore = 0.25")
        newest = newer.opened()[-1]
    finally:
        newer.stop()
    sync()
    (loaded.project / ".cellops" / "journal" / f"{newest.session}.jsonl").unlink()
    assert verify("last").name == "newer"


def test_code_that_logs_to_mlflow_itself_leaves_nothing_in_the_store(loaded: Kernel) -> None:
    loaded.run(
        "%%mlops run --name trained\nimport mlflow\nwith mlflow.start_run(run_name='own'):\n    pass\nscore = 0.5"
    )
    sync()
    before = [run.name for run in runs()]
    assert verify("trained").verdict is Verdict.IDENTICAL
    sync()
    assert [run.name for run in runs()] == before


def test_a_session_that_is_verified_goes_on_as_it_was(loaded: Kernel) -> None:
    loaded.run("values = [1]")
    loaded.run("%%mlops run --name trained\nvalues.append(2)\nsize = float(len(values))")
    done = loaded.run("%mlops verify")
    assert done.status == "ok", done.traceback
    (shown,) = done.displays
    assert "Identical" in shown["text/html"]
    assert shown["text/plain"].startswith("identical: run trained")
    assert loaded.run("values").results == ["[1, 2]"]
    assert [run.name for run in loaded.opened()] == ["trained"]


def test_a_diverged_run_shows_the_cell_and_both_values(loaded: Kernel) -> None:
    loaded.run("import uuid\nkey = str(uuid.uuid4())")
    loaded.run("%%mlops run --name <b>trained</b>\nsize = float(len(key))")
    done = loaded.run("%mlops verify")
    (shown,) = done.displays
    assert "Diverged at In [2], key" in shown["text/html"]
    assert "makes identifiers that are new each time" in shown["text/html"]
    assert "<b>trained</b>" not in shown["text/html"]


@pytest.mark.parametrize(
    ("options", "fact"),
    [({"environment": "old"}, "no such environment"), ({"tolerance": -1.0}, "a share of the numbers")],
)
def test_options_that_do_not_fit_are_refused_before_anything_runs(
    project: Path, options: dict[str, object], fact: str
) -> None:
    with pytest.raises(UsageError, match=fact):
        verify("last", **options)  # type: ignore[arg-type]


def test_an_unknown_run_is_told(project: Path) -> None:
    with pytest.raises(NotFoundError, match="no run nothing"):
        verify("nothing")


def test_an_open_run_is_told_and_so_is_one_whose_kernel_is_gone(loaded: Kernel) -> None:
    cell = loaded.send("%%mlops run --name slow\nprint('begun', flush=True)\nimport time\ntime.sleep(600)")
    loaded.wait_for_output("begun")
    with pytest.raises(RecordError, match="still open"):
        verify("slow")
    loaded.kill()
    with pytest.raises(RecordError, match="was gone before its cell had ended"):
        verify("slow")
    assert cell


def test_data_that_are_gone_are_told_before_a_kernel_starts(loaded: Kernel) -> None:
    (loaded.project / "data.txt").write_text("1", encoding="utf-8")
    loaded.run("%%mlops run\nsize = float(len(open('data.txt').read()))")
    (loaded.project / "data.txt").unlink()
    with pytest.raises(VerificationError, match=r"has read data\.txt, which is gone"):
        verify()
    assert [path.name for path in (loaded.project / ".cellops" / "proofs").iterdir()] == ["lock"]


def test_one_byte_of_a_large_file_is_seen_where_size_and_time_are_the_same(loaded: Kernel) -> None:
    data = loaded.project / "large.bin"
    data.write_bytes(bytes(3_000_000))
    loaded.run("content = open('large.bin', 'rb').read()\nsize = len(content)")
    loaded.run("%%mlops run --name sized\nbytes_read = float(size)")
    while not any(isinstance(event, FilesPinned) for event in loaded.events()):
        loaded.run("'each cell tells of what was hashed meanwhile'")
    loaded.stop()
    assert verify("sized").verdict is Verdict.IDENTICAL
    stamp = data.stat()
    with data.open("r+b") as file:
        file.seek(2_000_000)
        file.write(b"x")
    os.utime(data, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    proof = verify("sized")
    first = proof.first_divergence
    assert first is not None
    assert {one.name for one in first.comparisons if one.verdict is Verdict.DIVERGED} == {"large.bin", "content"}
    assert proof.causes[0].code == "changed-data"


def test_shell_commands_are_executed_again_only_on_demand(loaded: Kernel) -> None:
    loaded.run("!touch made.txt\nname = 'made.txt'")
    loaded.run("%%mlops run\nsize = float(len(name))")
    (loaded.project / "made.txt").unlink()
    with pytest.raises(VerificationError, match=r"In \[2\] runs shell commands"):
        verify()
    assert not (loaded.project / "made.txt").exists()
    assert verify(commands_allowed=True).verdict is Verdict.IDENTICAL


def test_a_secret_in_the_code_is_told(loaded: Kernel) -> None:
    loaded.run("password = 'correct-horse-battery'\nlength = len(password)")
    loaded.run("%%mlops run\nsize = float(length)")
    with pytest.raises(VerificationError, match=r"In \[2\] held a secret"):
        verify()


def test_ctrl_c_stops_the_kernel_and_puts_files_back(loaded: Kernel) -> None:
    out = loaded.project / "out.txt"
    loaded.run("pause = 0")
    loaded.run(
        "%%mlops run --name slow\n"
        "with open('out.txt', 'w') as file:\n    file.write('of the replay')\n"
        "import os, time\n"
        "if os.environ.get('CELLOPS_RESTORING'):\n    open('begun', 'w').close()\n    time.sleep(600)"
    )
    out.write_text("mine", encoding="utf-8")
    command = [sys.executable, "-m", "cellops", "verify", "slow"]
    process = subprocess.Popen(command, cwd=loaded.project, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    _wait_for(loaded.project / "begun", process)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.strip().startswith("cellops: Stopped")
    assert out.read_text(encoding="utf-8") == "mine"


def test_what_a_killed_verification_leaves_is_cleared_by_the_next(loaded: Kernel) -> None:
    out, began = loaded.project / "out.txt", loaded.project / "began"
    loaded.run(
        "%%mlops run --name slow\nwith open('out.txt', 'w') as file:\n    file.write('of the replay')\n"
        "import os, time\nif os.path.exists('wait'):\n    open('began', 'w').close()\n    time.sleep(600)"
    )
    out.write_text("mine", encoding="utf-8")
    (loaded.project / "wait").touch()
    command = [sys.executable, "-m", "cellops", "verify", "slow"]
    process = subprocess.Popen(command, cwd=loaded.project, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    _wait_for(began, process)
    process.kill()
    process.communicate()
    proofs = loaded.project / ".cellops" / "proofs"
    assert list(proofs.glob("*/record"))
    assert out.read_text(encoding="utf-8") == "of the replay"
    (loaded.project / "wait").unlink()
    assert verify("slow").verdict is Verdict.IDENTICAL
    assert out.read_text(encoding="utf-8") == "mine"
    assert not [*proofs.glob("*/record"), *proofs.glob("*/aside")]


def _wait_for(path: Path, process: "subprocess.Popen[str]") -> None:
    """Wait until a file appears, as long as the process lives."""
    tick = threading.Event()
    while not path.exists():
        assert process.poll() is None
        tick.wait(0.05)


def test_exit_codes_tell_ci_what_happened(loaded: Kernel) -> None:
    loaded.run("import time\nmoment = time.time()")
    loaded.run("%%mlops run --name clock\nlater = moment + 1")
    loaded.run("%%mlops run --name plain\nscore = 0.5")
    codes = {name: _verify(loaded.project, name) for name in ("plain", "clock", "nothing")}
    assert {name: done.returncode for name, done in codes.items()} == {"plain": 0, "clock": 3, "nothing": 1}
    assert "diverged at In [2], moment" in codes["clock"].stdout
    assert "likely cause: In [2] reads the clock" in codes["clock"].stdout
    assert codes["nothing"].stderr.startswith("cellops: There is no run nothing")
    assert _verify(loaded.project, "clock", "--tolerance", "0.5").returncode == 0
    assert _verify(loaded.project, "plain", "--env", "old").returncode == 2


def _verify(project: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "cellops", "verify", *arguments]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, env=dict(os.environ))


def test_a_project_that_cannot_be_written_is_verified_and_its_proof_not_stored(loaded: Kernel) -> None:
    (loaded.project / "rows.txt").write_text("1 2 3", encoding="utf-8")
    loaded.run("rows = open('rows.txt').read().split()")
    loaded.run("%%mlops run --name counted\ncount = len(rows)")
    loaded.stop()
    everything = [loaded.project, *loaded.project.rglob("*")]
    modes = {path: path.stat().st_mode for path in everything}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    before = {path: path.stat().st_mtime_ns for path in everything}
    script = f"{OBEY_PERMISSIONS}\nfrom cellops.cli import main\nmain(['verify', 'counted'])"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=loaded.project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done
    assert "identical" in done.stdout
    assert "The proof was not stored with the run" in done.stdout
    assert {path: path.stat().st_mtime_ns for path in [loaded.project, *loaded.project.rglob("*")]} == before
    for path, mode in modes.items():
        path.chmod(mode)


def test_the_record_of_a_run_holds_its_cells_in_order(loaded: Kernel) -> None:
    loaded.run("a = 1")
    loaded.run("b = 2")
    loaded.run("%%mlops run --name one\nc = float(a)")
    loaded.run("%%mlops run --name two\nd = float(b)")
    held = recorded("one", load(), lambda: loaded.project)
    assert [record.source.splitlines()[-1] for record in held.run.slice()] == ["a = 1", "c = float(a)"]
    assert held.run.trail[-1].run == held.run.run
