"""Ranks: drifted columns first, by how far they moved times how much the model depends on them."""

import pytest

from cellops.monitoring.gravest import gravest, leading, unexplained
from cellops.monitoring.ranking import consequence, is_known, ranking
from cellops.records.drift import ColumnDrift, DriftReport, DriftVerdict, StatisticResult, WindowDrift
from cellops.records.profile import ColumnKind


def column(name: str, share: float, importance: float | None, verdict: str = "major") -> ColumnDrift:
    results = (
        StatisticResult(statistic="psi", value=4 * share),
        StatisticResult(statistic="total_variation", value=share),
    )
    return ColumnDrift(
        column=name,
        kind=ColumnKind.NUMBER,
        verdict=DriftVerdict(verdict),
        current=None,
        results=results,
        importance=importance,
    )


def ranked(*columns: ColumnDrift) -> list[str]:
    return [one.column for one in sorted(columns, key=ranking(columns), reverse=True)]


def test_a_column_that_moved_much_and_does_not_matter_stands_below_one_that_moved_less_and_matters() -> None:
    assert ranked(column("idle", 0.9, 0.01), column("weighty", 0.2, 0.6, "moderate")) == ["weighty", "idle"]


def test_columns_that_did_not_drift_stand_below_all_that_did() -> None:
    still = column("still", 0.04, 0.9, "stable")
    unknown = column("unknown", 0.0, 1.0, "not enough data")
    assert ranked(unknown, still, column("idle", 0.5, 0.0)) == ["idle", "still", "unknown"]


def test_without_importance_the_one_that_moved_furthest_is_first() -> None:
    assert ranked(column("a", 0.2, None), column("b", 0.3, None)) == ["b", "a"]
    assert not is_known([column("a", 0.2, None)])
    assert not is_known([column("a", 0.2, 0.0)])


def test_a_column_of_unknown_importance_counts_as_an_average_one() -> None:
    known = column("a", 0.3, 0.8), column("b", 0.3, 0.2)
    assert ranked(*known, column("c", 0.3, None)) == ["a", "c", "b"]


def test_consequence_is_a_share() -> None:
    assert consequence(column("a", 0.3, 0.5)) == pytest.approx(0.15)
    assert consequence(column("a", 0.3, None)) is None


def test_a_report_without_shares_is_ranked_by_psi() -> None:
    old = [one.replace(results=one.results[:1]) for one in (column("a", 0.1, None), column("b", 0.2, None))]
    assert ranked(*old) == ["b", "a"]


def test_each_drifted_column_is_told_once_in_its_gravest_window() -> None:
    windows = tuple(
        WindowDrift(
            label=label,
            start=None,
            end=None,
            rows=500,
            columns=(column("a", share, 0.1), column("b", 0.2, 0.9), column("c", 0.0, 0.0, "stable")),
            output=column("answer", 0.1, None, "moderate"),
            relations=column("relations between columns", 0.0, None, "stable"),
        )
        for label, share in (("one", 0.2), ("two", 0.4))
    )
    made = DriftReport(
        package="p", digest="0", made="", source="", reference_rows=1, reference_performance=None, windows=windows
    )
    lines = gravest(made)
    assert [(line.column, line.window, line.importance) for line in lines] == [
        ("b", "one", 0.9),
        ("a", "two", 0.1),
        ("answer", "one", None),
    ]
    assert lines[1].effect == "PSI 1.60"


def fallen(*columns: ColumnDrift, worse: tuple[str, ...] = ("roc_auc",), label: str = "all") -> WindowDrift:
    return WindowDrift(label=label, start=None, end=None, rows=500, columns=columns, worse=worse)


def told(*windows: WindowDrift) -> DriftReport:
    return DriftReport(
        package="p", digest="0", made="", source="", reference_rows=1, reference_performance=None, windows=windows
    )


def still(name: str, share: float, importance: float | None, p_value: float | None = 1e-4) -> ColumnDrift:
    return column(name, share, importance, "stable").replace(adjusted_p_value=p_value)


def test_where_performance_fell_and_no_column_drifted_those_of_most_consequence_lead() -> None:
    columns = still("a", 0.02, 0.1), still("b", 0.02, 0.5), still("c", 0.01, 0.3), still("d", 0.01, 0.1)
    report = told(
        fallen(*columns, label="one"),
        fallen(*(one.replace(results=()) for one in columns), label="two"),
        fallen(still("d", 0.02, 0.9), worse=(), label="three"),
    )
    assert [window.label for window in unexplained(report)] == ["one", "two"]
    lines = leading(report)
    assert [(line.column, line.window, line.effect) for line in lines] == [
        ("b", "one", "PSI 0.08"),
        ("c", "one", "PSI 0.04"),
        ("a", "one", "PSI 0.08"),
    ]


def test_a_column_that_moved_by_chance_or_does_not_matter_does_not_lead() -> None:
    columns = still("chance", 0.05, 0.5, 0.3), still("idle", 0.05, 0.0), still("unjudged", 0.05, 0.5, None)
    assert leading(told(fallen(*columns))) == ()


def test_drift_explains_its_own_window_only() -> None:
    first = fallen(column("a", 0.2, 0.1), label="one")
    assert unexplained(told(first)) == ()
    assert [line.window for line in leading(told(first, fallen(still("a", 0.02, 0.1), label="two")))] == ["two"]
