"""The values of `shap`, the library that others use, for the same model, row and background."""

import numpy as np
import pandas as pd
import pytest
import shap
from sklearn.datasets import load_diabetes
from sklearn.ensemble import RandomForestRegressor

from cellops.explain.shapley import attribution

INPUTS, ROWS = 6, 20


@pytest.mark.parametrize("allowed", [2**INPUTS * ROWS, 2**INPUTS * ROWS - 1], ids=["exact", "sampled"])
def test_they_are_those_of_shap(allowed: int) -> None:
    data = load_diabetes(as_frame=True)
    table = data.data.iloc[:, 2 : 2 + INPUTS]
    model = RandomForestRegressor(n_estimators=10, random_state=0).fit(table, data.target)

    def answer(columns: object) -> np.ndarray:
        return model.predict(pd.DataFrame(columns, columns=table.columns))

    held, row = table[:ROWS], table[100:101]
    # Asked for every set of inputs, it solves for the values exactly; its other explainers compile for half a minute.
    peer = shap.KernelExplainer(answer, held.to_numpy()).shap_values(
        row.to_numpy(), nsamples=2**INPUTS - 2, l1_reg=False, silent=True
    )
    named = [{name: part[name].to_numpy() for name in table} for part in (row, held)]
    found = attribution(*named, answer, evaluations=allowed)
    if found.errors is None:
        assert found.contributions == pytest.approx(peer[0], abs=1e-9)
    else:
        assert np.abs(found.contributions - peer[0]).max() < 4 * found.errors.max()
    assert found.contributions.sum() + found.base == pytest.approx(answer(named[0])[0])
