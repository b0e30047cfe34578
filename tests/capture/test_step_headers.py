"""A cell under `%%mlops step` is the plain cell, and its record names the step."""

import pytest

from cellops.capture import header, step_header
from cellops.errors import UsageError
from support.kernel import Kernel


def test_a_step_names_itself_in_the_record_and_does_nothing_else(loaded: Kernel) -> None:
    done = loaded.run("%%mlops step load --retries 2\nrows = 6 * 7\nrows")
    assert (done.status, done.results, done.streams) == ("ok", ["42"], "")
    record = loaded.cells()[-1]
    assert (record.step, record.verb, record.writes) == ("load", "step", ("rows",))
    assert loaded.opened() == []


def test_a_run_may_stand_below_the_header_of_its_step(loaded: Kernel) -> None:
    assert loaded.run("%%mlops step train\n\n# the model\n%%mlops run --name fit\nscore = 1 / 4").status == "ok"
    assert [(run.name, closed.metrics) for run, closed in zip(loaded.opened(), loaded.closed(), strict=True)] == [
        ("fit", {"score": 0.25})
    ]
    record = loaded.cells()[-1]
    assert (record.step, record.verb) == ("train", "run")


def test_expectations_may_stand_below_the_header_of_their_step(loaded: Kernel) -> None:
    loaded.run("import pandas as pd\ntable = pd.DataFrame({'a': [1]})")
    done = loaded.run("%%mlops step check\n%%mlops expect table\nexpect_column_to_exist('a')")
    assert done.status == "ok", done.traceback
    assert (loaded.cells()[-1].step, loaded.cells()[-1].verb) == ("check", "expect")


@pytest.mark.parametrize("stacked", ["%%mlops step a\n%%time\n", "%%time\n%%mlops step a\n"])
def test_a_step_may_be_stacked_with_a_magic_that_runs_its_body(loaded: Kernel, stacked: str) -> None:
    done = loaded.run(f"{stacked}half = 1 / 2")
    assert done.status == "ok", done.traceback
    assert "Wall time" in done.streams
    assert loaded.cells()[-1].step == "a"


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%%mlops step\nran = True", "Missing argument 'NAME'"),
        ("%%mlops step a/b\nran = True", "is no name of a step"),
        ("%%mlops step a --retires 2\nran = True", "No such option '--retires'"),
        ("%%mlops step a/b\n%%mlops run\nran = True", "is no name of a step"),
        ("%%mlops step a\n%%mlops run --sed 3\nran = True", "No such option '--sed'"),
        ("%%mlops run\n%%mlops step a\nran = True", "%%mlops step stands where cellops cannot see it"),
    ],
)
def test_a_wrong_header_of_a_step_stops_the_cell(loaded: Kernel, cell: str, said: str) -> None:
    done = loaded.run(cell)
    assert done.status == "error"
    assert said in done.traceback
    assert loaded.run("'ran' in dir()").results == ["False"]
    assert loaded.cells()[0].step is None


def test_a_wrong_step_opens_no_run(loaded: Kernel) -> None:
    loaded.run("%%mlops step a/b\n%%mlops run\nran = True")
    assert loaded.opened() == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("", "Missing argument 'NAME'"),
        ("a b", "unexpected extra argument"),
        ("größe", "is no name of a step"),
        ("a --in x-y", "'x-y' is no name of Python"),
        ("a --retries -1", "-1 is not in the range"),
        ("a --timeout 0", "0.0 is not in the range"),
        ('a "b', "no closing quotation"),
    ],
)
def test_a_header_that_does_not_fit_says_how_to_write_it(arguments: str, said: str) -> None:
    with pytest.raises(UsageError, match="Write: %%mlops step NAME") as caught:
        step_header.read(arguments)
    assert said in str(caught.value)


def test_the_options_of_a_step_are_read() -> None:
    read = step_header.read('train --in "X, y,X" --out "" --retries 2 --timeout 90  # slow')
    assert (read.name, read.inputs, read.outputs, read.retries, read.timeout) == ("train", ("X", "y"), (), 2, 90.0)


def test_the_header_of_a_text_is_found_below_that_of_its_step() -> None:
    found = header.headers("%%mlops step a\n%%mlops expect t\n%%mlops run")
    assert [one.verb for one in found] == ["step", "expect"]
