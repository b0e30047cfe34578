"""A notebook whose cells begin with %%mlops, and that cannot know it, is refused before a kernel starts."""

from pathlib import Path

import nbformat
import pytest

from cellops.errors import UnfitError
from cellops.pipeline.extension_check import check_loaded

RUN = "%%mlops run\nscore = 1 / 2"


def notebook(*sources: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])


@pytest.mark.parametrize("first", ["x = 1", "import json, numpy as np\nfrom pathlib import Path", "%matplotlib inline"])
def test_a_notebook_that_does_not_load_cellops_is_refused(first: str) -> None:
    with pytest.raises(UnfitError, match="Cell 2 begins with %%mlops, and no cell loads cellops") as caught:
        check_loaded(notebook(first, RUN, RUN), "python3")
    assert caught.value.data["cell_index"] == 1


@pytest.mark.parametrize(
    "first",
    [
        "%load_ext cellops",
        "%reload_ext cellops",
        "if True:\n    %load_ext cellops",
        "import cellops",
        "name = 'cell' + 'ops'\nget_ipython().run_line_magic('load' + '_ext', name)",
        "get_ipython().extension_manager.load_extension(name)",
        "%run setup.py",
        "exec(open('setup.py').read())",
        "import own_module_that_is_nowhere_here",
        "from . import helpers",
        "x = (",
    ],
)
def test_what_may_load_it_passes(first: str) -> None:
    check_loaded(notebook(first, RUN), "python3")


def test_a_notebook_without_headers_passes() -> None:
    check_loaded(notebook("x = 1", "%%mlops", "%%writefile x.py\n%%mlops run"), "python3")


def test_a_header_that_may_fail_passes() -> None:
    made = notebook(RUN)
    made.cells[0].metadata["tags"] = ["raises-exception"]
    check_loaded(made, "python3")


def test_an_ipython_that_may_load_it_passes(tmp_path: Path) -> None:
    configuration = tmp_path / "ipython" / "profile_default" / "ipython_config.py"
    configuration.parent.mkdir(parents=True)
    configuration.write_text("c.InteractiveShellApp.extensions = ['cellops']")
    check_loaded(notebook(RUN), "python3")
