"""Kinds of values: what can be told of a container in bounded time, and the worst for the rest."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from cellops.capture.names.kinds import MOST_ITEMS, MOST_LOOKED_AT, Kind, describe


class Thing:
    """An object of the notebook."""


def _around_itself() -> list[Any]:
    found: list[Any] = []
    found.append(found)
    return found


def _deep() -> list[Any]:
    found: list[Any] = [1]
    for _ in range(10_000):
        found = [found]
    return found


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        pytest.param((1, (2.0, "three")), Kind.CONSTANT, id="constants"),
        pytest.param((1, [2]), Kind.DATA, id="a list in a tuple"),
        pytest.param([*range(MOST_ITEMS)], Kind.DATA, id="many numbers"),
        pytest.param([*range(MOST_ITEMS + 1)], Kind.BOX, id="too many numbers"),
        pytest.param(dict.fromkeys(range(MOST_ITEMS + 1)), Kind.BOX, id="too many keys"),
        pytest.param([[*range(100)] for _ in range(50)], Kind.DATA, id="lists of numbers"),
        pytest.param([[*range(1000)] for _ in range(1000)], Kind.BOX, id="too many lists of numbers"),
        pytest.param([pd.DataFrame() for _ in range(500)], Kind.DATA, id="frames"),
        pytest.param([np.zeros(2) for _ in range(500)], Kind.DATA, id="arrays"),
        pytest.param([np.zeros(2) for _ in range(MOST_LOOKED_AT + 1)], Kind.BOX, id="too many arrays"),
        pytest.param([np.zeros(2), np.array([Thing()])], Kind.BOX, id="an array of objects among others"),
        pytest.param({"fitted": [LogisticRegression()]}, Kind.ESTIMATOR, id="estimators"),
        pytest.param([1, Thing()], Kind.BOX, id="an object of the notebook"),
        pytest.param({Thing(): 1}, Kind.BOX, id="an object of the notebook as a key"),
        pytest.param(_around_itself(), Kind.BOX, id="a list that holds itself"),
        pytest.param(_deep(), Kind.BOX, id="lists in lists, very deep"),
    ],
)
def test_the_kind_of_a_container_is_the_worst_of_what_it_holds(value: object, kind: Kind) -> None:
    assert describe(value).kind is kind
