"""The reports of an execution: gathered from what it left, and written where CI looks for them."""

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from cellops.errors import CellopsError, NotebookError, StepError, TrackingError, UsageError
from cellops.pipeline.reports.gather import cells, pictures, plain, shortened
from cellops.records.execution import CellState
from cellops.records.gate import GateFigure, GateResult, not_passed
from cellops.records.report import ExecutionReport, Failure, RunReport
from cellops.records.run import RunStatus, RunSummary
from cellops.settings import Settings

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
"""The file of GitHub Actions to which a step appends what the page of its job shows."""
LONGEST = 2000
NOT_ASKED = "this one is not in the tracking store yet, which was not asked"
NEWEST = 500
"""Among so many finished runs the last good one is looked for."""


class Places:
    """Where the reports of an execution go.

    Raises
    ------
    UsageError
        When one of them cannot be written there.
    """

    def __init__(self, junit: Path | None, summary: Path | None) -> None:
        step = os.environ.get(STEP_SUMMARY)
        is_of_the_step = step is not None and (summary is None or summary.resolve() == Path(step).resolve())
        self.junit = junit
        self.summary = None if is_of_the_step else summary
        self.step_summary = Path(step) if step and is_of_the_step else None
        for path in (junit, summary):
            if path is not None:
                _require_writable(path)

    def __bool__(self) -> bool:
        return any((self.junit, self.summary, self.step_summary))

    def write(self, report: ExecutionReport) -> None:
        """Write the reports; the summary of a GitHub step is appended to, the others are replaced.

        Raises
        ------
        OSError
            When the disk refuses.
        """
        from cellops.pipeline.reports.junit import junit
        from cellops.pipeline.reports.summary import LARGEST, summary

        if self.junit is not None:
            _replace(self.junit, junit(report))
        if self.summary is not None:
            _replace(self.summary, summary(report, _write_pictures(report, self.summary)).encode())
        if self.step_summary is not None:
            held = self.step_summary.stat().st_size if self.step_summary.exists() else 0
            text = summary(report, largest=LARGEST - held - 1)
            with self.step_summary.open("a", encoding="utf-8") as file:
                file.write(f"{text}\n")


def gather(
    notebook: Path,
    executed: Path | None,
    *,
    status: RunStatus,
    started: float,
    ended: BaseException | None,
    gates: Sequence[GateResult],
    runs: Sequence[RunSummary],
    unsynced: str | None,
    figures: Mapping[str, tuple[GateFigure, ...]],
    settings: Settings,
) -> ExecutionReport:
    """What is to be said of an execution.

    Parameters
    ----------
    executed
        The executed notebook; None where the kernel did not start.
    ended
        What ended the execution before its time.
    unsynced
        Why the runs are not in the tracking store yet, which is then not asked for earlier ones.
    figures
        What gates have asked of runs, by their keys.
    """
    good, not_compared = _last_good(runs, settings) if unsynced is None else ({}, NOT_ASKED)
    report = ExecutionReport(
        notebook=str(notebook),
        status=status,
        started=started,
        seconds=time.time() - started,
        gates=tuple(gates),
        runs=tuple(
            RunReport(run=r, before=good.get(r.run), not_compared=not_compared, figures=figures.get(r.run, ()))
            for r in runs
        ),
        notes=() if unsynced is None else (f"The runs are not in the tracking store yet: {unsynced}",),
    )
    if executed is not None:
        report = _with_time_out(_with_cells(report, notebook, executed), ended)
    if ended is not None and not report.failed_cells:
        report = report.replace(failure=_failure(ended))
    return report


def _with_cells(report: ExecutionReport, notebook: Path, executed: Path) -> ExecutionReport:
    """The report with what the executed notebook holds, from which secrets have been taken."""
    from cellops.pipeline.notebook import read

    given, done = read(notebook), read(executed)
    return report.replace(
        total=len(given.cells),
        parameters=dict(done.metadata.get("papermill", {}).get("parameters", {})),
        cells=tuple(cells(done, given)),
        pictures=tuple(pictures(done, given)),
    )


def _with_time_out(report: ExecutionReport, ended: BaseException | None) -> ExecutionReport:
    """The report with the time-out that has interrupted cells as why these failed."""
    places = ended.data.get("cells") if isinstance(ended, NotebookError | StepError) else None
    if ended is None or not isinstance(places, list):
        return report
    why = _failure(ended).replace(kind="TimeoutError", stopped=True)
    of = [c.replace(failure=why, state=CellState.FAILED) if c.index in places else c for c in report.cells]
    return report.replace(cells=tuple(of))


def _failure(ended: BaseException) -> Failure:
    if isinstance(ended, CellopsError):
        return Failure(kind=type(ended).__name__, message=shortened(plain(ended.text()), LONGEST))
    return Failure(kind=type(ended).__name__, message="the execution was stopped")


def _last_good(runs: Sequence[RunSummary], settings: Settings) -> tuple[dict[str, RunSummary | None], str]:
    """By the run's key the newest before it of its name, notebook and experiment that finished and passed its gates.

    With it why nobody knows, where the store does not answer.
    """
    from cellops.tracking.store import Store

    try:
        finished = Store(settings).finished(NEWEST) if runs else []
    except TrackingError as error:
        return {}, error.fact
    return {run.run: next((o for o in finished if _is_before(o, run, settings.project)), None) for run in runs}, ""


def _is_before(other: RunSummary, run: RunSummary, project: Path) -> bool:
    return (
        other.started < run.started
        and (other.name, other.experiment) == (run.name, run.experiment)
        and _is_same_notebook(other.notebook, run.notebook, project)
        and not not_passed(other.gates)
    )


def _is_same_notebook(one: str | None, other: str | None, project: Path) -> bool:
    """Whether two paths name one notebook of the project, which may be checked out elsewhere the next time."""
    if one is None or other is None:
        return False
    path = Path(other)
    within = path.relative_to(project).parts if path.is_relative_to(project) else path.parts
    return Path(one).parts[-len(within) :] == within


def _write_pictures(report: ExecutionReport, page: Path) -> list[str]:
    """Put the pictures into a folder beside the page; give their links."""
    folder = page.with_name(f"{page.stem}_files")
    links = []
    for number, picture in enumerate(report.pictures, start=1):
        place = "parameters" if picture.index is None else f"cell-{picture.index + 1}"
        name = f"{place}-{number}.png"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(picture.content)
        links.append(f"{quote(folder.name)}/{name}")
    return links


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _require_writable(path: Path) -> None:
    """Refuse what cannot be written before a kernel has worked for it."""
    existing = next(folder for folder in path.resolve().parents if folder.exists())
    if path.is_dir():
        fact = f"The report {path} is a folder"
        raise UsageError(fact, remedy="Give the path of a file")
    if not existing.is_dir() or not os.access(existing, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        fact = f"The report {path} cannot be written"
        raise UsageError(fact, remedy="Give a file in a folder of yours")


def annotations(report: ExecutionReport) -> list[str]:
    """What has gone wrong, as commands that GitHub Actions reads from what a step prints."""
    from cellops.pipeline.reports.annotations import annotations as lines

    workspace = os.environ.get("GITHUB_WORKSPACE")
    return list(lines(report, Path(workspace) if workspace else None))
