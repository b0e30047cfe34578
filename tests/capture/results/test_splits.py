"""How rows were divided is recorded, and rows that stand on both sides are a finding with their count."""

import base64

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellops.capture.content import rows
from cellops.capture.content.rows import overlap, row_hashes
from cellops.capture.content.tokens import UnhashableError
from cellops.capture.results.splits import shared_rows
from cellops.records.finding import Severity
from cellops.records.run import RunClosed
from cellops.records.split import Overlap, Split
from support.kernel import Kernel

TABLE = """import numpy as np, pandas as pd
import sklearn.model_selection as ms
from sklearn.model_selection import train_test_split, KFold, GroupShuffleSplit, cross_val_score
from sklearn.linear_model import LinearRegression
generator = np.random.default_rng(0)
df = pd.DataFrame(generator.normal(size=(200, 3)), columns=['a', 'b', 'c'])
X, y = df[['a', 'b']], df['c']"""


def split_of(kernel: Kernel, source: str) -> Split:
    done = kernel.run(source)
    assert done.status == "ok", done
    (split,) = kernel.cells()[-1].splits
    return split


SPLITS: dict[str, tuple[str, dict[str, int | None], dict[str, object]]] = {
    "X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=7)": (
        "train_test_split",
        {"X_train": 150, "X_test": 50, "y_train": 150, "y_test": 50},
        {"test_size": 0.25, "random_state": 7},
    ),
    "share = 0.5\na, b = ms.train_test_split(df, test_size=share, stratify=df['a'] > 0, shuffle=True)": (
        "train_test_split",
        {"a": 100, "b": 100},
        {"test_size": 0.5, "stratify": "df['a'] > 0", "shuffle": True},
    ),
    "folds = KFold(5, shuffle=True, random_state=None)": (
        "KFold",
        {"folds": None},
        {"n_splits": 5, "shuffle": True, "random_state": None},
    ),
    "folds = GroupShuffleSplit(n_splits=2, random_state=3)": (
        "GroupShuffleSplit",
        {"folds": None},
        {"n_splits": 2, "random_state": 3},
    ),
    "scores = cross_val_score(LinearRegression(), X, y, cv=4)": ("cross_val_score", {"scores": 4}, {"cv": 4}),
    "train, test = df[:150], df[150:]": (
        "by hand",
        {"train": 150, "test": 50},
        {"train": "df[:150]", "test": "df[150:]"},
    ),
    "mask = df['a'] > 10\ntrain = df[~mask].copy()\ntest = df.iloc[:10]\nhalf = df.loc[df['a'] > 0, ['a']]": (
        "by hand",
        {"test": 10, "half": 94},
        {"test": "df.iloc[:10]", "half": "df.loc[df['a'] > 0, ['a']]"},
    ),
    "train = df.sample(frac=0.8, random_state=1)\ntest = df.drop(train.index)": (
        "by hand",
        {"train": 160, "test": 40},
        {"train": "df.sample(frac=0.8, random_state=1)", "test": "df.drop(train.index)"},
    ),
}


@pytest.mark.parametrize("source", SPLITS)
def test_a_split_is_recorded(loaded: Kernel, source: str) -> None:
    loaded.run(TABLE)
    assert loaded.cells()[-1].splits == ()
    split = split_of(loaded, source)
    kind, parts, parameters = SPLITS[source]
    assert (split.kind, split.parts, split.parameters) == (kind, parts, parameters)


@pytest.mark.parametrize("source", ["u, v = df['a'], df['b']", "first = df[:3]", "w = df[['a']], df[['b']]", "t = df"])
def test_columns_and_single_parts_are_no_split(loaded: Kernel, source: str) -> None:
    loaded.run(TABLE)
    loaded.run(source)
    assert loaded.cells()[-1].splits == ()


def run_of(kernel: Kernel, source: str) -> RunClosed:
    done = kernel.run(f"%%mlops run\n{source}")
    assert done.status == "ok", done
    return kernel.closed()[-1]


def shared_in(run: RunClosed) -> list[tuple[Severity, str]]:
    return [(finding.severity, finding.seen) for finding in run.findings if finding.code == "rows-shared"]


FIT = "model = LinearRegression().fit(X_train, y_train)\nscore = model.score(X_test, y_test)"


def test_a_run_knows_the_split_of_an_earlier_cell_and_finds_no_shared_rows(loaded: Kernel) -> None:
    loaded.run(TABLE)
    loaded.run("X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=7)")
    loaded.run("unused, rest = train_test_split(X, random_state=7)")
    run = run_of(loaded, FIT)
    assert [list(split.parts) for split in run.splits] == [["X_train", "X_test", "y_train", "y_test"]]
    assert [(o.training, o.evaluation, o.shared, o.method) for o in run.overlaps] == [("X_train", "X_test", 0, "exact")]
    assert {role: sketch.rows for role, sketch in run.overlaps[0].sketches.items()} == {
        "training": 150,
        "evaluation": 50,
    }
    assert shared_in(run) == []


def test_rows_on_both_sides_are_a_warning_with_their_count(loaded: Kernel) -> None:
    loaded.run(TABLE)
    run = run_of(loaded, f"X_train, X_test, y_train, y_test = X[:150], X[140:], y[:150], y[140:]\n{FIT}")
    ((severity, seen),) = shared_in(run)
    assert severity is Severity.WARNING
    assert seen == (
        "10 of 60 rows of X_test are in X_train too; "
        "0 rows of the training and 0 of the evaluation repeat others beside them"
    )


def test_rows_that_repeat_each_other_anyway_are_told_apart(loaded: Kernel) -> None:
    loaded.run(f"{TABLE}\nX = X.round().clip(-1, 1)\ny = y.round().clip(-1, 1)")
    run = run_of(loaded, f"X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=7)\n{FIT}")
    ((severity, seen),) = shared_in(run)
    assert severity is Severity.INFO
    assert "50 of 50 rows" in seen


def test_the_same_table_on_both_sides_is_one_finding(loaded: Kernel) -> None:
    loaded.run(TABLE)
    run = run_of(loaded, "model = LinearRegression().fit(X, y)\nscore = model.score(X.copy(), y.copy())")
    codes = [finding.code for finding in run.findings]
    assert "evaluated-on-training-data" in codes
    assert "rows-shared" not in codes


KINDS = {
    "floats": lambda n: np.where(n % 7 == 0, np.nan, n * 0.5),
    "zeros": lambda n: np.where(n % 2, 0.0, -0.0) + n // 2,
    "integers": lambda n: n,
    "texts": lambda n: np.array([f"t{i}" for i in n], dtype=object),
    "strings": lambda n: pd.array([f"t{i}" for i in n], dtype="str"),
    "mixed": lambda n: np.array([i if i % 2 else f"t{i}" for i in n], dtype=object),
    "times": lambda n: pd.Timestamp("2020-01-01") + pd.to_timedelta(n, unit="s"),
    "zones": lambda n: (pd.Timestamp("2020-01-01", tz="UTC") + pd.to_timedelta(n, unit="s")).array,
    "categories": lambda n: pd.Categorical([None if i % 5 == 0 else f"t{i}" for i in n]),
    "nullable": lambda n: pd.array([None if i % 5 == 0 else i for i in n], dtype="Int64"),
    "truth": lambda n: n % 2 == 0,
}


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_known_again_by_their_values(kind: str) -> None:
    frame = pd.DataFrame({"row": np.arange(60), "value": KINDS[kind](np.arange(60))})
    assert len(set(row_hashes([frame]))) == 60
    assert list(row_hashes([frame[20:]])) == list(row_hashes([frame])[20:])
    assert list(row_hashes([frame.reset_index(drop=True).copy()])) == list(row_hashes([frame]))
    assert list(row_hashes([frame[["row"]], frame["value"]])) == list(row_hashes([frame]))


def test_the_order_of_columns_counts() -> None:
    assert row_hashes([np.array([[1, 2]])]) != row_hashes([np.array([[2, 1]])])


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(0, 30), max_size=60), st.lists(st.integers(0, 30), max_size=60))
def test_the_overlap_is_that_of_the_rows(train: list[int], test: list[int]) -> None:
    hashes = [row_hashes([pd.DataFrame({"a": np.array(side, dtype=np.int64), "b": 1.5})]) for side in (train, test)]
    found = overlap(("train", hashes[0]), ("test", hashes[1]))
    assert found.shared == sum(value in train for value in test)
    assert found.repeated_in_training == sum(train.count(value) > 1 for value in train)
    assert found.repeated_in_evaluation == sum(test.count(value) > 1 for value in test)
    assert found.sketches["training"].distinct == len(set(train))


def test_beyond_what_is_counted_the_overlap_is_estimated_with_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MOST_COUNTED", 20_000)
    values = np.random.default_rng(5).normal(size=(150_000, 2))
    found = overlap(("train", row_hashes([values[:100_000]])), ("test", row_hashes([values[90_000:140_000]])))
    assert found.method == "estimated"
    assert 0 < found.error < 1000
    assert abs(found.shared - 10_000) < 5 * found.error
    (finding,) = shared_rows(found, "run x")
    assert finding.seen.startswith(f"about {found.shared} of 50000 rows")


def test_two_sketches_tell_how_much_their_tables_share() -> None:
    values = np.random.default_rng(6).normal(size=(30_000, 2))
    hashes = [row_hashes([part]) for part in (values[:20_000], values[10_000:])]
    found = overlap(("one", hashes[0]), ("other", hashes[1]))
    one, other = (np.frombuffer(base64.b64decode(s.hashes), "<u8") for s in found.sketches.values())
    union = np.union1d(one, other)[: rows.KEPT]
    assert abs(len(np.intersect1d(np.intersect1d(one, other), union)) / rows.KEPT - 1 / 3) < 0.08


@pytest.mark.parametrize("shape", [(0, 2), (3, 0), (0, 0)])
def test_tables_without_rows_or_columns_share_what_they_can(shape: tuple[int, int]) -> None:
    hashes = row_hashes([np.zeros(shape)])
    assert len(hashes) == shape[0]
    assert overlap(("a", hashes), ("b", hashes)).shared == shape[0]


def test_what_cannot_be_compared_says_so() -> None:
    with pytest.raises(UnhashableError):
        row_hashes([pd.DataFrame({"a": pd.Series([object()], dtype=object)})])
    with pytest.raises(UnhashableError):
        row_hashes([np.zeros((3, 1)), np.zeros(2)])


def test_nothing_shared_is_no_finding() -> None:
    nothing = Overlap(
        training="a",
        evaluation="b",
        shared=0,
        explained=0.0,
        repeated_in_training=0,
        repeated_in_evaluation=0,
        method="exact",
    )
    assert shared_rows(nothing, "run x") == []


@pytest.mark.parametrize("form", ["pl.DataFrame", "pa.table"])
def test_rows_that_frames_of_other_libraries_share_are_a_finding(loaded: Kernel, form: str) -> None:
    loaded.run(
        "import numpy as np, polars as pl, pyarrow as pa\nfrom sklearn.linear_model import LinearRegression\n"
        "values = np.random.default_rng(3).normal(size=(90, 2))\nclass Model(LinearRegression):\n"
        "    def fit(self, X, y): return super().fit(np.column_stack(list(X[name] for name in 'ab')), np.asarray(y))\n"
        "    def predict(self, X): return super().predict(np.column_stack(list(X[name] for name in 'ab')))\n"
        f"frame = {form}({{'a': values[:, 0], 'b': values[:, 1], 'y': values.sum(axis=1)}})\n"
        "X, y, X2, y2 = frame.select(['a', 'b'])[:60], frame['y'][:60], frame.select(['a', 'b'])[50:], frame['y'][50:]"
    )
    done = loaded.run(
        "%%mlops run\nmodel = Model().fit(X, y)\nanswers = model.predict(X2)\nright = model.score(X2, y2)"
    )
    assert done.traceback == ""
    run = loaded.closed()[-1]
    assert [(overlap.training, overlap.evaluation, overlap.shared) for overlap in run.overlaps] == [("X", "X2", 10)]
    assert "rows-shared" in [finding.code for finding in run.findings]
    assert "model has no contract: it was fitted on a" in " ".join(finding.seen for finding in run.findings)
