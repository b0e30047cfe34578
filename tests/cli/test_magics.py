"""The verbs of the terminal on a notebook's line."""

from pathlib import Path

from support.kernel import Kernel
from support.notebooks import LOAD, write


def test_an_interrupted_execution_is_an_interrupt_that_names_what_is_left(project: Path, loaded: Kernel) -> None:
    write(project / "n.ipynb", LOAD, "%%mlops run --name endless\nwhile True: pass")
    sent = loaded.send("%mlops execute n.ipynb -o out.ipynb")
    loaded.wait_for_output("cell  1 of 2")
    loaded.manager.interrupt_kernel()
    done = loaded.wait(sent)
    assert done.status == "error"
    assert done.errors[0]["ename"] == "KeyboardInterrupt"
    assert f"The notebook as far as it came: {project / 'out.ipynb'}" in done.traceback


def test_a_verb_at_the_wrong_place_says_where_it_belongs(loaded: Kernel) -> None:
    run = "run is a verb of a cell. Write %%mlops run on the first line of the cell"
    assert run in loaded.run("%mlops run --seed 7").traceback
    status = "status is a verb of a line. Write %mlops status, with one %"
    assert status in loaded.run("%%mlops status\n1").traceback


def test_a_run_names_the_verb_of_the_notebook(loaded: Kernel) -> None:
    assert "· %mlops show " in loaded.run("%%mlops run\nlimit = 3").streams
