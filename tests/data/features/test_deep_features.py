"""Features that featuretools finds, in an environment of its own, as it needs a pandas below ours."""

import os
import subprocess
from pathlib import Path

import pandas as pd
import pytest

import cellops
from cellops.errors import UsageError
from support.exported import environment_with

SCRIPT = """
import msgspec
import pandas as pd
from cellops.data.features.deep_features import DeepFeatures, deep_features
from cellops.data.features.point_in_time import point_in_time
from cellops.errors import InputError

day = pd.Timestamp("2026-01-01")
days = lambda *counts: day + pd.to_timedelta(counts, unit="D")
customers = pd.DataFrame({"id": [1, 2, 3], "city": ["a", "b", "a"]})
orders = pd.DataFrame({
    "order": range(5), "customer": [1, 1, 2, 1, 2], "at": days(0, 7, 0, 30, 50), "amount": [1.0, 2.0, 4.0, 100.0, 8.0],
})
tables = {"customers": customers, "orders": orders}
labels = pd.DataFrame({"id": [2, 1, 1, 3, 1], "time": days(8, 40, 8, 8, 40), "label": [1, 0, 1, 0, 1]})
labels.index = [9, 8, 7, 6, 5]
shape = {
    "target": "customers", "keys": {"customers": "id", "orders": "order"},
    "links": [("orders.customer", "customers.id")], "times": {"orders": "at"},
}
found, features = deep_features(tables, **shape, at=labels, aggregations=["sum", "count"], transformations=[])
assert found.index.tolist() == labels["id"].tolist()
assert found["label"].tolist() == labels["label"].tolist()
for place, row in enumerate(labels.itertuples()):  # no order that was made later counts
    known = orders[(orders["customer"] == row.id) & (orders["at"] <= row.time)]
    assert found["SUM(orders.amount)"].fillna(0).iloc[place] == known["amount"].sum()
    assert found["COUNT(orders)"].fillna(0).iloc[place] == len(known)
later = DeepFeatures(**msgspec.json.decode(msgspec.json.encode(features)))
pd.testing.assert_frame_equal(later.compute(tables, labels), found)
whole, _ = deep_features(tables, **shape, aggregations=["sum"], transformations=[], most=1)
assert whole["SUM(orders.amount)"].tolist() == [103.0, 12.0, 0.0]
assert list(orders.columns) == ["order", "customer", "at", "amount"]
for wrong in ({"links": [("orders.client", "customers.id")]}, {"times": {"orders": "when"}}, {"target": "clients"}):
    try:
        deep_features(tables, **{**shape, **wrong})
    except InputError as error:
        print(error.text())
print("done")
"""


def test_features_are_what_was_known_and_are_computed_again_from_their_text(tmp_path: Path) -> None:
    python = environment_with(
        tmp_path / "environment", "featuretools==1.31.0", "pandas>=2.2,<3", "setuptools<81", "msgspec"
    )
    done = subprocess.run(
        [str(python), "-W", "ignore", "-c", SCRIPT],
        env={**os.environ, "PYTHONPATH": str(Path(cellops.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    said = done.stdout.splitlines()
    assert said[-1:] == ["done"], done.stderr[-2000:]
    assert [line.partition(".")[0] for line in said[:-1]] == [
        "The table orders has no column client",
        "The table orders has no column when",
        "There is no table clients among the keys (received 'clients')",
    ]


def test_without_featuretools_the_extra_is_named() -> None:
    table = pd.DataFrame({"id": [1]})
    with pytest.raises(UsageError, match="pip install 'cellops\\[featuretools\\]'"):
        cellops.deep_features({"one": table}, target="one", keys={"one": "id"}, links=[])
