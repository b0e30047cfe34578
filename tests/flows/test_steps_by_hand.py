"""Steps in a kernel that a person drives: their headers stand in what is shown of the session and of runs."""

from cellops.flows.sync import sync
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
