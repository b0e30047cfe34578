"""Errors as other processes get them."""

import pickle

from cellops.errors import NotebookError, StepError


def test_an_error_is_the_same_in_another_process() -> None:
    error = NotebookError("It failed", received=3, remedy="Mend it", shown=["It", "failed"], cell_index=4)
    error.add_note("It was executed elsewhere")
    other = pickle.loads(pickle.dumps(error))
    assert type(other) is NotebookError
    assert str(other) == str(error) == "It failed (received 3). Mend it"
    assert (other.fact, other.shown, other.data) == ("It failed", ("It", "failed"), {"cell_index": 4})
    assert other.__notes__ == ["It was executed elsewhere"]
    assert pickle.loads(pickle.dumps(StepError("a", remedy="b"))).lines() == ["a. b"]
