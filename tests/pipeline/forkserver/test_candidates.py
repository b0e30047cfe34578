"""Which modules of a notebook may be imported ahead."""

import nbformat
import pytest

from cellops.pipeline.forkserver.candidates import candidates


def found(*sources: str) -> tuple[str, ...]:
    return candidates(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources]))


def test_modules_of_known_libraries_in_their_order() -> None:
    cells = [
        "%load_ext cellops\nimport pandas as pd, os",
        "%%mlops step fit\nfrom sklearn.svm import SVC\nimport numpy",
    ]
    assert found(*cells) == ("pandas", "sklearn.svm", "numpy")


def test_what_a_cell_may_not_come_to_import_is_left_to_it() -> None:
    assert found("try:\n    import pandas\nexcept ImportError: pass") == ()
    assert found("def read():\n    import numpy") == ()


@pytest.mark.parametrize(
    "source",
    [
        "'Train the model'",
        "%matplotlib inline",
        "import warnings\nwarnings.filterwarnings('ignore', category=FutureWarning)",
        "from __future__ import annotations\nimport matplotlib.pyplot as plt, os.path",
        "%%mlops parameters\nrows: int = 400  # of the table\nnames = ['a', -1, {'b': (None,)}]",
        "def double(value, by=2, *, deep=None):\n    return print(value * by)",
    ],
)
def test_what_changes_no_import_stands_in_front_of_them(source: str) -> None:
    assert found(source, "import numpy") == ("numpy",)


@pytest.mark.parametrize(
    "source",
    [
        "import os\nos.environ['OMP_NUM_THREADS'] = '1'",
        "import os\nenvironment = os.environ\nenvironment['OMP_NUM_THREADS'] = '1'",
        "%env OPENBLAS_NUM_THREADS=1",
        "%set_env OPENBLAS_NUM_THREADS=1",
        "!export MKL_NUM_THREADS=1",
        "os.putenv('MKL_NUM_THREADS', '1')",
        "from dotenv import load_dotenv",
        "import own",
        "from . import own",
        "import sys\nsys.path.insert(0, 'vendored')",
        "sys.meta_path += [hook]",
        "import warnings\nwarnings.simplefilter('error')",
        "class Prepared:\n    ready = prepare()",
        "@prepare\ndef f(): pass",
        "def f(x=prepare()): pass",
        "names = [prepare() for _ in range(2)]",
        "this is no Python",
    ],
)
def test_behind_what_may_change_an_import_there_is_none(source: str) -> None:
    assert found("import pandas", source, "import numpy") == ("pandas",)


def test_text_is_no_code() -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("import numpy")])
    assert candidates(notebook) == ()
