"""Windows against a profile: verdicts, the false-alarm budget, and columns that cannot be compared."""

import json
from random import Random

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cellops.data.profile import profile, profile_column
from cellops.errors import InputError
from cellops.monitoring.drift import compare
from cellops.monitoring.gravest import gravest
from cellops.monitoring.headline import headline
from cellops.monitoring.report import render
from cellops.monitoring.windows import Window, whole
from cellops.monitoring.words import moved_most
from cellops.records.contract import Contract, Parity, Schema, Task
from cellops.records.drift import DriftReport, DriftVerdict, WindowDrift


def people(rows: int, seed: int, **changes: object) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": random.normal(40, 12, rows),
            "children": random.poisson(1.2, rows),
            "city": random.choice(["Oslo", "Rome", "Lima"], rows, p=[0.5, 0.3, 0.2]),
            "member": random.random(rows) < 0.4,
            "joined": pd.Timestamp("2013-01-01") + pd.to_timedelta(random.integers(0, 300, rows), unit="D"),
        }
    )
    return frame.assign(**changes)


def contract(**changes: object) -> Contract:
    schema = Schema(inputs=(), task=Task.CLASSIFICATION, target="late", classes=(0, 1), probabilities=True)
    built = Contract(schema=schema, profile=profile(people(5000, 0)), parity=Parity(inputs={}, labels=[]))
    return built.replace(**changes)


def judged(frame: pd.DataFrame, **changes: object) -> WindowDrift:
    return report(Window(label="w", start=None, end=None, frame=frame, **changes)).windows[0]


def report(*windows: Window) -> DriftReport:
    output = profile_column("probability of 1", np.random.default_rng(1).beta(2, 5, 3000))
    return compare(contract(output=output), windows, package="p", digest="0" * 64, source="test")


def test_rows_of_the_same_kind_are_stable() -> None:
    window = judged(people(3000, 1))
    assert {column.verdict for column in window.columns} == {DriftVerdict.STABLE}
    assert all(column.adjusted_p_value >= 0.01 for column in window.columns)
    assert not any(column.finding for column in window.columns)


def test_the_false_alarm_budget_holds_over_many_windows() -> None:
    windows = [whole(people(150, seed))[0] for seed in range(100, 180)]
    verdicts = [column.verdict for window in report(*windows).windows for column in window.columns]
    assert len(verdicts) == 400
    assert sum(verdict is not DriftVerdict.STABLE for verdict in verdicts) <= 1


@pytest.mark.parametrize(
    ("column", "change", "said"),
    [
        ("age", lambda frame: frame["age"] + 12, "rows"),
        ("age", lambda frame: frame["age"].where(frame.index % 3 > 0), "missing"),
        ("city", lambda frame: frame["city"].where(frame.index % 3 > 0, "Riga"), "unseen"),
        ("member", lambda frame: ~frame["member"] | (frame.index % 2 == 0), "False"),
        ("joined", lambda frame: frame["joined"] + pd.Timedelta(days=200), "2013"),
        ("children", lambda frame: frame["children"] + 2, "rows"),
    ],
)
def test_a_column_that_moved_is_first_and_says_what_moved(column: str, change: object, said: str) -> None:
    frame = people(3000, 1)
    window = judged(frame.assign(**{column: change(frame)}))
    assert [c.column for c in window.columns if c.verdict is DriftVerdict.MAJOR] == [column]
    assert window.columns[0].column == column
    assert window.columns[0].finding.code == "major-drift"
    assert said in window.columns[0].finding.seen
    assert [c for c in window.columns if c.verdict is DriftVerdict.MODERATE] == []


def test_significance_alone_is_no_drift() -> None:
    frame = people(60_000, 1)
    window = judged(frame.assign(age=frame["age"] + 1))
    age = next(column for column in window.columns if column.column == "age")
    assert age.adjusted_p_value < 0.001
    assert age.verdict is DriftVerdict.STABLE


def test_the_cheap_statistics_are_there_or_say_why() -> None:
    window = judged(people(500, 1).assign(age=np.nan))
    names = {column.column: [result.statistic for result in column.results] for column in window.columns}
    over_counts = ["psi", "total_variation", "jensen_shannon", "chi_squared"]
    assert names["city"] == names["member"] == over_counts
    assert names["children"] == [*over_counts, "kolmogorov_smirnov", "normalised_wasserstein"]
    assert names["age"] == [*names["children"], "missing"]
    results = [result for column in window.columns for result in column.results]
    assert all(result.computed != bool(result.reason) for result in results)
    age = next(column for column in window.columns if column.column == "age")
    assert age.result("normalised_wasserstein").reason == "all missing"


@pytest.mark.parametrize("rows", [0, 1, 99])
def test_a_small_window_is_not_judged(rows: int) -> None:
    window = judged(people(rows, 1, age=1000.0))
    assert {column.verdict for column in window.columns} == {DriftVerdict.NOT_ENOUGH_DATA}
    assert {column.results for column in window.columns} == {()}
    assert {sum([*c.current.counts, c.current.other, c.current.missing]) for c in window.columns} == {rows}
    assert window.rows == rows


def test_frozen_bins_are_written_once_and_not_for_each_window() -> None:
    frozen = contract().profile
    windows = [whole(people(rows, rows))[0] for rows in (60, 300, 900)]
    made = report(*windows)
    assert made.reference == {column.name: column.bins for column in frozen.columns}
    assert made.reference_output.edges
    for edge in frozen.column("age").bins.edges:
        assert made.to_json().count(str(edge).encode()) == 1
    assert made.to_json().count(b'"Oslo"') == 1


def test_a_column_that_cannot_be_compared_leaves_the_others() -> None:
    frame = people(500, 1, extra=1, age="old").drop(columns="city")
    window = judged(frame)
    problems = {c.column: c.finding.seen for c in window.columns if c.finding}
    assert problems == {
        "age": "The column was of kind number and is now of kind text: 'old'",
        "city": "The column is not there",
    }
    assert sum(column.verdict is DriftVerdict.STABLE for column in window.columns) == 3
    assert "extra" not in {column.column for column in window.columns}


@pytest.mark.parametrize(("column", "bad"), [("age", "old"), ("joined", "soon"), ("children", [1]), ("member", "x")])
def test_one_value_of_another_kind_is_named_with_its_row(column: str, bad: object) -> None:
    frame = people(500, 1)
    frame[column] = frame[column].astype(object)
    frame[column] = [bad if row == 17 else value for row, value in enumerate(frame[column])]
    window = judged(frame)
    (finding,) = [c.finding for c in window.columns if c.finding]
    assert f"row 17 now holds something else: {bad!r}" in finding.seen


numbers = st.lists(st.floats(allow_nan=True, allow_infinity=True) | st.none(), min_size=1, max_size=40)
integers = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=40)
texts = st.lists(st.sampled_from(["", "a", "b", "NA", "é"]) | st.text(max_size=3) | st.none(), min_size=1, max_size=40)
truths = st.lists(st.booleans() | st.none(), min_size=1, max_size=40)
times = st.lists(st.datetimes() | st.none(), min_size=1, max_size=40)


@example(values=[-1.7976931348623157e308, float("-inf"), 0.0], random=Random(0))
@given(st.one_of(numbers, integers, texts, truths, times), st.randoms(use_true_random=False))
def test_the_same_rows_in_another_order_never_drift(values: list[object], random: Random) -> None:
    frame = pd.DataFrame({"x": pd.Series(values * 150, dtype=object)})
    shuffled = frame.iloc[random.sample(range(len(frame)), len(frame))]
    made = compare(contract(profile=profile(frame)), whole(shuffled), package="p", digest="0", source="test")
    (column,) = made.windows[0].columns
    assert not column.verdict.drifted
    assert column.result("psi") is None or column.result("psi").value == pytest.approx(0)
    assert DriftReport.from_json(made.to_json()) == made


@given(
    st.lists(st.sampled_from(range(30)), min_size=100, max_size=300),
    st.integers(100, 240),
    st.sampled_from(["unseen", None]),
)
def test_a_window_of_nothing_but_unseen_or_missing_values_is_major(
    cities: list[int], rows: int, new: str | None
) -> None:
    reference = pd.DataFrame({"city": [f"city {number}" for number in cities] * 4})
    window = pd.DataFrame({"city": pd.Series([new] * rows, dtype=object)})
    made = compare(contract(profile=profile(reference)), whole(window), package="p", digest="0", source="test")
    assert made.windows[0].columns[0].verdict is DriftVerdict.MAJOR


@given(st.integers(100, 240), st.sampled_from([-1.0, 0.0, 13.0, 1e9, np.inf]), st.sampled_from(["int64", "float64"]))
def test_a_window_of_nothing_but_values_outside_the_few_known_ones_is_major(
    rows: int, value: float, dtype: str
) -> None:
    reference = pd.DataFrame({"month": np.repeat(np.arange(1, 13), 40).astype(dtype)})
    made = compare(
        contract(profile=profile(reference)),
        whole(pd.DataFrame({"month": np.full(rows, value)})),
        package="p",
        digest="0",
        source="test",
    )
    (column,) = made.windows[0].columns
    assert column.verdict is DriftVerdict.MAJOR
    assert sum(column.current.counts[1:-1]) == 0


def test_a_text_that_is_no_unicode_makes_a_report() -> None:
    frame = pd.DataFrame({"city": pd.Series(["a\ud800", "b"] * 200, dtype=object)})
    made = compare(contract(profile=profile(frame)), whole(frame), package="p", digest="0", source="test")
    assert b"\\\\ud800" in made.to_json()
    assert made.windows[0].columns[0].verdict is DriftVerdict.STABLE


@pytest.mark.parametrize(("rows", "texts"), [(300, 100), (2000, 250), (2000, 600), (2000, 1500), (5000, 300)])
def test_the_most_frequent_of_many_texts_by_chance_are_no_drift(rows: int, texts: int) -> None:
    random = np.random.default_rng(rows + texts)

    def table(rows: int) -> pd.DataFrame:
        return pd.DataFrame({"city": [f"city {number}" for number in random.integers(0, texts, rows)]})

    trained = contract(profile=profile(table(rows)))
    windows = [whole(table(size))[0] for size in (150, 500, 2000) * 5]
    made = compare(trained, windows, package="p", digest="0", source="test")
    assert {window.columns[0].verdict for window in made.windows} == {DriftVerdict.STABLE}


@pytest.mark.parametrize("rows", [100, 200, 500])
@pytest.mark.parametrize("texts", [11, 20, 30, 40, 50, 100])
def test_texts_of_few_rows_are_no_drift(rows: int, texts: int) -> None:
    random, untrained = np.random.default_rng(rows + texts), contract()
    names = np.array([f"city {number}" for number in range(texts)], dtype=object)

    def table(rows: int) -> pd.DataFrame:
        return pd.DataFrame({"city": names[random.integers(0, texts, rows)]})

    drifted = 0
    for _ in range(150):
        trained = untrained.replace(profile=profile(table(rows)))
        made = compare(trained, whole(table(2000)), package="p", digest="0", source="test")
        drifted += made.windows[0].columns[0].verdict.drifted
    assert drifted <= 4, "one in a hundred is allowed; more than four of them would come once in fifty times"


def test_a_column_that_is_there_twice_is_named() -> None:
    frame = people(500, 1)
    window = judged(pd.concat([frame, frame[["age"]]], axis=1))
    assert {c.column: c.finding.seen for c in window.columns if c.finding} == {"age": "2 columns have this name"}


def test_a_column_without_frozen_bins_is_named() -> None:
    nothing = contract(profile=profile(people(500, 0, age=np.inf)))
    made = compare(nothing, whole(people(500, 1)), package="p", digest="0", source="test")
    age = next(column for column in made.windows[0].columns if column.column == "age")
    assert age.finding.seen == "Column age has no frozen bins"


@pytest.mark.parametrize("nothing", [None, np.nan, pd.NA, pd.NaT])
def test_a_column_that_never_had_a_value_is_stable_until_it_has_one(nothing: object) -> None:
    empty = contract(profile=profile(people(500, 0, age=nothing)))
    windows = [*whole(people(500, 1, age=nothing)), *whole(people(500, 1))]
    silent, filled = (
        next(column for column in window.columns if column.column == "age")
        for window in compare(empty, windows, package="p", digest="0", source="test").windows
    )
    assert (silent.verdict, silent.finding) == (DriftVerdict.STABLE, None)
    assert filled.verdict is DriftVerdict.MAJOR
    assert "unseen went from 0.0% to 100.0%" in filled.finding.seen


def test_a_column_that_has_become_all_missing_has_moved() -> None:
    window = judged(people(500, 1, age=np.nan))
    assert window.columns[0].column == "age"
    assert window.columns[0].verdict is DriftVerdict.MAJOR
    assert window.columns[0].result("kolmogorov_smirnov").reason == "all missing"
    assert moved_most(window.columns[0], contract().profile.columns[0].bins).startswith(
        "missing went from 0.0% to 100.0%"
    )


def test_the_answers_themselves_are_compared() -> None:
    frame, random = people(2000, 1), np.random.default_rng(2)
    for spread, verdict in (((2, 5), DriftVerdict.STABLE), ((5, 2), DriftVerdict.MAJOR)):
        chance = random.beta(*spread, len(frame))
        window = judged(frame, labels=chance > 0.5, probabilities=np.column_stack([1 - chance, chance]))
        assert window.output.verdict is verdict
    assert judged(frame).output is None


def test_predicted_labels_are_compared_where_the_package_has_a_profile_of_labels() -> None:
    schema = Schema(inputs=(), task=Task.CLASSIFICATION, target="t", classes=("a", "b", "c"))
    with_labels = contract(schema=schema, output=profile_column("label", pd.Series(["a", "b", "c"] * 200)))
    window = Window(label="w", start=None, end=None, frame=people(300, 1), labels=np.array(["a"] * 300, dtype=object))
    made = compare(with_labels, [window], package="p", digest="0", source="test")
    assert made.windows[0].output.verdict is DriftVerdict.MAJOR


def test_p_values_are_adjusted_over_all_windows() -> None:
    shifted = people(400, 1)
    shifted["age"] += 2
    alone = report(*whole(shifted)).windows[0]
    among = report(*whole(shifted), *[whole(people(400, seed))[0] for seed in range(2, 12)]).windows[0]
    p_values = [next(c for c in w.columns if c.column == "age").adjusted_p_value for w in (alone, among)]
    assert p_values[0] < p_values[1]


def test_a_report_survives_the_trip_through_json() -> None:
    made = report(*whole(people(500, 1)))
    assert DriftReport.from_json(made.to_json()) == made
    assert made.made.endswith("+00:00")


def test_no_windows_is_an_error() -> None:
    with pytest.raises(InputError):
        report()


def test_a_column_says_how_far_it_moved_how_sure_that_is_and_what_moved() -> None:
    frame = people(3000, 1)
    (age, *_) = judged(frame.assign(age=frame["age"] + 12)).columns
    effect = age.result("psi").effect
    assert age.effect == effect
    interval = f"({effect.low:.2f} to {effect.high:.2f})"
    said = f"PSI {effect.value:.2f} {interval}; adjusted p < 1e-12; the mean went from 39.95 to 51.97; "
    assert age.finding.seen.startswith(said)
    assert age.finding.seen.endswith(age.moved)
    (city, *_) = judged(frame.assign(city=frame["city"].where(frame.index % 3 > 0, "Riga"))).columns
    assert city.moved.startswith("unseen went from 0.0% to 33.3%")


def test_missing_values_have_a_line_of_their_own() -> None:
    frame = people(3000, 1)
    some = frame["age"].where(frame.index % 5 > 0)
    (lost, *_) = judged(frame.assign(age=some)).columns
    assert lost.moved.startswith("missing went from 0.0% to 20.0% of the rows, by +20.0 points (+18.6 to +21.5)")
    (both, *_) = judged(frame.assign(age=some + 30)).columns
    assert [part.partition(" went")[0] for part in both.moved.split("; ")][:2] == ["missing", "the mean"]


def test_a_column_that_did_not_drift_says_nothing() -> None:
    assert {(column.moved, column.finding) for column in judged(people(3000, 1)).columns} == {("", None)}


def test_the_importance_of_the_package_ranks_the_columns() -> None:
    frame = people(3000, 1)
    moved = frame.assign(age=frame["age"] + 12, children=frame["children"] + (frame.index % 2))
    plain, weighed = (
        compare(contract(importance=importance), whole(moved), package="p", digest="0", source="test").windows[0]
        for importance in ({"age": 0.0}, {"age": 0.02, "children": 0.9, "city": 0.08})
    )
    assert [column.column for column in plain.columns if column.verdict.drifted] == ["age", "children"]
    assert {column.importance for column in plain.columns} == {None}
    assert [column.column for column in weighed.columns if column.verdict.drifted] == ["children", "age"]
    assert next(column for column in weighed.columns if column.column == "member").importance is None


@pytest.mark.parametrize(
    ("change", "basis", "said"),
    [
        (lambda texts: texts + " zeppelin", "out_of_vocabulary", "texts with unknown words went from 0.0% expected to"),
        (lambda texts: texts.str.replace("late", "fog"), "vocabulary", "to 0.0% of the texts"),
        (lambda texts: texts + " late" * 9, "text_length", "the mean length went from"),
    ],
)
def test_free_text_is_judged_by_its_words_and_its_length(change: object, basis: str, said: str) -> None:
    def texts(seed: int) -> pd.Series:
        random = np.random.default_rng(seed)
        words = np.array(["late", "by", "fog", "ice", "snow", "crew", "gate", "fuel", "tower", "queue"])
        return pd.Series([" ".join(random.choice(words, 12)) for _ in range(1500)])

    trained = contract(profile=profile(pd.DataFrame({"note": texts(0)})))
    windows = [whole(pd.DataFrame({"note": notes}))[0] for notes in (texts(1), change(texts(2)))]
    made = compare(trained, windows, package="p", digest="0", source="test")
    same, other = (window.columns[0] for window in made.windows)
    assert same.verdict is DriftVerdict.STABLE
    assert (other.verdict.drifted, other.basis) == (True, basis)
    assert said in other.moved
    assert [window.alarm.raised for window in made.windows] == [False, True]


def test_a_report_from_before_there_were_alarms_is_read() -> None:
    made = report(*whole(people(500, 1, age=99.0)))
    held = json.loads(made.to_json())
    for name in ("alarm_rate", "reference_relations"):
        held.pop(name)
    for window in held["windows"]:
        window.pop("alarm")
        window.pop("relations")
        for column in (*window["columns"], window["output"]):
            for name in ("moved", "importance", "basis") if column else ():
                column.pop(name, None)
    old = DriftReport.from_json(json.dumps(held).encode())
    assert old.windows[0].alarm is None
    assert headline(old).endswith("1 of 5 input columns drifted, most of all age.")
    assert gravest(old)[0].column == "age"
    assert "age" in render(old, contract())
