"""The report: what stands in it, in which order, that it is safe, self-contained, small and written at once."""

import html.parser
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cellops.data.profile import profile, profile_column
from cellops.monitoring.charts import line_chart, row_chart
from cellops.monitoring.column_view import by_consequence, column_view
from cellops.monitoring.drift import compare
from cellops.monitoring.findings import by_code
from cellops.monitoring.headline import headline
from cellops.monitoring.report import render, write
from cellops.monitoring.windows import Window
from cellops.records.contract import Contract, Measure, Parity, Schema, Task
from cellops.records.drift import DriftReport, DriftVerdict
from cellops.records.finding import Finding, Severity
from cellops.stats.performance import evaluate

VOID = {"meta", "line", "path", "circle", "rect", "img", "br", "link", "input"}


class Page(html.parser.HTMLParser):
    """The text, the tags and the addresses of a page; fails where a tag is left open."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.words: list[str] = []
        self.addresses: list[str] = []
        self.feed(source)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href", "xlink:href", "action"}]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def drifting(
    windows: int, columns: int, rows: int = 300, *, labelled: bool = True, prefix: str = "c", shift: float = 1.0
) -> tuple[DriftReport, Contract]:
    """Numbers and text whose first column moves a little further in each window, beside a model that follows it."""

    def table(seed: int, moved: float) -> pd.DataFrame:
        random = np.random.default_rng(seed)
        numeric = {f"{prefix}{place}": random.normal(size=rows) for place in range(columns)}
        numeric[f"{prefix}0"] += moved
        names = [f"category {number:03}" for number in range(60)]
        numeric[f"{prefix}{columns - 1}"] = random.choice(names, rows)
        return pd.DataFrame(numeric)

    def chances(frame: pd.DataFrame) -> np.ndarray:
        positive = 1 / (1 + np.exp(-frame[f"{prefix}0"].to_numpy(float)))
        return np.column_stack([1 - positive, positive])

    reference = table(0, 0.0)
    given = chances(reference)
    contract = Contract(
        schema=Schema(inputs=(), task=Task.CLASSIFICATION, target="late", classes=(0, 1), probabilities=True),
        profile=profile(reference),
        parity=Parity(inputs={}, labels=[]),
        performance=evaluate(
            Task.CLASSIFICATION, np.random.default_rng(9).random(rows) < given[:, 1], given[:, 1] > 0.5, given, (0, 1)
        ),
        output=profile_column("probability of 1", given[:, 1]),
    )
    seen = []
    for number in range(windows):
        frame = table(number + 1, shift * number)
        given = chances(frame)
        truth = (np.random.default_rng(number).random(rows) < given[:, 1]).astype(float)
        seen.append(
            Window(
                label=f"2013-{number + 1:02}",
                start=None,
                end=None,
                frame=frame,
                labels=(given[:, 1] > 0.5).astype(int) if labelled else None,
                probabilities=given if labelled else None,
                truth=truth if labelled else None,
            )
        )
    return compare(contract, seen, package="flight_delays", digest="ab" * 32, source="prediction log"), contract


def test_the_page_is_read_in_order() -> None:
    page = Page(render(*drifting(4, 4)))
    places = [
        page.text.index(words)
        for words in (
            "input columns drifted, most of all c0",
            "ROC AUC by window",
            "Rows by window",
            "Drift by column and window",
            "Column by column",
            "Every statistic",
            "Findings",
        )
    ]
    assert places == sorted(places)
    assert "▲▲ major" in page.text
    assert "(prefers-color-scheme: dark)" in render(*drifting(1, 2))


def test_the_page_asks_nothing_of_the_outside_and_runs_nothing() -> None:
    source = render(*drifting(3, 3))
    page = Page(source)
    assert page.tags.isdisjoint({"script", "link", "img", "iframe", "object"})
    assert page.addresses == []
    assert not re.search(r"https?://|@import|url\(", source)


def test_untrusted_names_stay_text() -> None:
    report, contract = drifting(2, 3, prefix="<script>alert(1)</script>\"'&")
    hostile = contract.replace(schema=contract.schema.replace(target="<img src=x onerror=alert(1)>"))
    page = Page(render(report.replace(package="</title><script>", source="<b>"), hostile))
    assert page.tags.isdisjoint({"script", "img"})
    assert "<script>alert(1)</script>\"'&0" in page.text


def test_control_characters_of_names_and_values_are_written_out(tmp_path: Path) -> None:
    hostile = "a\x1b[2J\u202e\x9b\nb\x7f"
    _, contract = drifting(1, 2)
    city = pd.DataFrame({hostile: pd.Series([hostile, "other"] * 300, dtype=object)})
    contract = contract.replace(profile=profile(city), output=None)
    windows = [Window("w", None, None, frame) for frame in (city, city.assign(**{hostile: hostile}), city[[]])]
    report = compare(contract, windows, package=hostile, digest="0", source=hostile)
    assert report.windows[1].columns[0].verdict.drifted
    page, data = write(report, contract, tmp_path)
    strange = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]")
    assert not strange.search(page.read_text())
    text = Page(page.read_text()).text
    assert r"a\x1b[2J\u202e\x9b\nb\x7f went from 50.0% to 100.0% of the rows" in text
    assert not strange.search(data.read_text())
    assert DriftReport.from_json(data.read_bytes()) == report
    assert json.loads(data.read_text())["package"] == hostile


def test_it_stays_below_a_megabyte_at_50_columns_and_12_windows() -> None:
    report, contract = drifting(12, 50, rows=150, prefix="a rather long name of a column ", shift=0.3)
    assert len(render(report, contract).encode()) < 1_000_000


def test_what_is_too_much_to_show_is_counted() -> None:
    page = Page(render(*drifting(14, 53, rows=110, labelled=False)))
    assert "2 earlier windows and 3 columns that moved less" in page.text
    assert "2013-01" not in page.text.partition("Drift by column and window")[2].partition("Findings")[0]


def test_without_labels_the_page_says_so() -> None:
    report, contract = drifting(2, 3, labelled=False)
    page = Page(render(report, contract))
    assert page.text.count("No labels yet") == 1
    assert "once it is known" in page.text


def test_findings_of_one_code_stand_together_the_gravest_first() -> None:
    report, contract = drifting(3, 3, shift=2.0)
    lost = (
        report.windows[0]
        .columns[0]
        .replace(
            finding=Finding(
                code="column-not-compared", severity=Severity.ERROR, where="here", seen="gone", remedy="look"
            )
        )
    )
    report = report.replace(windows=(report.windows[0].replace(columns=(lost,)), *report.windows[1:]))
    text = Page(render(report, contract)).text.partition("Findings")[2]
    assert text.index("Column not compared (1)") < text.index("Major drift (")


def test_columns_that_could_not_be_compared_are_shown() -> None:
    report, contract = drifting(2, 3)
    missing = [report.windows[0].columns[-1].column]
    frame = pd.DataFrame({c.name: np.zeros(200) for c in contract.profile.columns if c.name not in missing})
    again = compare(contract, [Window("w", None, None, frame)], package="p", digest="0", source="s")
    page = Page(render(again, contract))
    assert "not compared" in page.text
    assert "The column is not there" in page.text


@pytest.mark.parametrize("rows", [1, 50])
def test_small_windows_make_a_page_too(rows: int) -> None:
    report, contract = drifting(1, 2, rows=rows)
    assert "there are not enough rows to judge drift" in Page(render(report, contract)).text


def test_the_headline_puts_performance_first() -> None:
    report, _ = drifting(3, 3)
    assert headline(report).startswith("ROC AUC ")
    assert headline(report.replace(reference_performance=None)).startswith("The package promises no ROC AUC")
    still, _ = drifting(1, 2, rows=2000, shift=0.0)
    assert headline(still) == "ROC AUC held in the one labelled window; none of 2 input columns drifted."


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("window-not-scored", "The model could not answer the rows, so performance is unknown; "),
        ("performance-unreadable", "The labels do not fit the model, so performance is unknown; "),
        ("cell-unreadable", "No labels yet, so performance is unknown; "),
    ],
)
def test_the_headline_says_why_performance_is_unknown(code: str, said: str) -> None:
    report, _ = drifting(2, 3, labelled=False)
    finding = Finding(code=code, severity=Severity.ERROR, where="here", seen="so", remedy="look")
    assert headline(report.replace(findings=(finding,))).startswith(said)


def test_the_headline_counts_what_has_drifted_at_all_and_what_could_be_judged() -> None:
    report, contract = drifting(1, 4, rows=2000)
    frame = pd.DataFrame({"c0": np.random.default_rng(1).normal(0.35, size=2000), "c1": 0.0})
    window = compare(contract, [Window("w", None, None, frame)], package="p", digest="0", source="s").windows[0]
    verdicts = {column.column: column.verdict.value for column in window.columns}
    assert verdicts == {"c0": "moderate", "c1": "major", "c2": "not enough data", "c3": "not enough data"}
    assert headline(report.replace(windows=(window,))).endswith(
        "2 of 2 input columns drifted, most of all c1, c0; an alarm; missing or unreadable: c2, c3."
    )


@pytest.mark.parametrize(("windows", "said"), [(1, "50 labelled rows"), (2, "no window has 100 labelled rows")])
def test_performance_of_few_labels_is_not_judged(windows: int, said: str) -> None:
    report, contract = drifting(windows, 3, rows=50, shift=0.0)
    assert all(window.performance for window in report.windows)
    assert headline(report).startswith(f"Performance was not judged: {said}")
    assert "▼ " not in Page(render(report, contract)).text


def test_the_headline_names_every_figure_that_is_worse_anywhere() -> None:
    report, contract = drifting(3, 3, shift=0.0, rows=1000)
    first, second, third = report.windows
    other = report.replace(windows=(first.replace(worse=("accuracy",)), second, third))
    held = "ROC AUC held in all 3 labelled windows, but worse than promised was Accuracy in 1; "
    assert headline(other).startswith(held)
    both = report.replace(windows=(first, second.replace(worse=("accuracy", "roc_auc")), third))
    said = "ROC AUC was worse than promised in 1 of 3 labelled windows, Accuracy in 1; "
    assert headline(both).startswith(said)
    assert "▼ " in Page(render(both, contract)).text


def test_the_headline_names_a_column_that_is_not_there() -> None:
    report, contract = drifting(1, 3)
    frame = pd.DataFrame({"c0": np.random.default_rng(0).normal(size=300)})
    lacking = compare(contract, [Window("w", None, None, frame)], package="p", digest="0", source="s")
    assert headline(lacking).endswith("none of 1 input column drifted; missing or unreadable: c1, c2.")
    assert "missing" not in headline(report)


def test_windows_without_the_main_figure_are_counted() -> None:
    report, _ = drifting(3, 3, shift=0.0, rows=1000)
    last = report.windows[-1]
    lacking = last.performance.replace(measures=last.performance.measures[1:], absent={"roc_auc": "one class"})
    shown = report.replace(windows=(*report.windows[:-1], last.replace(performance=lacking)))
    assert headline(shown).startswith("ROC AUC held in the 2 of 3 labelled windows that could be judged; ")


def test_a_figure_that_is_absent_is_shown_with_its_reason() -> None:
    report, contract = drifting(3, 3, shift=20.0)
    text = Page(render(report, contract)).text
    assert "ROC AUC in 2013-02, 2013-03: all rows are of one class" in text


def test_the_page_says_from_how_many_rows_drift_is_judged() -> None:
    text = Page(render(*drifting(1, 2, rows=50))).text
    assert "? not judged, for that takes 100 rows in the window and in the profile" in text


def test_small_charts_of_windows_that_are_not_judged_have_a_scale_that_fits_them() -> None:
    report, _ = drifting(2, 3, rows=60)
    cells = next(cells for cells in by_consequence(report.windows) if cells[0].column == "c0")
    view = column_view(cells, report.windows, report.reference["c0"])
    assert not any(column.verdict.judged for window in report.windows for column in window.columns)
    assert view.highest >= max(max(cell.current.counts) / 60 for cell in cells)


def test_names_of_categories_are_short_in_what_is_written(tmp_path: Path) -> None:
    texts = [f"{number} {'x' * 10_000}" for number in range(50)]
    frame = pd.DataFrame({"c": np.repeat(texts, 30)})
    _, contract = drifting(1, 2)
    contract = contract.replace(profile=profile(frame))
    windows = [Window(str(number), None, None, frame[: 750 + number]) for number in range(12)]
    report = compare(contract, windows, package="p", digest="0", source="s")
    page, data = write(report, contract, tmp_path)
    assert data.stat().st_size + page.stat().st_size < 500_000
    assert report.windows[0].columns[0].current.counts[:2] == (30, 30)
    assert "cut after 80 characters" in Page(page.read_text()).text


def test_a_figure_that_is_worse_in_several_windows_is_one_finding() -> None:
    report, _ = drifting(6, 3, shift=0.0, rows=1000)
    promised = report.reference_performance
    better = promised.replace(
        measures=tuple(m.replace(value=0.99, low=0.98, high=1.0) for m in promised.measures if m.name == "roc_auc")
    )
    worse = Finding(code="performance-worse", severity=Severity.WARNING, where="w", seen="s", remedy="r")
    windows = tuple(window.replace(findings=(worse,), worse=("roc_auc",)) for window in report.windows)
    (finding,) = by_code(report.replace(windows=windows, reference_performance=better))["performance-worse"]
    assert finding.where == "ROC AUC, windows 2013-01, 2013-02, 2013-03 and 3 more"
    values = {window.label: window.performance.measure("roc_auc").value for window in report.windows}
    assert finding.seen.startswith(f"most in {min(values, key=values.get)}: ")
    assert finding.seen.endswith("promised 0.99 (0.98 to 1)")


def test_what_returns_in_each_window_is_one_finding() -> None:
    report, contract = drifting(8, 3)
    frame = pd.DataFrame({"c0": np.random.default_rng(0).normal(3, 1, 300)})
    windows = [Window(f"2013-0{n}", None, None, frame + n / 100) for n in range(1, 8)]
    again = compare(contract, windows, package="p", digest="0", source="s")
    found = by_code(again)
    assert [finding.where for finding in found["column-not-compared"]] == [
        "column c1, windows 2013-01, 2013-02, 2013-03 and 4 more",
        "column c2, windows 2013-01, 2013-02, 2013-03 and 4 more",
    ]
    (moved,) = found["major-drift"]
    assert moved.seen.startswith("most in 2013-0")
    assert sum(map(len, by_code(report).values())) < sum(len(window.columns) for window in report.windows)


def test_a_regression_is_reported_by_its_error() -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"size": random.normal(size=400)})
    predicted = frame["size"].to_numpy() * 2
    truth = predicted + random.normal(size=400)
    contract = Contract(
        schema=Schema(inputs=(), task=Task.REGRESSION, target="price"),
        profile=profile(frame),
        parity=Parity(inputs={}, labels=[]),
        performance=evaluate(Task.REGRESSION, truth, predicted, None, ()),
        output=profile_column("price", predicted),
    )
    window = Window("2013-04", None, None, frame, labels=predicted + 3, truth=truth)
    report = compare(contract, [window], package="prices", digest="0" * 64, source="file")
    assert headline(report).startswith("RMSE was worse than promised in the one labelled window, and so was ")
    assert report.windows[0].output.verdict is DriftVerdict.MAJOR
    assert "RMSE by window" in Page(render(report, contract)).text


def test_a_regression_beyond_the_largest_float_makes_a_page_and_json(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"size": random.normal(size=400)})
    truth = random.uniform(-1.7, 1.7, size=400)
    contract = Contract(
        schema=Schema(inputs=(), task=Task.REGRESSION, target="price"),
        profile=profile(frame),
        parity=Parity(inputs={}, labels=[]),
        performance=evaluate(Task.REGRESSION, truth, truth, None, ()),
    )
    windows = [Window(str(far), None, None, frame, labels=truth * far, truth=-truth * far) for far in (1e307, 1e308)]
    report = compare(contract, windows, package="prices", digest="0" * 64, source="file")
    page, data = write(report, contract, tmp_path)
    assert DriftReport.from_json(data.read_bytes()) == report
    assert report.windows[1].performance.absent["rmse"] == "it is beyond the largest float"
    assert not re.search(r"\b(nan|inf)\b", page.read_text())


def test_both_files_are_written_whole(tmp_path: Path) -> None:
    report, contract = drifting(2, 3)
    page, data = write(report, contract, tmp_path / "new" / "folder")
    assert page.read_text() == render(report, contract)
    assert DriftReport.from_json(data.read_bytes()) == report
    assert json.loads(data.read_text())["package"] == "flight_delays"
    assert sorted(path.name for path in page.parent.iterdir()) == ["drift.html", "drift.json"]


def test_a_write_that_fails_leaves_the_old_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report, contract = drifting(1, 2)
    page, data = write(report, contract, tmp_path)
    before = page.read_bytes(), data.read_bytes()
    data.unlink()
    data.mkdir()
    with pytest.raises(OSError, match=r"drift\.json"):
        write(report, contract, tmp_path)
    assert page.read_bytes() == before[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["drift.html", "drift.json"]


def test_a_line_breaks_where_a_window_has_no_figure() -> None:
    figures = [Measure(name="m", value=v, low=v - 0.1, high=v + 0.1) if v else None for v in (0.5, 0.6, None, 0.7)]
    chart = line_chart(["a", "b", "c", "d"], figures, None, [False, False, False, True])
    assert chart.lines.count("M") == 2
    assert [point.worse for point in chart.points] == [False, False, True]
    assert chart.band.count("Z") == 1
    assert chart.whiskers.count("V") == 1
    assert chart.promised is None


def test_a_single_window_shows_its_interval_and_one_without_an_interval_shows_none() -> None:
    alone = line_chart(["a"], [Measure(name="m", value=0.5, low=0.4, high=0.6)], None, [False])
    assert (alone.band, alone.whiskers.count("V")) == ("", 1)
    unknown = line_chart(["a", "b"], [Measure(name="m", value=v) for v in (0.5, 0.6)], None, [False, False])
    assert (unknown.band, unknown.whiskers) == ("", "")
    assert unknown.lines.count("L") == 1


@pytest.mark.parametrize("value", [0.0, 0.5, 1e-9, 123456.0, -3.0])
def test_one_figure_without_an_interval_can_be_drawn(value: float) -> None:
    chart = line_chart(["a"], [Measure(name="m", value=value)], None, [False])
    assert all(np.isfinite(tick.place) for tick in chart.upward)
    assert min(tick.place for tick in chart.upward) <= chart.points[0].y <= max(tick.place for tick in chart.upward)


def test_labels_are_thinned_and_empty_windows_have_no_bar() -> None:
    chart = row_chart([str(day) for day in range(270)], [10] * 269 + [0], [0] * 270)
    assert len(chart.across) <= 6
    assert chart.rows.count("M") == 269
    assert chart.labelled == ""
