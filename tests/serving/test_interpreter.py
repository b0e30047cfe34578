"""What the interpreter does otherwise while a server answers, and that it does as before afterwards."""

import gc
import sys

from cellops.serving.interpreter import TURN, YOUNG, answering


def test_the_interpreter_is_left_as_it_was() -> None:
    before = gc.get_threshold(), sys.getswitchinterval()
    with answering():
        assert gc.get_freeze_count() > 0
        assert gc.get_threshold()[0] == YOUNG
        assert abs(sys.getswitchinterval() - TURN) < 1e-6
    assert (gc.get_threshold(), sys.getswitchinterval()) == before
    assert gc.get_freeze_count() == 0
