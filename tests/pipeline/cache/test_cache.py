"""Keys that change with what decides a step and with nothing else; entries that are whole, few and recent."""

import os
from pathlib import Path
from typing import Any

import pytest

from cellops.capture.secrets import Secret
from cellops.pipeline.cache.entries import MOST_OF_A_KEY, Cache
from cellops.pipeline.cache.freshness import changed, stale
from cellops.pipeline.cache.interpreter import interpreter_of
from cellops.pipeline.cache.key import digest as key_digest
from cellops.pipeline.cache.key import key
from cellops.records.cached import Dependencies, KeptStep, StepKey
from cellops.records.file import FileUse

CELL = "%%mlops parameters\nrate: float = 0.5\nrows = 10\nhalf = rows / 2"


def of(*sources: str, cell: str | None = CELL, **parameters: object) -> StepKey:
    held = {"rate": 0.5, "rows": 10, **parameters}
    folder = Path("project")
    return key(
        sources,
        held,
        {"df": "abc"},
        outputs=("model",),
        folder=folder,
        project=folder,
        parameters_cell=cell,
        kernel="python3",
    )


def entry(of_key: StepKey, step: str = "train", **held: object) -> KeptStep:
    made = KeptStep(
        step=step,
        notebook="n.ipynb",
        execution="1",
        key=of_key,
        dependencies=Dependencies(),
        cells="0" * 64,
        places=(2,),
        ended=1.0,
        seconds=2.0,
    )
    return made.replace(**held)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1", "x=1  # a comment"),
        ("x = 1", "%%mlops step train --retries 3\n\nx = (1)"),
        ("x = [1,\n 2]", "x = [1, 2]"),
        ("'a'", '"a"'),
        ("x = 1", "x = 1;"),
        ("x", "x  # one"),
        ("# In the next cell we inspect x, import it and save it\nx", "x"),
        ("stacked = np.stack([x, x])", "# a comment\nstacked = np.stack([x, x])"),
    ],
)
def test_layout_and_comments_make_no_key(one: str, other: str) -> None:
    assert of(one) == of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1", "x = 2"),
        ("x = 1", "x = 1.0"),
        ("def f():\n    'a'", "def f():\n    'b'"),
        ("%time x = 1", "x = 1"),
        ("!ls", "!ls -l"),
        ("%%bash\nls", "%%bash\nls -l"),
        ("%%mlops run --seed 1\nx = 1", "%%mlops run --seed 2\nx = 1"),
        ("x", "x;"),
        ("x", "x;  # one\n\n  # another"),
        ("f('a; # b')", "f('a; # b') ;\n"),
    ],
)
def test_other_code_makes_another_key(one: str, other: str) -> None:
    assert of(one) != of(other)


@pytest.mark.parametrize(
    "source",
    [
        "import inspect\nx = inspect.getsource(f)",
        "x = inspect.stack()[0][2]",
        "from inspect import stack as s\nx = s()[0][2]",
        "x = sys._getframe().f_lineno",
        "x = list(f.__code__.co_lines())",
        "x = f.__code__.co_linetable",
        "x = list(f.__code__.co_positions())",
        "print_exc()",
        "x = TracebackException.from_exception(error)",
        "logger.exception('failed')",
        "logger.warning('failed', stack_info=True)",
        "logging.Formatter('%(lineno)d %(message)s')",
        "x = In[-1]",
        "x = len(In)",
        "x = In",
        "x = _ih[1]",
        "x = _i",
        "x = _i3",
        "%history",
        "x = get_ipython().run_line_magic('history', '')",
        "x = get_ipython().history_manager",
    ],
)
def test_a_comment_counts_where_sources_or_lines_are_read(source: str) -> None:
    assert of(source) != of(f"# a comment\n{source}")
    assert of("y = 1", source) != of("# a comment\ny = 1", source)


def test_only_parameters_that_are_used_decide() -> None:
    assert of("x = 1", rate=1.0) == of("x = 1", rate=2.0)
    assert of("x = rate", rate=1.0) != of("x = rate", rate=2.0)
    assert of("x = half", rows=1) != of("x = half", rows=2)
    assert of("x = globals()['rate']", rate=1.0) != of("x = globals()['rate']", rate=2.0)
    assert of("df.query('a > @rate')", rate=1.0) != of("df.query('a > @rate')", rate=2.0)
    assert of("x = rate", rate=1) != of("x = rate", rate=1.0)
    assert of("x = rate", rate=Secret("a long secret")) == of("x = rate", rate=Secret("another secret"))
    assert b"a long secret" not in of("x = rate", rate=Secret("a long secret")).to_json()


def test_an_environment_variable_that_the_code_asks_for_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODE_OF_THE_TEST", "fast secret")
    before = of("import os\nmode = os.environ['MODE_OF_THE_TEST']"), of("mode = 'MODE_OF_THE_TEST'")
    monkeypatch.setenv("MODE_OF_THE_TEST", "slow")
    assert of("import os\nmode = os.environ['MODE_OF_THE_TEST']") != before[0]
    assert of("mode = 'MODE_OF_THE_TEST'") == before[1]
    assert b"fast secret" not in before[0].to_json()


def test_what_is_computed_from_parameters_decides_where_it_is_used() -> None:
    other = CELL.replace("rows / 2", "rows / 3")
    assert of("x = half") != of("x = half", cell=other)
    assert of("x = rate") == of("x = rate", cell=other)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("inputs", {"df": "abd"}),
        ("inputs", {"df": None}),
        ("outputs", ("model", "more")),
        ("folder", Path("project/below")),
        ("kernel", "python3.13"),
    ],
)
def test_whatever_is_given_decides(name: str, other: object) -> None:
    given: dict[str, Any] = {
        "inputs": {"df": "abc"},
        "outputs": ("model",),
        "folder": Path("project"),
        "project": Path("project"),
        "parameters_cell": None,
        "kernel": "python3",
    }
    before = key(["x = 1"], {}, **given)
    after = key(["x = 1"], {}, **{**given, name: other})
    assert before != after
    assert key_digest(before) != key_digest(after)


def test_the_place_of_the_project_decides_where_the_code_asks_for_it() -> None:
    def at(source: str, project: Path) -> StepKey:
        return key(
            [source], {}, {}, outputs=(), folder=project, project=project, parameters_cell=None, kernel="python3"
        )

    one, other = Path("one").absolute(), Path("other").absolute()
    assert at("x = 1", one) == at("x = 1", other)
    for asking in ("os.getcwd()", "Path.cwd()", "Path('a').resolve()", "%pwd"):
        assert at(asking, one) != at(asking, other)


def test_a_parameter_with_the_name_of_a_secret_is_not_shown() -> None:
    one, other = (of("x = db_password", db_password=text) for text in ("hunter2hunter2", "other9secret"))
    assert one != other
    assert b"hunter2" not in one.to_json()


def test_entries_are_found_by_their_key_newest_first(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    assert list(cache.find(of("x"), [])) == []
    cells = cache.cells.keep(b"[]", ".json").stem
    for number in range(MOST_OF_A_KEY + 3):
        cache.keep(entry(of("x"), cells=cells, ended=float(number)))
        newest = max((tmp_path / "kept").rglob("*.json"), key=lambda path: path.stat().st_mtime_ns)
        os.utime(newest, (number, number))
    found = [one.ended for one in cache.find(of("x"), [])]
    assert len(found) == MOST_OF_A_KEY
    assert found == sorted(found, reverse=True)
    assert list(cache.find(of("y"), [])) == []
    assert cache.is_whole(entry(of("x"), cells=cells))
    stored = cache.values.keep({"a": [1]})[0]
    assert cache.is_whole(entry(of("x"), cells=cells, values=(stored,)))
    assert not cache.is_whole(entry(of("x"), cells=cells, values=(stored.replace(format="zip"),)))
    assert not cache.is_whole(entry(of("x"), cells=cells, values=(stored.replace(size=1),)))
    assert cache.fetch(entry(of("x"), cells=cells)) is None
    cache.cells.path(cells, ".json").unlink()
    assert cache.fetch(entry(of("x"), cells=cells)) == "what was kept of it was deleted"
    last = cache.last("n.ipynb", "train")
    assert last is not None
    assert last.ended == MOST_OF_A_KEY + 2
    assert cache.last("other.ipynb", "train") is None


def test_an_entry_in_the_folder_of_another_key_is_none(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.keep(entry(of("x")))
    (kept,) = (tmp_path / "kept").iterdir()
    kept.rename(kept.with_name(key_digest(of("y"))))
    assert list(cache.find(of("y"), [])) == []
    kept.with_name(key_digest(of("y"))).rename(kept)
    assert [one.key for one in cache.find(of("x"), [])] == [of("x")]


def test_a_damaged_entry_is_none(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.keep(entry(of("x"), cells=cache.cells.keep(b"[]", ".json").stem))
    for path in (tmp_path / "kept").rglob("*.json"):
        path.write_text('{"step": 1')
    assert list(cache.find(of("x"), [])) == []


def test_what_changed_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a")
    now = of("x = 2\ny = rate", rate=2.0)
    said = list(changed(entry(of("x = rate", rate=1.0)), now, (2,)))
    assert said == ["cell 3 changed", "parameter rate: 1.0 → 2.0"]
    uses = (
        FileUse(path="gone.csv", mode="read", opened="open", digest="0", method="full"),
        FileUse(path="a.csv", mode="read", opened="open", size=1, digest="0", method="full"),
        FileUse(path="a.csv", mode="update", opened="open"),
        FileUse(path="https://host/a", mode="read", opened="argument"),
    )
    python = interpreter_of("python3")
    assert python is not None
    found = Dependencies(
        python="CPython 2.7", files=uses, distributions={"nowhere": "1.0"}, unknown=("it starts sort",)
    )
    assert list(stale(found, tmp_path, python)) == [
        "it starts sort; --keep in its header would keep it all the same",
        f"CPython 2.7 is now {python.version}",
        "nowhere 1.0 is not installed any more",
        "gone.csv is gone",
        "a.csv has changed",
        "it reads and writes a.csv",
    ]
