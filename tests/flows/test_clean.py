"""Cleaning deletes nothing that exists only once."""

import os
from pathlib import Path

from cellops.flows.clean import clean, kept, removable
from cellops.flows.progress import read_progress, write_progress
from cellops.flows.runs import runs
from cellops.flows.sync import sync
from cellops.flows.verify import verify
from cellops.records.proof import Verdict
from cellops.settings import load
from support.journals import cell, key, run, session
from support.kernel import Kernel


def test_a_journal_stays_while_it_holds_what_no_run_has(project: Path) -> None:
    whole = session(project, "whole", *run("whole"))
    killed = session(project, "killed", run("killed")[0], cell(1), cell(2))
    waiting_for_a_run = session(project, "loose", *run("loose"), cell(2))
    without_runs = session(project, "bare", cell(1))
    sync()
    assert set(kept()) == {waiting_for_a_run, without_runs}
    assert {path for path in removable() if path.suffix == ".jsonl"} == {whole, killed}
    clean(removable())
    assert not whole.exists()
    assert waiting_for_a_run.exists()
    assert sync().journals == 0
    assert {found.name for found in runs()} == {"whole", "killed", "loose"}


def test_a_journal_stays_while_the_store_lacks_something_of_it(project: Path) -> None:
    path = session(project, "whole", *run("whole"))
    sync()
    write_progress(path, read_progress(path).replace(kept=(key("whole"),)))
    assert kept() == [path]
    assert path not in removable()


def test_what_workers_have_handed_over_stays_for_a_day(project: Path) -> None:
    new, old = (project / ".cellops" / "handed" / name / "one.tar.gz" for name in ("new", "old"))
    for path in (new, old):
        path.parent.mkdir(parents=True)
        path.touch()
    os.utime(old, (0, 0))
    assert removable() == [old]


def test_executed_notebooks_stay_while_a_journal_waits(project: Path) -> None:
    notebook = project / ".cellops" / "executions" / "n.ipynb"
    notebook.parent.mkdir()
    notebook.write_text("{}")
    session(project, "s", *run("waiting"))
    assert notebook not in removable()
    sync()
    assert notebook in removable()


def test_a_journal_stays_while_it_waits(project: Path) -> None:
    session(project, "s", *run("waiting"))
    assert removable() == []


def test_sources_and_states_go_once_they_are_carried_over(project: Path) -> None:
    (project / "helpers.py").write_text("scale = 2\n")
    kernel = Kernel(project, {"CELLOPS_WRITER": "false"})
    try:
        kernel.run("%load_ext cellops")
        kernel.run("%%mlops run\nimport helpers, random\nscore = random.random() / helpers.scale")
        settings = load(project)
        source, state = (next((settings.folder / name).iterdir()) for name in ("sources", "states"))
        assert not {source, state} & set(removable(settings))
        kernel.run("%unload_ext cellops")
    finally:
        kernel.stop()
    sync(settings)
    files = removable(settings)
    assert {source, state} <= set(files)
    assert clean(files) > 0
    assert not source.exists()
    assert verify("last", settings=settings).verdict is Verdict.IDENTICAL


def test_states_and_numbers_stay_while_a_journal_names_them(loaded: Kernel) -> None:
    loaded.run("%%mlops run\nimport random\nscore = random.random()")
    loaded.run("import numpy as np\nloose = np.random.normal(size=20)")
    loaded.run("%unload_ext cellops")
    sync()
    folder = loaded.project / ".cellops"
    held = {path for name in ("states", "values") for path in (folder / name).iterdir()}
    named = {folder / "values" / value.numbers for cell in loaded.cells() for value in cell.values if value.numbers}
    assert named
    assert kept()
    assert not held & set(removable())
