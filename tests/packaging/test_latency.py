"""A latency is measured on single rows of the table, in their own form, and on not too many of them."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from cellops.packaging.contract import build_contract
from cellops.packaging.latency import FEWEST, ROWS, WARM_UP, latency
from cellops.packaging.predictor import Predictions, SklearnPredictor

TABLE = pd.DataFrame({"size": np.arange(1000.0), "kind": [0, 1] * 500})
LATE = pd.Series([0, 1, 1, 0] * 250, name="late")


class Watched(SklearnPredictor):
    """Remembers the tables that it was given."""

    def __init__(self) -> None:
        model = LogisticRegression(max_iter=1000).fit(TABLE, LATE)
        super().__init__(model, build_contract(model, (TABLE, LATE)).schema)
        self.given: list[pd.DataFrame] = []

    def answer(self, frame: pd.DataFrame) -> Predictions:
        self.given.append(frame)
        return super().answer(frame)


def test_single_rows_of_the_whole_table_are_asked() -> None:
    predictor = Watched()
    quick, slow = (latency(predictor, TABLE, percent) for percent in (0, 100))
    assert quick is not None
    assert slow is not None
    assert 0 < quick <= slow
    assert {len(frame) for frame in predictor.given} == {1}
    assert len(predictor.given) <= 2 * (ROWS + WARM_UP)
    assert {frame.index[0] for frame in predictor.given} >= {0}
    assert all(dict(frame.dtypes) == dict(TABLE.dtypes) for frame in predictor.given)


@pytest.mark.parametrize("rows", [0, 1, FEWEST - 1])
def test_few_rows_give_no_latency(rows: int) -> None:
    assert latency(Watched(), TABLE[:rows], 95) is None


def test_what_the_model_raises_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_self: Any, _table: Any) -> Any:
        raise OSError

    predictor = Watched()
    monkeypatch.setattr(LogisticRegression, "predict_proba", broken)
    with pytest.raises(OSError):
        latency(predictor, TABLE, 95)
