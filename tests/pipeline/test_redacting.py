"""No executed notebook holds a secret, wherever it stood; a notebook without one is as it was."""

import json
from pathlib import Path

import nbformat
import pytest

from cellops.errors import NotebookError
from cellops.pipeline.engine import execute
from cellops.pipeline.redacting import redact_notebook

TOKEN = "ghp_" + "a1B2" * 10
PASSWORD = "hunter2hunter2"


def test_a_real_execution_leaves_no_secret(make_notebook, tmp_path: Path) -> None:
    notebook = make_notebook(
        "%load_ext cellops",
        "%%mlops parameters\ndb_password: str = ''\nrows: int = 3",
        f"token = {TOKEN!r}  # mine\nprint('read with', token)\ntoken",
        "from IPython.display import HTML, JSON, display\ndisplay(HTML(f'<b>{token}</b>'), JSON({'deep': [token]}))",
        "print(db_password)\ndef connect(password): raise ValueError(f'no {password}')",
        f"connect(password={PASSWORD!r})",
    )
    output = tmp_path / "executed.ipynb"
    with pytest.raises(NotebookError) as failed:
        execute(notebook, output, {"db_password": PASSWORD})
    written = output.read_text()
    assert (TOKEN in written, PASSWORD in written) == (False, False)
    assert PASSWORD not in str(failed.value.to_dict() if hasattr(failed.value, "to_dict") else vars(failed.value))
    nbformat.validate(nbformat.read(output, as_version=4))
    assert "[redacted]" in written
    assert json.loads(written)["metadata"]["papermill"]["parameters"] == {"db_password": "[redacted]"}


def test_a_notebook_without_secrets_is_as_it_was(make_notebook, tmp_path: Path) -> None:
    notebook = make_notebook(
        "password = input_from = None\nx = {'a': 1}\nx",
        "import sys\nprint('token', file=sys.stderr)\n'key: value'",
        "%matplotlib inline\nimport matplotlib.pyplot as plt\n_ = plt.plot([1, 2])",
        "1 / 0",
    )
    output = tmp_path / "executed.ipynb"
    with pytest.raises(NotebookError):
        execute(notebook, output, {})
    held = nbformat.read(output, as_version=4)
    assert redact_notebook(held) == held
    assert "\x1b[" in "".join(held.cells[3].outputs[0].traceback)


def test_a_secret_that_is_a_word_of_the_code_leaves_the_code_whole() -> None:
    cell = nbformat.v4.new_code_cell("password = 'password'\nshow(password)")
    cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text="the password passwords")]
    clean = redact_notebook(nbformat.v4.new_notebook(cells=[cell])).cells[0]
    assert clean.source == "password = '[redacted]'\nshow(password)"
    assert clean.outputs[0].text == "the [redacted] passwords"


def test_the_notebook_itself_is_not_changed() -> None:
    cell = nbformat.v4.new_code_cell(f"token = {TOKEN!r}")
    cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=[TOKEN, "\n"])]
    notebook = nbformat.v4.new_notebook(cells=[cell, nbformat.v4.new_markdown_cell(f"Use {TOKEN}")])
    clean = redact_notebook(notebook)
    assert TOKEN in notebook.cells[0].source
    assert notebook.cells[0].outputs[0].text == [TOKEN, "\n"]
    assert TOKEN not in json.dumps(clean)
