"""Features on tables, in pipelines of scikit-learn, and when their functions fail."""

import pickle
import random
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from cellops.data.features.feature_set import FeatureSet, FeatureWarning
from cellops.errors import InputError, UsageError
from cellops.flows.features import features

FRAME = pd.DataFrame(
    {"miles": [100.0, 200.0, 50.0], "hours": [2, 4, 5], "origin": ["EWR", "JFK", "EWR"]}, index=[7, 3, 9]
)


def speed(miles, hours):
    return miles / hours


def is_far(row):
    return row["miles"] > 99


def squared(miles: pd.Series):
    return miles**2


def both(frame):
    frame["double"] = frame.miles * 2
    frame["triple"] = frame.miles * 3
    return frame


def town(origin) -> str:
    return {"EWR": "Newark"}.get(origin)


def centred(frame):
    return frame.miles - frame.miles.mean()


def drawn(row):
    return random.random()


def sorted_down(frame):
    return frame.miles.sort_values()


def too_few(frame):
    return frame.miles[:1]


def breaks(frame):
    raise KeyError("miles")


def listed(row):
    return [row.miles]


ALL = features(speed, is_far, squared, both, town, name="trips")


def test_a_table_comes_back_with_its_features() -> None:
    made = ALL(FRAME)
    assert list(made.columns) == [*FRAME.columns, "speed", "is_far", "squared", "double", "triple", "town"]
    assert made["speed"].tolist() == [50.0, 50.0, 10.0]
    assert made["is_far"].tolist() == [True, True, False]
    assert made["triple"].tolist() == [300.0, 600.0, 150.0]
    assert made["town"].isna().tolist() == [False, True, False]
    assert list(made.index) == [7, 3, 9]
    assert list(FRAME.columns) == ["miles", "hours", "origin"]


@pytest.mark.parametrize("make", [pl.from_pandas, lambda frame: pa.Table.from_pandas(frame, preserve_index=False)])
def test_tables_of_other_libraries_come_back_as_such(make: Any) -> None:
    table = make(FRAME)
    made = features(speed)(table)
    assert type(made) is type(table)
    assert made["speed"].to_pylist() if isinstance(made, pa.Table) else made["speed"].to_list() == [50.0, 50.0, 10.0]


def test_columns_of_other_libraries_keep_their_types() -> None:
    table = pl.DataFrame({"miles": [1.0, 2.0], "hours": [1, 2], "gates": [2**60 + 1, None]})
    assert features(speed)(table)["gates"].to_list() == [2**60 + 1, None]
    assert features(speed)(features(speed)(table)).columns == ["miles", "hours", "gates", "speed"]


def test_a_fitted_transformer_says_the_same_each_time_it_fails() -> None:
    made = features(speed).fit(FRAME)
    for hours in ([0, 1, 1], [1, 0, 0]):
        with pytest.warns(FeatureWarning) as said:
            made.transform(FRAME.assign(hours=hours))
        assert [str(one.message).partition(".")[0] for one in said] == ["feature speed: feature-raised in some rows"]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.integers(1, 50)), min_size=1, max_size=20))
def test_a_row_gets_the_same_features_alone_and_in_its_table(rows: list[tuple[float, int]]) -> None:
    frame = pd.DataFrame(rows, columns=["miles", "hours"])
    made = features(speed, is_far, squared, both)
    whole = made(frame)
    single = pd.concat([made(frame.iloc[[place]]) for place in range(len(frame))])
    pd.testing.assert_frame_equal(whole, single)
    assert whole["speed"].tolist() == [speed(miles, hours) for miles, hours in rows]


def test_it_is_a_step_of_a_pipeline() -> None:
    model = make_pipeline(features(speed, is_far).keeping("miles"), StandardScaler(), LogisticRegression())
    model.set_output(transform="pandas").fit(FRAME, [0, 1, 0])
    with pytest.raises(UsageError, match="tables of pandas only"):
        model[0].set_output(transform="polars")
    assert model[0].get_feature_names_out().tolist() == ["miles", "speed", "is_far"]
    assert model.feature_names_in_.tolist() == ["miles", "hours", "origin"]
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict_proba(FRAME), model.predict_proba(FRAME))
    assert "speed" in repr(model)
    search = GridSearchCV(Pipeline(model.steps), {"featureset__keep": [(), ("miles",)]}, cv=2)
    search.fit(pd.concat([FRAME] * 4), [0, 1, 0] * 4)
    assert search.best_params_["featureset__keep"] in [(), ("miles",)]


def test_a_copy_is_not_fitted_and_the_original_stays_so() -> None:
    fitted = features(speed).fit(FRAME)
    with pytest.raises(NotFittedError):
        clone(fitted).transform(FRAME)
    with pytest.raises(NotFittedError):
        features(speed).get_feature_names_out()
    assert FeatureUnion([("one", fitted)]).fit(FRAME).get_feature_names_out().tolist() == ["one__speed"]
    with pytest.raises(UsageError, match="no parameter source"):
        fitted.set_params(source="")


def test_types_are_those_of_the_fit() -> None:
    made = features(town, speed, is_far).fit(FRAME)
    alone = made.transform(pd.DataFrame({"miles": [1], "hours": [1], "origin": ["JFK"]}))
    assert alone.dtypes.astype(str).tolist() == made.transform(FRAME).dtypes.astype(str).tolist()
    assert alone["town"].isna().all()


def test_a_function_that_raises_is_isolated_to_its_rows() -> None:
    frame = FRAME.assign(hours=[2, 0, 5])
    with pytest.warns(FeatureWarning, match="feature speed: it raises ZeroDivisionError in 1 of 3 rows, row 1"):
        made = features(speed, is_far)(frame)
    assert made["speed"].isna().tolist() == [False, True, False]
    assert made["is_far"].tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (breaks, "raises KeyError in 3 of 3 rows, all rows"),
        (listed, "gives a list, and a feature is one value"),
        (too_few, "gives \\(1,\\) values for 3 rows"),
    ],
)
def test_a_function_that_gives_no_column_is_isolated(function: Any, said: str) -> None:
    with pytest.warns(FeatureWarning, match=said):
        made = features(function, is_far)(FRAME)
    assert made[function.__name__].isna().all()
    assert made["is_far"].tolist() == [True, True, False]


def test_values_go_to_their_rows_by_the_index() -> None:
    assert features(sorted_down)(FRAME)["sorted_down"].tolist() == FRAME["miles"].tolist()


def test_a_feature_that_needs_other_rows_is_told_when_it_is_fitted() -> None:
    with pytest.warns(FeatureWarning, match="feature centred: a row that stands alone gets another value"):
        features(centred).fit(FRAME)
    with pytest.warns(FeatureWarning, match="feature drawn: it gives another value when it is computed again"):
        features(drawn).fit(FRAME)


def test_two_features_of_one_name_are_told() -> None:
    source = "def one(frame): return frame.assign(speed=1.0)\n\ndef speed(row): return 2.0\n"
    with pytest.warns(FeatureWarning, match="two functions make a feature speed"):
        made = FeatureSet("twice", source, ("one", "speed"))(FRAME)
    assert made["speed"].tolist() == [1.0] * 3


def test_a_table_without_a_column_is_refused() -> None:
    with pytest.raises(InputError, match="lacks what the feature speed reads: hours") as refused:
        features(is_far, speed)(FRAME[["miles"]])
    assert refused.value.data["column"] == "hours"
    with pytest.raises(InputError, match="no column miles, which features keeps"):
        features(town).keeping("miles").fit(FRAME[["origin"]])
    with pytest.raises(InputError, match="more than one column miles"):
        ALL(pd.concat([FRAME, FRAME], axis=1))


def test_parameters_with_defaults_are_no_columns_and_names_may_be_needed() -> None:
    source = "def pace(hours, *, miles, hour=60): return hours * hour / miles"
    made = FeatureSet("runs", source, ("pace",))
    assert made.inputs == ("hours", "miles")
    assert made(FRAME.assign(hour=0))["pace"].tolist() == [1.2, 1.2, 6.0]


def test_an_empty_table_has_empty_features() -> None:
    assert features(speed, is_far, squared)(FRAME.iloc[:0])[["speed", "is_far", "squared"]].shape == (0, 3)


def test_a_sample_comes_out_the_same_and_another_source_does_not() -> None:
    stored = ALL.sample(FRAME.assign(day=pd.Timestamp("2026-01-01")), rows=2)
    assert stored.inputs["miles"] == [100.0, 50.0]
    assert stored.computed["speed"] == [50.0, 10.0]
    assert ALL.replay(type(stored).from_json(stored.to_json())) == ()
    other = FeatureSet("trips", ALL.source.replace("miles / hours", "miles * hours"), ALL.features)
    (finding,) = other.replay(stored)
    assert finding.code == "feature-differs"
    assert finding.seen == "speed comes out otherwise than in training, as 200.0 instead of 50.0, sample rows 0, 1"


def test_features_that_are_left_out_are_warned_of() -> None:
    def inner(row):
        return FRAME

    with pytest.warns(FeatureWarning, match="inner reads FRAME, which is data of this notebook"):
        assert features(inner, speed).features == ("speed",)
    with pytest.raises(UsageError, match="There is no feature in features"):
        features()


def test_numbers_beside_texts_in_a_list_stay_numbers() -> None:
    made = FeatureSet("f", "def of_list(frame): return [1, 'a', 2.5]", ("of_list",))(pd.DataFrame({"a": [1, 2, 3]}))

    assert made["of_list"].tolist() == [1, "a", 2.5]


def test_a_feature_that_reads_no_column_is_replayed_too() -> None:
    features = FeatureSet("f", "def one(row): return 1", ("one",))

    assert features.replay(features.sample(pd.DataFrame({"a": [1, 2, 3]}))) == ()


def test_a_function_that_ends_the_program_ends_its_own_values() -> None:
    source = "def row_wise(row): raise SystemExit(3)\ndef whole(frame): raise SystemExit(3)\ndef fine(a): return a"
    with pytest.warns(FeatureWarning, match="raises SystemExit"):
        made = FeatureSet("f", source, ("row_wise", "whole", "fine"))(pd.DataFrame({"a": [1, 2]}))

    assert made["fine"].tolist() == [1, 2]
    assert made[["row_wise", "whole"]].isna().all(axis=None)


def test_half_a_surrogate_pair_is_a_text_like_others() -> None:
    texts = pd.DataFrame({"a": pd.Series(["\ud800", "x"], dtype=object)})

    assert FeatureSet("f", "def same(a): return a", ("same",))(texts)["same"].tolist() == ["\ud800", "x"]


def test_values_that_polars_has_no_column_for_are_refused_in_one_line() -> None:
    mixed = FeatureSet("f", "def mixed(a): return 'x' if a == 1 else a", ("mixed",))

    with pytest.raises(InputError, match=r"several kinds .* mixed"):
        mixed(pl.DataFrame({"a": [1, 2]}))
