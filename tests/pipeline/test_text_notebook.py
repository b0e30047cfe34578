"""Scripts and Markdown pages as notebooks: their cells, ids, lines, and what is said of those that are none."""

import builtins
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cellops.errors import NotebookError, UsageError
from cellops.pipeline.engine import execute
from cellops.pipeline.notebook import read

PERCENT = """# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# x = 1

# %%
# %matplotlib inline

# %% tags=["parameters"]
x: int = 1

# %%
# !echo hello
# a comment
y = x / 0
"""
LIGHT = '''"""What this does."""
import os

# %%mlops parameters
x: int = 1

def twice(value):

    return 2 * value

print(twice(x))
'''
PAGE = """# Title

x = 1

```python tags=["parameters"]
x = 1
```

~~~
no code
~~~

```python
y = x / 0
```
"""
MYST = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  name: python3
  display_name: Python 3
---

```{code-cell} ipython3
:tags: [parameters]

x = 1
```

```{code-cell} ipython3
y = x / 0
```
"""
RMARKDOWN = """# Title

```{python tags=c("parameters")}
x = 1
```

```{python}
y = x / 0
```
"""


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "text", "places"),
    [
        (
            "n.py",
            PERCENT,
            [("%matplotlib inline", 12), ("x: int = 1", 15), ("!echo hello\n# a comment\ny = x / 0", 18)],
        ),
        (
            "n.py",
            LIGHT,
            [
                ('"""What this does."""\nimport os', 1),
                ("%%mlops parameters\nx: int = 1", 4),
                ("def twice(value):\n\n    return 2 * value", 7),
                ("print(twice(x))", 11),
            ],
        ),
        ("n.md", PAGE, [("x = 1", 6), ("y = x / 0", 14)]),
        ("n.md", MYST, [("x = 1", 14), ("y = x / 0", 18)]),
        ("n.Rmd", RMARKDOWN, [("x = 1", 4), ("y = x / 0", 8)]),
    ],
    ids=["percent", "light", "markdown", "myst", "rmarkdown"],
)
def test_cells_know_the_lines_where_they_begin(
    tmp_path: Path, name: str, text: str, places: list[tuple[str, int]]
) -> None:
    notebook = read(written(tmp_path, name, text))
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [(cell.source, cell.metadata.cellops.line) for cell in cells] == places
    assert [cell.id for cell in notebook.cells] == [f"cell-{place}" for place in range(len(notebook.cells))]
    assert "jupytext" not in notebook.metadata
    assert read(tmp_path / name) == notebook
    nbformat.validate(notebook)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("n.py", "", "has no cells with code"),
        ("n.py", "# only a comment\n", "has no cells with code"),
        ("n.md", "# Title\n\ntext\n", "has no cells with code"),
        ("n.md", "```R\nx <- 1\n```\n", "are written in R, and its header names no kernel"),
        ("n.py", "# ---\n# jupyter:\n#   kernelspec:\n#     name: python3\n# ---\n\nx = 1\n", "display_name"),
    ],
)
def test_what_is_no_notebook_is_one_clear_error(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(NotebookError, match=said) as caught:
        read(written(tmp_path, name, text))
    assert len(str(caught.value).splitlines()) == 1


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "n.py").write_bytes(b"x = '\xff'")
    with pytest.raises(NotebookError, match="is no text in UTF-8"):
        read(tmp_path / "n.py")


def test_without_jupytext_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    imported = builtins.__import__

    def without(name: str, *rest: Any, **options: Any) -> Any:
        if name == "jupytext":
            raise ImportError(name)
        return imported(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(NotebookError, match=r'pip install "cellops\[jupytext\]"'):
        read(written(tmp_path, "n.py", LIGHT))


def test_a_script_is_executed_and_the_line_of_its_file_is_named(tmp_path: Path) -> None:
    source = written(tmp_path, "train.py", PERCENT.replace("%matplotlib inline", "%env"))
    output = tmp_path / "out.ipynb"
    with pytest.raises(NotebookError, match=r"cell 4 of 4, In \[4\], line 3 \(line 20 of the file\)") as caught:
        execute(source, output, {"x": "3"})
    assert (caught.value.data["cell_index"], caught.value.data["file_line"]) == (3, 20)
    assert source.read_text().splitlines()[19] == "y = x / 0"
    executed = nbformat.read(output, as_version=4)
    assert [cell.id for cell in executed.cells] == ["cell-0", "cell-1", "cell-2", "injected-parameters", "cell-3"]
    assert executed.cells[3].source == "x = 3"
    with pytest.raises(NotebookError) as again:
        execute(output, tmp_path / "again.ipynb", {})
    assert again.value.data["file_line"] is None


def test_the_kernel_knows_the_path_of_the_script(tmp_path: Path) -> None:
    source = written(tmp_path, "n.py", "import os\nprint(os.environ['CELLOPS_NOTEBOOK'])\n")
    execute(source, tmp_path / "out.ipynb", {})
    assert nbformat.read(tmp_path / "out.ipynb", as_version=4).cells[0].outputs[0].text == f"{source}\n"


def test_an_output_that_is_named_as_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is named as a notebook as text"):
        execute(written(tmp_path, "n.py", "x = 1\n"), tmp_path / "out.py", {})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(sources=st.lists(st.integers(0, 99).map(lambda n: f"x = {n}\ny = x"), min_size=1, max_size=5))
def test_each_cell_of_a_script_stands_where_it_is_said_to(tmp_path: Path, sources: list[str]) -> None:
    import jupytext

    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    for form in ("py:percent", "py:light", "md", "Rmd", "md:myst"):
        text = jupytext.writes(nbformat.v4.new_notebook(cells=cells), form)
        notebook = read(written(tmp_path, f"n.{form.partition(':')[0]}", text))
        lines = text.splitlines()
        for cell in notebook.cells:
            first = cell.metadata.cellops.line - 1
            assert lines[first : first + 2] == cell.source.splitlines()[:2]
        found = [cell.metadata.cellops.line for cell in notebook.cells]
        assert found == sorted(set(found))
