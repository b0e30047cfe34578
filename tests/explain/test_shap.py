"""The values of `shap`, the library that others use, for the same model, row and background."""

import numpy as np
import pytest
import shap
from sklearn.datasets import load_diabetes
from sklearn.ensemble import HistGradientBoostingRegressor

from cellops.explain.shapley import attribution

BACKGROUND = 20


@pytest.mark.parametrize("allowed", [10**6, 20_000], ids=["exact", "sampled"])
def test_they_are_those_of_shap(allowed: int) -> None:
    data = load_diabetes(as_frame=True)
    model = HistGradientBoostingRegressor(max_iter=20, random_state=0).fit(data.data, data.target)
    table = data.data.to_numpy()
    held, row = table[:BACKGROUND], table[100:101]
    peer = shap.explainers.Exact(_of(model), shap.maskers.Independent(held, max_samples=BACKGROUND))(row)
    named = [{name: part[:, place] for place, name in enumerate(data.data)} for part in (row, held)]
    found = attribution(*named, lambda columns: _of(model)(np.column_stack(list(columns.values()))), evaluations=allowed)
    tolerance = 1e-6 if found.errors is None else 5 * found.errors.max()
    assert (found.errors is None) == (allowed == 10**6)
    assert found.contributions == pytest.approx(peer.values[0], abs=tolerance)
    assert found.base == pytest.approx(float(peer.base_values[0]))


def _of(model: HistGradientBoostingRegressor):
    names = model.feature_names_in_

    def answer(table: np.ndarray) -> np.ndarray:
        import pandas as pd

        return model.predict(pd.DataFrame(table, columns=names))

    return answer
