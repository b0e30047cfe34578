"""Alarms of drift as errors, for those who want to be stopped by them."""

from cellops.errors import AlarmError
from cellops.records.drift import DriftReport


def refuse(report: DriftReport) -> None:
    """Stop where a window is an alarm.

    Raises
    ------
    AlarmError
        Naming the first; `data["windows"]` holds the labels of all.
    """
    raised = [window for window in report.windows if window.alarm and window.alarm.raised]
    if not raised:
        return
    columns = [column.column for column in raised[0].columns if column.verdict.drifted][:3]
    moved = f": {', '.join(columns)}" if columns else ""
    more = f", and {len(raised) - 1} more" if len(raised) > 1 else ""
    fact = f"Drift is an alarm in {raised[0].label}{moved}{more}"
    remedy = "Look at the report; if the world has moved, train on newer data"
    raise AlarmError(fact, remedy=remedy, windows=[window.label for window in raised])
