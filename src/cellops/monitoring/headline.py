"""The verdict of a report in one sentence: performance first, for drift matters through it."""

from cellops.monitoring.column_view import furthest_first, short, worst_of
from cellops.monitoring.performance import is_worse
from cellops.records.contract import Measure
from cellops.records.drift import DriftReport, WindowDrift

MAIN_MEASURES = ("roc_auc", "accuracy", "rmse")
"""The first of these that any window has stands for performance."""


def headline(report: DriftReport) -> str:
    """The sentence that a reader should take away."""
    return f"{_performance_sentence(report)}{_drift_sentence(report)}."


def _performance_sentence(report: DriftReport) -> str:
    name = main_measure(report)
    if name is None:
        return f"{_why_unknown(report)}, so performance is unknown; "
    called, pairs = measure_name(name), _against_promise(report, name)
    if not pairs:
        return f"The package promises no {called} to compare with; "
    worse = sum(is_worse(now, promised) for now, promised in pairs)
    if not worse:
        labelled = sum(window.performance is not None for window in report.windows)
        return f"{called} held in {_all_of(len(pairs), labelled)}; "
    return f"{called} was worse than promised in {worse} of {_number(len(pairs), 'labelled window')}; "


def _why_unknown(report: DriftReport) -> str:
    """Why no window has a figure of performance that could be shown."""
    found = {finding.code for finding in (*report.findings, *(f for w in report.windows for f in w.findings))}
    if any(window.performance for window in report.windows):
        return "The rows give no main figure"
    if "performance-unreadable" in found:
        return "The labels do not fit the model"
    return "The model could not answer the rows" if "window-not-scored" in found else "No labels yet"


def _drift_sentence(report: DriftReport) -> str:
    columns = [worst_of(cells) for cells in furthest_first(report.windows)]
    drifted = [short(column.column) for column in columns if column.verdict.drifted]
    judged = _number(sum(column.verdict.judged for column in columns), "input column")
    if not any(column.verdict.judged for column in columns):
        readable = any(column.current for column in columns)
        return f"there are {'not enough rows' if readable else 'no columns'} to judge drift"
    if not drifted:
        return f"none of {judged} drifted"
    return f"{len(drifted)} of {judged} drifted, most of all {', '.join(drifted[:3])}"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _all_of(windows: int, labelled: int) -> str:
    if windows < labelled:
        return f"the {windows} of {labelled} labelled windows that have it"
    return {1: "the one labelled window", 2: "both labelled windows"}.get(windows, f"all {windows} labelled windows")


def measure_name(name: str) -> str:
    """What a person calls a figure."""
    names = {
        "roc_auc": "ROC AUC",
        "brier": "Brier score",
        "log_loss": "Log loss",
        "mae": "MAE",
        "rmse": "RMSE",
        "r2": "R²",
    }
    return names.get(name, name.capitalize())


def main_measure(report: DriftReport) -> str | None:
    known = {measure.name for window in report.windows if window.performance for measure in window.performance.measures}
    return next((name for name in MAIN_MEASURES if name in known), None)


def measure_of(window: WindowDrift, name: str) -> Measure | None:
    return window.performance.measure(name) if window.performance else None


def promised_by(report: DriftReport, name: str) -> Measure | None:
    return report.reference_performance.measure(name) if report.reference_performance else None


def _against_promise(report: DriftReport, name: str) -> list[tuple[Measure, Measure]]:
    promised = promised_by(report, name)
    figures = [measure_of(window, name) for window in report.windows]
    return [(figure, promised) for figure in figures if figure and promised]
