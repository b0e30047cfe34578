"""Scripts and pages in a terminal and in CI."""

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """# %%
# %load_ext cellops

# %%
# %%mlops parameters
rows: int = 0

# %%
# %%mlops run
score = 1 / rows
"""


def execute(project: Path, *words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "cellops", "execute", *words]
    environment = {**os.environ, "CELLOPS_WRITER": "false", **variables}
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)


def test_the_failing_line_of_a_script_is_named_to_the_person_and_to_github(project: Path) -> None:
    (project / "train.py").write_text(SCRIPT)
    done = execute(project, "train.py", "-o", "out.ipynb", GITHUB_ACTIONS="true", GITHUB_WORKSPACE=str(project))
    assert done.returncode == 1
    assert "train.py failed in cell 3 of 3, In [3], line 2 (line 10 of the file): ZeroDivisionError" in done.stderr
    assert "::error file=train.py,line=10,title=train.py%3A cell 3 of 3::ZeroDivisionError" in done.stdout
    again = execute(project, "out.ipynb", GITHUB_ACTIONS="true", GITHUB_WORKSPACE=str(project))
    assert "::error file=out.ipynb,title=out.ipynb%3A cell 3 of 3::ZeroDivisionError" in again.stdout


def test_magics_of_cellops_without_the_extension_are_told_with_the_remedy(project: Path) -> None:
    (project / "train.md").write_text("```python\nexec('x = 1')\n```\n\n```python\n%%mlops run\nscore = 1 / 2\n```\n")
    done = execute(project, "train.md")
    assert done.returncode == 1  # what a text that is executed loads is not known before a kernel starts
    assert "magic `%%mlops` not found. Begin the notebook with %load_ext cellops" in done.stderr


def test_a_notebook_without_any_magics_is_executed(project: Path) -> None:
    (project / "plain.py").write_text("x = 1\n\nprint(x)\n")
    done = execute(project, "plain.py", "-o", "out.ipynb")
    assert done.returncode == 0
    assert "Executed 2 cells" in done.stdout
    assert "No cell that was executed opened a run. Begin the cell that trains with: %%mlops run" in done.stdout


def test_a_script_without_code_is_one_clear_line(project: Path) -> None:
    (project / "empty.py").write_text("# nothing yet\n")
    done = execute(project, "empty.py")
    assert (done.returncode, done.stdout) == (2, "")
    assert "empty.py has no cells with code, so there is nothing to execute" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
