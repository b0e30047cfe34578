"""The verdict of a report in one sentence: performance first, for drift matters through it."""

from collections import Counter
from collections.abc import Sequence

from cellops.monitoring.column_view import by_consequence, short, worst_of
from cellops.monitoring.performance import is_judged
from cellops.monitoring.ranking import is_known
from cellops.monitoring.verdict import LEAST_ROWS, all_columns
from cellops.records.contract import Measure
from cellops.records.drift import DriftReport, WindowDrift

MAIN_MEASURES = ("roc_auc", "accuracy", "rmse")
"""The first of these that any window has stands for performance."""
MOST_NAMES = 3


def headline(report: DriftReport) -> str:
    """The sentence that a reader should take away."""
    return f"{_performance_sentence(report)}{_drift_sentence(report)}."


def _performance_sentence(report: DriftReport) -> str:
    name = main_measure(report)
    if name is None:
        return f"{_why_unknown(report)}, so performance is unknown; "
    called = measure_name(name)
    if promised_by(report, name) is None:
        return f"The package promises no {called} to compare with; "
    labelled = [window for window in report.windows if window.performance]
    judged = [window for window in labelled if is_judged(window.performance) and measure_of(window, name)]
    if not judged:
        return f"Performance was not judged: {_too_few(labelled)}; "
    worse = _worse_windows(report)
    first = worse.pop(name, 0)
    if first and len(labelled) == 1:
        also = f", and so was {', '.join(map(measure_name, worse))}" if worse else ""
        return f"{called} was worse than promised in the one labelled window{also}; "
    others = [f"{measure_name(other)} in {windows}" for other, windows in worse.items()]
    if first:
        said = f"{called} was worse than promised in {first} of {_number(len(judged), 'labelled window')}"
        return f"{', '.join([said, *others])}; "
    held = f"{called} held in {_all_of(len(judged), len(labelled))}"
    return f"{held}, but worse than promised was {', '.join(others)}; " if others else f"{held}; "


def _worse_windows(report: DriftReport) -> dict[str, int]:
    """In how many windows each figure is worse than promised, as far as it is in any."""
    return dict(Counter(name for window in report.windows for name in window.worse))


def _too_few(labelled: Sequence[WindowDrift]) -> str:
    if len(labelled) == 1:
        return _number(labelled[0].labelled_rows, "labelled row")
    return f"no window has {LEAST_ROWS} labelled rows and this figure"


def _why_unknown(report: DriftReport) -> str:
    """Why no window has a figure of performance that could be shown."""
    found = {finding.code for finding in (*report.findings, *(f for w in report.windows for f in w.findings))}
    if any(window.performance for window in report.windows):
        return "The rows give no main figure"
    if "performance-unreadable" in found:
        return "The labels do not fit the model"
    return "The model could not answer the rows" if "window-not-scored" in found else "No labels yet"


def _drift_sentence(report: DriftReport) -> str:
    columns = [worst_of(cells) for cells in by_consequence(report.windows)]
    drifted = [short(column.column) for column in columns if column.verdict.drifted]
    judged = _number(sum(column.verdict.judged for column in columns), "input column")
    lacking = _not_compared(report)
    if not any(column.verdict.judged for column in columns):
        readable = any(column.current for column in columns)
        return f"there are {'not enough rows' if readable else 'no columns'} to judge drift{lacking}"
    rest = f"{_relations(report)}{_alarms(report)}{lacking}"
    if not drifted:
        return f"none of {judged} drifted{rest}"
    first = "of most consequence" if is_known(columns) else "most of all"
    return f"{len(drifted)} of {judged} drifted, {first} {', '.join(drifted[:MOST_NAMES])}{rest}"


def _relations(report: DriftReport) -> str:
    broken = any(window.relations and window.relations.verdict.drifted for window in report.windows)
    return "; columns no longer move together as in training" if broken else ""


def _alarms(report: DriftReport) -> str:
    """Which windows are alarms; where something drifted and none is, that is said too."""
    tested = [window for window in report.windows if window.alarm]
    raised = [short(window.label) for window in tested if window.alarm and window.alarm.raised]
    if raised and len(tested) == 1:
        return "; an alarm"
    if raised:
        return f"; {_number(len(raised), 'alarm')} in {len(tested)} windows, {_first_of(raised)}"
    drifted = any(column.verdict.drifted for window in tested for column in all_columns(window))
    return "; no alarm" if drifted else ""


def _first_of(labels: Sequence[str]) -> str:
    return labels[0] if len(labels) == 1 else f"the first in {labels[0]}"


def _not_compared(report: DriftReport) -> str:
    """The columns that some window lacks, or that cannot be read there."""
    columns = [column for window in report.windows for column in window.columns if column.current is None]
    names = list(dict.fromkeys(short(column.column) for column in columns if column.finding))
    if not names:
        return ""
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"; missing or unreadable: {', '.join(names[:MOST_NAMES])}{more}"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _all_of(windows: int, labelled: int) -> str:
    if windows < labelled:
        return f"the {windows} of {labelled} labelled windows that could be judged"
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
