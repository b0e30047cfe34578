"""The lines of a sweep at a terminal, and what a notebook shows of it."""

import io

from rich.console import Console
from rich.progress import Progress

from cellops.records.execution import CellProgress, CellState
from cellops.records.sweep import Swept, Trial, TrialState
from cellops.screens.sweep import Lines, Live, SweepPicture
from support import sweeps

BEGUN = sweeps.BEGUN.replace(metric="auc<b>", space={"lr": "0:1"})


def trial(state: TrialState) -> Trial:
    return Trial(number=7, values={"lr": 0.25}, state=state, value=0.5)


def cell(index: int | None, state: CellState = CellState.RUNNING) -> CellProgress:
    return CellProgress(index=index, total=9, title="model.fit(X, y)", seconds=0.0, state=state)


def test_a_trial_that_goes_on_says_in_which_cell() -> None:
    bottom = Progress(console=Console(file=io.StringIO(), force_terminal=True))
    live = Live(bottom, Lines())
    live.cell(7, cell(None))  # a thread may be faster than the news of its trial
    live.trial(trial(TrialState.RUNNING))
    assert [task.description for task in bottom.tasks] == ["trial 7  parameters  lr=0.25  model.fit(X, y)"]
    live.cell(7, cell(2))
    live.cell(7, cell(2, CellState.DONE))
    assert [task.description for task in bottom.tasks] == ["trial 7  cell 3/9  lr=0.25  model.fit(X, y)"]
    live.trial(trial(TrialState.COMPLETED))
    assert not bottom.tasks
    live.cell(7, cell(3))
    assert not bottom.tasks


def test_a_notebook_shows_the_picture_and_other_readers_a_few_lines() -> None:
    done = trial(TrialState.COMPLETED)
    found = Swept(begun=BEGUN, trials=(done,), best=done, command="cellops execute n", picture="<svg/>", folder=".")
    told = "Sweep n: 1 completed\nBest: trial 7 with auc<b> 0.5\ncellops execute n"
    bundle = found._repr_mimebundle_(include=None, exclude=None)
    assert bundle["text/plain"] == repr(SweepPicture(found)) == told
    assert "<svg/>" in SweepPicture(found)._repr_html_() in bundle["text/html"]
    assert "auc&lt;b&gt;" in bundle["text/html"]
