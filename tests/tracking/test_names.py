"""Names reach MLflow in its alphabet, and stay apart."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow.entities import Metric
from mlflow.utils.validation import _validate_metric

from cellops.tracking.names import LONGEST, accepted, shortened, told

HOSTILE = ["a[0]", "f(x)", "50%", "a,b", "π²", "a//b", "/a", "a/", "./a", "..", ".", "", "a\nb", "a\n", "x" * 300, "é"]


@pytest.mark.parametrize("name", HOSTILE)
def test_mlflow_takes_every_name(name: str) -> None:
    _validate_metric(accepted([name])[name], 1.0, 0, 0)


@given(st.lists(st.text(alphabet=string.printable + "é²[]", max_size=300), unique=True, max_size=6))
def test_any_names_become_different_names_that_mlflow_takes(names: list[str]) -> None:
    found = accepted(names)
    assert list(found) == names
    assert len(set(found.values())) == len(names)
    for name in found.values():
        metric = Metric(name, 1.0, 0, 0)
        _validate_metric(metric.key, metric.value, metric.timestamp, metric.step)
        assert len(name) <= LONGEST


def test_names_that_mlflow_takes_stay_whatever_comes_before_them() -> None:
    assert accepted(["a[0]", "a_0_", "loss/train: 1"]) | {"a[0]": ""} == {
        "a[0]": "",
        "a_0_": "a_0_",
        "loss/train: 1": "loss/train: 1",
    }


def test_what_is_cut_still_tells_names_apart() -> None:
    assert shortened("x" * 500, 500) == "x" * 500
    assert shortened("x" * 501, 500) != shortened("x" * 502, 500)
    assert len(shortened("x" * 501, 500)) == 500


@pytest.mark.parametrize(
    "name", ["gap_group(accuracy, shade)", "min_group(roc_auc, home_town, 100)", "max_group(mae, X1)", "auc", "a_ b_"]
)
def test_figures_of_groups_are_told_as_gates_write_them(name: str) -> None:
    assert told(accepted([name])[name]) == name
