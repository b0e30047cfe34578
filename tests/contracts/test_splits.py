"""What every way to divide rows promises; they are discovered, so that the next one is tested unasked."""

import importlib
import inspect
import pkgutil
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cellops.data.splits
from cellops.data.splits import SPLITTERS
from cellops.data.splits.divide import divide
from cellops.data.splits.planning import VERSIONS, plan_of
from cellops.data.splits.splitter import Divided
from cellops.flows.rebuild_split import rebuild_split
from cellops.flows.split import split
from cellops.records.split import SplitPlan, SplitRecord

ASKED: dict[str, dict[str, Any]] = {
    "time": {"time": "day", "gap": "2 days"},
    "groups": {"groups": ["customer"], "seed": 3},
    "stratified": {"stratify": "label", "seed": 3},
    "hashed": {"key": ["id", "customer"], "salt": "one"},
    "random": {"seed": 3},
}
FROZEN = {
    "time": "0100000001010011000000101100-0",
    "groups": "000000000001001000010000010000",
    "stratified": "000000010101000000001100010001",
    "hashed": "010000000000000001001100000100",
    "random": "000000010100000000001100010001",
}
"""Where the rows of a table go, for ever, under version 1 of the algorithms."""


def discovered() -> dict[str, Any]:
    """Functions named like splits in the modules of the family."""
    modules = [m.name for m in pkgutil.iter_modules(cellops.data.splits.__path__)]
    held = [importlib.import_module(f"cellops.data.splits.{name}") for name in modules]
    functions = [f for module in held for _, f in inspect.getmembers(module, inspect.isfunction)]
    return {f.__name__: f for f in functions if inspect.signature(f).return_annotation is Divided}


def table(rows: int, seed: int = 0) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "id": np.arange(rows),
            "customer": [f"c{n}" for n in generator.integers(0, max(2, rows // 4), rows)],
            "label": np.array(["no", "yes", "maybe"])[generator.choice(3, rows, p=[0.6, 0.3, 0.1])],
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(generator.integers(0, 40, rows), unit="D"),
            "amount": generator.normal(size=rows).round(3),
        }
    )


every = pytest.mark.parametrize("kind", SPLITTERS)


def test_all_are_known_by_their_names() -> None:
    assert discovered() == {function.__name__: function for function in SPLITTERS.values()}
    assert set(VERSIONS) == set(SPLITTERS) == set(ASKED)


@every
def test_it_is_documented(kind: str) -> None:
    text = inspect.getdoc(SPLITTERS[kind]) or ""
    for section in ("Parameters\n", "Returns\n", "Raises\n", "References\n", ">>> "):
        assert section in text, section
    assert list(inspect.signature(SPLITTERS[kind]).parameters) == ["columns", "rows", "plan"]


@every
def test_where_rows_go_never_changes(kind: str) -> None:
    done = divide(table(30), plan_of(**ASKED[kind])).divided
    assert "".join("-01"[place + 1] for place in done.places) == FROZEN[kind]
    assert done.plan.version == 1


@every
def test_every_library_gets_its_own_type_and_the_same_rows(kind: str) -> None:
    frame = table(200)
    tables = (frame, pl.from_pandas(frame), pa.Table.from_pandas(frame))
    divided = [split(one, **ASKED[kind]) for one in tables]
    for one, parts in zip(tables, divided, strict=True):
        assert all(type(part) is type(one) for part in parts)
        assert parts.record == divided[0].record
    assert [part["id"].to_pylist() for part in divided[2]] == [part["id"].to_list() for part in divided[1]]
    assert [part["id"].tolist() for part in divided[0]] == [part["id"].to_list() for part in divided[1]]


@every
@settings(max_examples=25, deadline=None)
@given(rows=st.integers(60, 300), seed=st.integers(0, 50))
def test_parts_are_made_of_all_rows_in_their_order_and_made_again_from_the_record(
    kind: str, rows: int, seed: int
) -> None:
    frame = table(rows, seed)
    parts = split(frame, **ASKED[kind])
    train, test = parts
    assert all(part.index.is_monotonic_increasing for part in parts)
    assert not set(train.index) & set(test.index)
    assert len(train) + len(test) + parts.record.left_out == rows
    assert {name: content.rows for name, content in parts.record.parts.items()} == {
        "train": len(train),
        "test": len(test),
    }
    record = SplitRecord.from_json(parts.record.to_json())
    assert record == parts.record
    again = rebuild_split(record, frame)
    pd.testing.assert_frame_equal(again.train, train)
    pd.testing.assert_frame_equal(again.test, test)


@every
def test_the_plan_is_all_that_it_heeds(kind: str) -> None:
    frame = table(300)
    plan = divide(frame, plan_of(**ASKED[kind])).divided.plan
    assert SplitPlan.from_json(plan.to_json()) == plan
    one = divide(frame, plan).divided.places
    np.random.default_rng(2).normal()
    assert (one == divide(frame, plan).divided.places).all()
