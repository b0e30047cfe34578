from hypothesis import given
from hypothesis import strategies as st

from cellops.records.run import RunStatus, RunSummary
from cellops.widgets.table import runs_table

words = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=12)
summaries = st.builds(
    RunSummary,
    run=st.uuids().map(lambda key: key.hex),
    name=words,
    status=st.sampled_from(RunStatus),
    started=st.floats(0, 4e9),
    ended=st.none() | st.floats(0, 4e9),
    synced=st.booleans(),
    metrics=st.dictionaries(words, st.floats(), max_size=5),
)


@given(st.lists(summaries, min_size=1, max_size=5))
def test_every_run_has_one_line_in_columns(runs):
    heading, *lines = runs_table(runs).splitlines()
    assert len(lines) == len(runs)
    for run, line in zip(runs, lines, strict=True):
        assert line.startswith(run.run[:8])
        assert line.index(run.name, 8) == heading.index("name")
        assert line.index(run.status.lower(), heading.index("status")) == heading.index("status")


def test_many_metrics_are_cut_short():
    run = RunSummary(run="a" * 32, name="x", status=RunStatus.FINISHED, started=0, metrics=dict.fromkeys("abcd", 1))
    assert "a=1 b=1 c=1 …" in runs_table([run])


def test_a_name_of_many_lines_stays_on_one():
    run = RunSummary(run="a" * 32, name="two\nlines", status=RunStatus.FINISHED, started=0)
    assert len(runs_table([run]).splitlines()) == 2


def test_names_can_only_be_read():
    run = RunSummary(run="a" * 32, name="\x1b[2Jx", status=RunStatus.FINISHED, started=0, metrics={"\x1b[2Jy": 1})
    assert "\x1b" not in runs_table([run])
    assert r"\x1b[2Jx" in runs_table([run])


def test_no_runs_say_how_to_make_one():
    assert "%%mlops run" in runs_table([])
