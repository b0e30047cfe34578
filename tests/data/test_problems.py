"""The one error that says every problem of a table."""

import numpy as np
import pytest

from cellops.data.problems import Problem, refuse
from cellops.errors import InputError


@pytest.mark.parametrize(("problems", "said"), [(6, "; and 1 more problem."), (7, "; and 2 more problems.")])
def test_problems_beyond_the_first_are_counted(problems: int, said: str) -> None:
    with pytest.raises(InputError, match=said):
        refuse([Problem(None, (), f"fact {number}", "remedy") for number in range(problems)])


@pytest.mark.parametrize("value", [np.float64(60.0), np.int64(60), 60])
def test_a_received_number_is_shown_without_its_type(value: object) -> None:
    text = InputError("Column age holds numbers", received=value, remedy="Convert it").text()
    assert text.startswith("Column age holds numbers (received 60")
