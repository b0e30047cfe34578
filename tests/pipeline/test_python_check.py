"""Cells that are no Python are refused before a kernel starts, all at once; what only IPython reads is left to it."""

import json
import os
import sys
from pathlib import Path

import nbformat
import pytest

from cellops.errors import UnfitError
from cellops.pipeline.python_check import check_python


def notebook(*sources: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("x = 1\ny = (", ["Cell 2, line 2: the cell is no Python: '(' was never closed", "  y = (", "      ^"]),
        (
            "%%time\ndef f(:\n    pass",
            ["Cell 2, line 2: the cell is no Python: invalid syntax", "  def f(:", "        ^"],
        ),
        ("%%mlops run\n\nx = = 1", ["Cell 2, line 3: the cell is no Python: invalid syntax", "  x = = 1", "      ^"]),
        (
            "%matplotlib inline\nx = [1",
            ["Cell 2, line 2: the cell is no Python: '[' was never closed", "  x = [1", "      ^"],
        ),
        ("  x = 1\n  y y", ["Cell 2, line 2: the cell is no Python: invalid syntax", "  y y", "    ^"]),
        ("x = )", ["Cell 2, line 1: the cell is no Python: unmatched ')'", "  x = )", "      ^"]),
    ],
)
def test_a_cell_that_is_no_python_is_shown_with_its_line(source: str, lines: list[str]) -> None:
    with pytest.raises(UnfitError) as caught:
        check_python(notebook("x = 1", source), "python3")
    *shown, remedy = caught.value.lines()
    assert [shown[0][: len(lines[0])], *shown[1:]] == lines
    assert remedy.startswith("Correct the line")
    assert caught.value.data["cell_index"] == 1


@pytest.mark.parametrize(
    "source",
    [
        "await something()\nasync with a as b:\n    pass",
        "%%bash\nfor x in",
        "%%mlops step a\n%%writefile x.txt\ny = (",
        "!ls | wc -l\nx = !ls\n%timeit -n 1 (1",
        "!ls \\\n  -la",
        "pip install pandas",
        "cd ..",
        "print?",
        "?print",
        "np.*load*?",
        "d['here'] = %pwd",
        "x: list = !ls",
        "/len x",
        ",print a b",
        ">>> x = 1\n>>> y = 2",
        "for x in [1]:\n    %time x\n    !echo {x}",
    ],
)
def test_what_ipython_reads_passes(source: str) -> None:
    check_python(notebook(source), "python3")


def test_a_cell_that_may_fail_passes() -> None:
    made = notebook("x = (")
    made.cells[0].metadata["tags"] = ["raises-exception"]
    check_python(made, "python3")


def test_a_notebook_that_may_change_the_syntax_passes() -> None:
    check_python(notebook("%load_ext coconut", "x = ("), "python3")
    check_python(notebook("get_ipython().input_transformers_post.append(mine)", "x = ("), "python3")


def test_a_configured_ipython_is_left_its_syntax(tmp_path: Path) -> None:
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    with pytest.raises(UnfitError):
        check_python(notebook("x = ("), "python3")
    (startup / "syntax.py").write_text("import coconut")
    check_python(notebook("x = ("), "python3")


@pytest.mark.parametrize(
    "command",
    [
        ["other", "{connection_file}"],
        [sys.executable, "-m", "ipykernel_launcher", "--ext=coconut", "-f", "{connection_file}"],
        ["newer", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
    ],
)
def test_other_kernels_are_left_their_syntax(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    newer = tmp_path / "newer"
    newer.write_text("""#!/bin/sh\necho '["CPython 9.99.0", "/", []]'\n""")
    newer.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    spec = tmp_path / "jupyter" / "kernels" / "other" / "kernel.json"
    spec.parent.mkdir(parents=True)
    spec.write_text(json.dumps({"argv": command, "display_name": "other", "language": "python"}))
    check_python(notebook("x = ("), "other")


def test_all_are_told_at_once_and_none_twice() -> None:
    with pytest.raises(UnfitError) as caught:
        check_python(notebook("x = (", "y = ]", "z z\nz", "%%bash\nx = ("), "python3", {1})
    assert [error.data["cell_index"] for error in caught.value.data["errors"]] == [0, 2]


def test_a_secret_in_the_line_is_not_shown() -> None:
    token = "ghp_" + "a1B2" * 9
    with pytest.raises(UnfitError) as caught:
        check_python(notebook(f"x = ('{token}'\n"), "python3")
    assert token not in "\n".join([caught.value.text(), *caught.value.lines()])
