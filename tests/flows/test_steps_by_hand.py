"""What is shown of steps in a kernel that a person drives, and what is recorded of those that were executed."""

from cellops.flows.steps import StepLog
from cellops.flows.sync import sync
from cellops.records.step_progress import StepProgress, StepState
from support.kernel import Kernel


def test_the_step_of_a_cell_and_of_a_run_is_shown(loaded: Kernel) -> None:
    loaded.run("x = 1")
    assert "Steps:" not in loaded.run("%mlops status").streams
    loaded.run("%%mlops step load\nx = 1")
    loaded.run("%%mlops step train\n%%mlops run --name trained\nloss = x / 2")
    assert "\nSteps: load, train\n" in loaded.run("%mlops status").streams
    assert "\n  step       train\n" in loaded.run("%mlops show trained").streams
    sync()
    assert "\n  step       train\n" in loaded.run("%mlops show trained").streams


def test_what_is_told_of_a_step_stays_on_its_record() -> None:
    log = StepLog(lambda _: None)
    for state, reason in [(StepState.RUNNING, "cell 3 changed"), (StepState.DONE, "x and y share memory here")]:
        log(StepProgress(step="load", state=state, reasons=(reason,)))
    (step,) = log.stopped()
    assert (step.state, step.reasons) == (StepState.DONE, ("cell 3 changed", "x and y share memory here"))
