"""Runs as a plain text, for whoever has no widgets: a terminal, an executed notebook, a log."""

from collections.abc import Sequence
from datetime import UTC, datetime

from cellops.errors import printable
from cellops.records.finding import serious
from cellops.records.run import RunSummary

EMPTY = "No runs yet. Run a cell that begins with %%mlops run, and it is listed here."
METRICS_SHOWN = 3
HEADINGS = ("run", "name", "status", "started (UTC)", "duration", "metrics", "findings")


def runs_table(summaries: Sequence[RunSummary]) -> str:
    """One line a run, in columns.

    Examples
    --------
    >>> from cellops.records.run import RunStatus
    >>> run = RunSummary(run="3f2a91c04d5e", name="late", status=RunStatus.FINISHED, started=0, ended=2)
    >>> print(runs_table([run.replace(metrics={"auc": 0.71})]))
    run       name  status    started (UTC)     duration  metrics   findings
    3f2a91c0  late  finished  1970-01-01 00:00  2.0 s     auc=0.71  0
    """
    if not summaries:
        return EMPTY
    rows = [HEADINGS, *(_row(summary) for summary in summaries)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _row(summary: RunSummary) -> tuple[str, ...]:
    started = datetime.fromtimestamp(summary.started, UTC)
    duration = "" if summary.ended is None else f"{summary.ended - summary.started:.1f} s"
    shown = [f"{printable(name)}={value:.4g}" for name, value in summary.metrics.items()]
    more = ["…"] if len(shown) > METRICS_SHOWN else []
    return (
        summary.run[:8],
        printable(" ".join(summary.name.split())),
        summary.status.lower() + ("" if summary.synced else ", not synced"),
        f"{started:%Y-%m-%d %H:%M}",
        duration,
        " ".join(shown[:METRICS_SHOWN] + more),
        str(serious(summary.findings)),
    )
