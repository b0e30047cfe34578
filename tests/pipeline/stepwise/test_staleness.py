"""What makes a kept step stale: all that its kernel has shown, and what nobody can tell is never kept in silence."""

import os
from pathlib import Path

import pytest

from support.stepwise import Project

OUTSIDE = "TH = 1\nimport os\ndef mode():\n    return os.environ.get('MODE_OF_A_MODULE')\n"
THREAD = """%%mlops step thread
from threading import Thread
held = []
one = Thread(target=lambda: held.append(open('threads.csv').read()))
one.start()
one.join()"""
PROCESSES = """%%mlops step processes
from concurrent.futures import ProcessPoolExecutor
with ProcessPoolExecutor(1) as pool:
    length = pool.submit(len, 'abc').result()"""
PROGRAM = "%%mlops step own\nimport subprocess\nsubprocess.run(['sort', 'sorted.csv'], check=True)"
SPAWNED = """%%mlops step own
from multiprocessing import get_context
with get_context('spawn').Pool(1) as pool:
    length = pool.apply(len, ('abc',))"""
LINKED = "%%mlops step own\nimport os\nos.symlink('a.csv', 'link')\nown = os.readlink('link')\nos.remove('link')"
IN_A_LOOP = """%%mlops step own
import polars
height = 0
for name in ('tables/a.csv', 'deep/one/a.csv'):
    height += polars.read_csv(name).height"""
IN_A_FUNCTION = """%%mlops step own
def height(name):
    import polars
    return polars.scan_csv(f'tables/{name}.csv').collect().height
found = height('a')"""
EDITED = """%%mlops step edited
import os, pyarrow as pa, pyarrow.csv
before = open('edited.csv').read()
getattr(pa.csv, 'write_' + 'csv')(pa.table({'a': [2]}), 'edited.csv')
os.utime('edited.csv', (0, 0))
height = polars.scan_csv('mixed/**/*.csv').collect().height
getattr(pa.csv, 'write_' + 'csv')(pa.table({'a': [2]}), 'mixed/one/b.csv')"""
CELLS = (
    "import glob, sys, polars\nfrom pathlib import Path",
    "%%mlops step listing\nimport glob\nfound = [open(p).read() for p in glob.glob('parts/*.txt')]",
    "%%mlops step globbed\nnamed = glob.glob('runs/*/metrics.json')\nopen('runs/c/metrics.json', 'w').close()",
    "%%mlops step by_path\nof_path = list(Path('runs').glob('*/metrics.json'))",
    "%%mlops step flagged\nflag = glob.glob('tree/flag')",
    "%%mlops step pattern\nrows = polars.read_csv('tables/*.csv').height",
    "%%mlops step deep\nlonger = polars.scan_csv('deep/**/*.csv').collect().height",
    "%%mlops step walking\nseen = [p.name for p in Path('tree').iterdir()]\nPath('tree/made.txt').write_text('own')",
    "%%mlops step absent\ntry:\n    more = open('more.csv').read()\nexcept FileNotFoundError:\n    more = ''",
    "%%mlops step asks\nthere = Path('flag').exists()",
    "%%mlops step size\nimport os\nsize = Path('sized.csv').exists() and os.path.getsize('sized.csv')",
    "%%mlops step age\nage = Path('sized.csv').stat().st_mtime",
    THREAD,
    "%%mlops step declared --keep\nimport subprocess\nsame = subprocess.run(['sort', 'sorted.csv'], check=True)",
    "%%mlops step module\nsys.path.insert(0, OUT)\nimport outside_of_it\nmode = outside_of_it.mode()",
    "%%mlops step network\nimport requests\ntry:\n    requests.get('http://127.0.0.1:9')\nexcept OSError:\n    pass",
    PROCESSES,
    EDITED,
)
"""Each step on its own: what it does shows in the kernel only."""
ALWAYS = {
    "processes": "it starts processes",
    "network": "requests.get asks the network",
    "edited": "edited.csv was written while it was executed",
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    folder = tmp_path / "project"
    (folder / ".cellops").mkdir(parents=True)
    (folder / "parts").mkdir()
    (folder / "tree").mkdir()
    (folder / "tables").mkdir()
    for name in "abc":
        (folder / "runs" / name).mkdir(parents=True)
    (folder / "runs" / "a" / "metrics.json").touch()
    (folder / "deep" / "one").mkdir(parents=True)
    (folder / "mixed" / "one").mkdir(parents=True)
    (folder / "mixed" / "one" / "a.csv").write_text("a\n1\n")
    for name in (
        "parts/one.txt",
        "tree/one.txt",
        "tables/a.csv",
        "deep/one/a.csv",
        "threads.csv",
        "sorted.csv",
        "edited.csv",
        "sized.csv",
    ):
        (folder / name).write_text("a\n1\n")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "outside_of_it.py").write_text(OUTSIDE)
    made = Project(folder)
    made.write(*(cell.replace("OUT", repr(str(outside))) for cell in CELLS))
    return made


def test_a_kept_step_is_not_used_where_anything_that_it_saw_is_another(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.execute()
    told = project.explain()
    assert {step: reasons for step, reasons in told.items() if reasons and step not in ALWAYS} == {}
    for step, said in ALWAYS.items():
        assert said in told[step][0]
        assert "--keep in its header would keep it all the same" in told[step][0]
    assert any("b.csv was written while it was executed" in reason for reason in told["edited"])

    (project.folder / "parts" / "notes.md").write_text("not asked for")
    assert project.explain()["listing"] == ()
    (project.folder / "parts" / "two.txt").write_text("2")
    assert project.explain()["listing"] == ("two.txt has come to parts",)
    (project.folder / "parts" / "two.txt").unlink()

    (project.folder / "runs" / "b" / "metrics.json").touch()
    (project.folder / "tree" / "flag").touch()
    told = project.explain()
    assert told["globbed"] == told["by_path"] == ("b/metrics.json has come to runs",)
    assert told["flagged"] == ("flag has come to tree",)
    (project.folder / "runs" / "b" / "metrics.json").unlink()
    (project.folder / "tree" / "flag").unlink()

    (project.folder / "tables" / "b.csv").write_text("a\n2\n")
    (project.folder / "deep" / "one" / "b.csv").write_text("a\n2\n")
    told = project.explain()
    assert told["pattern"] == ("b.csv has come to tables",)
    assert told["deep"] == ("deep has changed",)
    (project.folder / "tables" / "b.csv").unlink()
    (project.folder / "deep" / "one" / "b.csv").unlink()

    (project.folder / "tree" / "two.txt").write_text("2")
    (project.folder / "more.csv").write_text("2")
    (project.folder / "flag").write_text("2")
    sized = project.folder / "sized.csv"
    before = sized.stat()
    sized.write_text("a\n10\n")
    (project.folder / "threads.csv").write_text("a\n2\n")
    told = project.explain()
    assert told["listing"] == ()
    assert told["walking"] == ("two.txt has come to tree",)
    assert told["absent"] == ("more.csv was not there",)
    assert told["asks"] == ("flag was not there",)
    assert told["size"] == told["age"] == ("sized.csv has another size or time",)
    assert told["thread"] == ("threads.csv has changed",)
    for name in ("tree/two.txt", "more.csv", "flag"):
        (project.folder / name).unlink()
    (project.folder / "threads.csv").write_text("a\n1\n")
    sized.write_text("a\n1\n")
    os.utime(sized, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert project.explain()["module"] == ()
    monkeypatch.setenv("MODE_OF_A_MODULE", "fast")
    assert project.explain()["module"] == ("variable MODE_OF_A_MODULE, which its modules read, has changed",)
    monkeypatch.delenv("MODE_OF_A_MODULE")
    outside = tmp_path / "outside" / "outside_of_it.py"
    outside.write_text(f"# A comment\n\n{OUTSIDE.replace(' = ', '=')}")
    assert project.explain()["module"] == ()
    outside.write_text(OUTSIDE.replace("1", "2"))
    (changed,) = project.explain()["module"]
    assert changed.endswith("outside_of_it.py has changed")


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (PROGRAM, "it starts sort"),
        (SPAWNED, "it starts processes"),
        (LINKED, "it asks where a link leads (readlink)"),
        (IN_A_LOOP, "In [1]: which file read_csv reads is not certain from the source, and Python does not tell"),
        (IN_A_FUNCTION, "In [1]: which file scan_csv reads is not certain from the source, and Python does not tell"),
    ],
)
def test_a_step_of_which_nobody_knows_what_it_reads_is_executed_each_time(
    project: Project, cell: str, said: str
) -> None:
    project.write(cell)
    project.execute()
    project.execute()
    assert project.executed == ["own"]
    assert project.reasons == {"own": f"{said}; --keep in its header would keep it all the same"}
