"""Which variables of the environment code asks for, and that a digest of one does not show it."""

import ast
from pathlib import Path

import pytest

from cellops.pipeline.cache.variables import ALL, asked_for, hidden, variables, variables_of
from cellops.records.module import ModuleSource

HOME = ("HOME", "USERPROFILE", "HOMEDRIVE", "HOMEPATH")
USER = ("LOGNAME", "USER", "LNAME", "USERNAME")


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("os.environ['A']", {"A"}),
        ("os.environ.get('A', 1)", {"A"}),
        ("os.environ.pop('A')", {"A"}),
        ("'A' not in os.environ", {"A"}),
        ("getenv('A')", {"A"}),
        ("from os import environ\nenviron['A'] = '1'", {"A"}),
        ("os.environ.update(A='1')", set()),
        ("from os import getenv", set()),
        ("config.get('A')", set()),
        ("from os import environ as e\ne['A']", None),
        ("from os import getenv as g\ng('A')", None),
        ("from os import path as p\np.exists('A')", set()),
        ("home, away = df.home, df['home']", set()),
        ("here = Path.home()", {*HOME}),
        ("os.path.expanduser('~/a')", {*HOME}),
        ("Path('~/a').expanduser()", {*HOME}),
        ("getpass.getuser()", {*USER}),
        ("from getpass import getuser as g\ng()", {*USER}),
        ("os.environ[name]", None),
        ("os.getenv(name)", None),
        ("dict(os.environ)", None),
        ("subprocess.run(command, env=os.environ)", None),
        ("os.environ['A'], os.environ.items()", None),
        ("os.path.expandvars('$A')", None),
        ("get_ipython().run_line_magic('env', 'A')", None),
    ],
)
def test_code_asks_for_variables_by_name_or_for_any(code: str, names: set[str] | None) -> None:
    assert asked_for(ast.parse(code)) == names


def test_any_variable_counts_where_any_may_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    trees = [ast.parse("os.environ[name]")]
    before = variables(trees, b"")
    assert ALL in before
    monkeypatch.setenv("SHLVL", "7")
    monkeypatch.setenv("CELLOPS_EXECUTION", "7")
    assert variables(trees, b"") == before
    monkeypatch.setenv("SOME_OTHER", "7")
    assert variables(trees, b"") != before


def test_what_modules_ask_for_is_known_by_their_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "asks.py").write_text("import os\nMODE = os.environ.get('MODE_OF_A_TEST')\n")
    (tmp_path / "broken.py").write_text("os.environ[\n")
    modules = [ModuleSource(name=n, path=f"{n}.py", digest="", size=0) for n in ("asks", "broken", "gone")]
    assert variables_of(modules, tmp_path, b"") == {}
    monkeypatch.setenv("MODE_OF_A_TEST", "fast")
    assert variables_of(modules, tmp_path, b"") == {"MODE_OF_A_TEST": hidden("fast")}
    monkeypatch.setenv("HOME", "elsewhere")
    (tmp_path / "asks.py").write_text("from pathlib import Path\nHERE = Path.home()\n")
    assert variables_of(modules, tmp_path, b"")["HOME"] == hidden("elsewhere")


def test_a_digest_of_a_secret_is_found_by_nobody_without_the_salt() -> None:
    assert hidden("hunter2", b"one") != hidden("hunter2", b"other") != hidden("hunter2")


def test_where_python_looks_for_modules_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    assert variables([], b"")["PYTHONPATH"] == "/somewhere"
