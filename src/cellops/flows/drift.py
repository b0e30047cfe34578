"""New data, or a prediction log, against what a package promised."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.errors import InputError, NotFoundError, UsageError
from cellops.monitoring.windows import Window
from cellops.records.base import Record
from cellops.records.drift import DriftReport, RankedColumn
from cellops.records.finding import Finding, Severity
from cellops.settings import Settings, load, prepare, without_credentials

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from cellops.flows.data_windows import Wanted
    from cellops.monitoring.window_part import WindowPart
    from cellops.packaging.load import LoadedPackage

JUDGEMENTS = frozenset({"major-drift", "performance-worse"})
"""Findings that say again what the figures show."""


class Drifted(Record, frozen=True, kw_only=True):
    """A drift report and where it lies."""

    report: DriftReport
    headline: str
    """The verdict in one sentence."""
    ranked: tuple[RankedColumn, ...] = ()
    """The columns that drifted, the one of most consequence first."""
    unexplained: tuple[str, ...] = ()
    """The windows in which performance is worse than promised, although no input column drifted."""
    leading: tuple[RankedColumn, ...] = ()
    """The few columns of most consequence in these windows, as far as they moved by more than chance."""
    findings: tuple[Finding, ...]
    """What kept something from being judged, each thing once."""
    page: str
    """Path of the HTML page."""
    data: str
    """Path of the JSON beside it."""
    replaced: bool = False
    """Whether a report stood there before."""


def drift(
    package: Path | str,
    data: Path | str | None = None,
    *,
    log: Path | str | None = None,
    time: str | None = None,
    label: str | None = None,
    window: str = "month",
    statistics: str | None = None,
    alarm_rate: float | None = None,
    output: Path | None = None,
    settings: Settings | None = None,
    on_stage: Callable[[str], None] = lambda _: None,
) -> Drifted:
    """Compare data with the profile of a package, window by window, and write the report.

    Parameters
    ----------
    package
        The folder of the package, or its archive; it carries all that is compared with.
    data
        A CSV or Parquet file, or a folder with Parquet files, with the model's inputs; the model answers it here, so
        that its output and, with labels, its performance can be compared too. It may be larger than memory: beyond
        some twenty million values, or 128 MB of strings, it is read in chunks. Then counts are exact still, and
        quantiles come from a sketch. Or the drift profile that `cellops score` has left beside its output.
    log
        Instead of data: a prediction log, its folder or address, with the labels that have arrived.
    time
        The column by which rows are put into windows; without it all rows are one window. A log has its own.
    label
        The column with the truth. By default the model's target, where the data have it.
    window
        `day`, `week` or `month`.
    statistics
        Those that stand in the report, with commas between their names, or `all`; default is the cheap ones.
    alarm_rate
        The share of false alarms among all to stay below; default is the setting of this name.
    output
        The folder of the report; default is `.cellops/drift/NAME/FILE`, or `.cellops/drift/NAME/log`.
    on_stage
        Hears how many rows have been read, where there are many.

    Raises
    ------
    UsageError
        When neither or both of data and log are given, or a log with time or label; when there is no such statistic;
        when the report cannot be written to its folder, as far as possible before the data are read.
    NotFoundError, SignatureError, IntegrityError, TrustError
        As loading the package does.
    InputError
        When the data cannot be read, or have no such column.
    """
    from cellops.flows.data_windows import Wanted
    from cellops.flows.opening import load_package
    from cellops.monitoring.drift import compare
    from cellops.monitoring.findings import by_code
    from cellops.monitoring.gravest import gravest, leading, unexplained
    from cellops.monitoring.headline import headline
    from cellops.monitoring.personal import in_clear
    from cellops.monitoring.report import write
    from cellops.monitoring.statistics import chosen

    if (data is None) == (log is None):
        fact = "Give either a file with data or --log with the folder of a prediction log"
        raise UsageError(fact, remedy="For example: cellops drift model april.parquet --time departure")
    if log is not None and (time is not None or label is not None):
        fact = "A prediction log has its own times and labels"
        raise UsageError(fact, remedy="Leave out --time and --label, or give a file with data")
    settings = settings or load()
    names = chosen(statistics)
    loaded = load_package(Path(package), settings)
    part = "log" if data is None else Path(data).name
    folder = output or prepare(settings.folder) / "drift" / loaded.manifest.name / part
    _refuse_unwritable(folder)
    windows: Sequence[Window | WindowPart]
    if log is not None:
        windows, findings = _of_log(loaded, log, window)
        contract, unlogged = in_clear(loaded.contract)
        findings += unlogged
        source = f"prediction log {_called(log)}"
    else:
        windows, findings = _of_data(loaded, Path(str(data)), Wanted(time, label, window), on_stage)
        contract, source = loaded.contract, part
    report = compare(
        contract,
        windows,
        package=loaded.manifest.name,
        digest=loaded.digest,
        source=source,
        statistics=names,
        alarm_rate=settings.alarm_rate if alarm_rate is None else alarm_rate,
    )
    report = report.replace(findings=(*report.findings, *findings))
    replaced = (folder / "drift.html").exists()
    try:
        page, written = write(report, loaded.contract, folder)
    except OSError as error:
        raise _unwritable(folder, error.strerror or str(error)) from error
    found = tuple(f for code, group in by_code(report).items() if code not in JUDGEMENTS for f in group)
    return Drifted(
        report=report,
        headline=headline(report),
        ranked=gravest(report),
        unexplained=tuple(window.label for window in unexplained(report)),
        leading=leading(report),
        findings=found,
        page=str(page),
        data=str(written),
        replaced=replaced,
    )


def _of_data(
    loaded: "LoadedPackage", path: Path, wanted: "Wanted", on_stage: Callable[[str], None]
) -> "tuple[Sequence[Window | WindowPart], list[Finding]]":
    """The windows of a file with rows, or the one of a drift profile that a batch has left."""
    from cellops.flows.data_windows import data_windows
    from cellops.monitoring.drift_profile import from_bytes, is_drift_profile

    if not is_drift_profile(path):
        return data_windows(loaded, path, wanted, on_stage)
    if wanted.time is not None or wanted.label is not None:
        fact = f"{path.name} is the drift profile of a batch, which holds no times or labels"
        raise UsageError(fact, remedy="Leave out --time and --label, or give the rows themselves")
    return [from_bytes(path.read_bytes(), loaded.contract, loaded.digest, path.name)], []


def _refuse_unwritable(folder: Path) -> None:
    """Say before the work what would keep its report from being written."""
    held = next((place for place in (folder, *folder.parents) if place.exists()), folder)
    if not held.is_dir():
        raise _unwritable(folder, f"{held} is no folder")
    if not os.access(held, os.W_OK | os.X_OK):
        raise _unwritable(folder, f"nothing may be written in {held}")


def _unwritable(folder: Path, why: str) -> UsageError:
    fact = f"The report cannot be written to {folder}: {why}"
    return UsageError(fact, remedy="Give a folder that you may write to with --output")


def refuse(done: Drifted) -> None:
    """Let a drift whose report is incomplete not pass for one that judged everything.

    Raises
    ------
    InputError
        When a finding is an error.
    """
    errors = [finding for finding in done.findings if finding.severity is Severity.ERROR]
    if errors:
        more = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
        fact = f"The report is incomplete: {errors[0].where}: {errors[0].seen}{more}"
        raise InputError(fact, remedy=errors[0].remedy)


def _called(log: Path | str) -> str:
    """The last part of a folder or an address."""
    return without_credentials(str(log)).rstrip("/").rpartition("/")[2]


def _of_log(loaded: "LoadedPackage", log: Path | str, by: str) -> tuple[list[Window], list[Finding]]:
    """What this package answered according to a log, with the labels that have arrived."""
    from cellops.monitoring.log_store import LogStore, is_address

    if not is_address(log):
        return _of_folder(loaded, Path(log), _called(Path(log).resolve()), by)
    with LogStore(str(log)).fetched() as folder:
        return _of_folder(loaded, folder, _called(log), by)


def _of_folder(loaded: "LoadedPackage", folder: Path, name: str, by: str) -> tuple[list[Window], list[Finding]]:
    from dataclasses import replace

    from cellops.monitoring import label_log, prediction_log
    from cellops.monitoring.segment_files import damage
    from cellops.monitoring.windows import cut

    if not folder.is_dir():
        fact = f"There is no prediction log {folder}"
        raise NotFoundError(fact, remedy="Give the folder that cellops serve names when it starts")
    joined = prediction_log.joined(folder, package=loaded.digest)
    if joined.predictions.empty:
        fact = f"{name} holds no predictions of the package {loaded.manifest.name}"
        own = folder / loaded.manifest.name
        remedy = f"Give {own}, its own" if own.is_dir() else "Give the log of this package, or serve it first"
        raise InputError(fact, remedy=remedy)
    predictions, findings = _with_times(joined.predictions)
    findings += [finding for name in (prediction_log.FOLDER, label_log.FOLDER) for finding in damage(folder / name)]
    windows = [
        replace(
            window,
            frame=prediction_log.inputs(window.frame),
            labels=window.frame["label"].to_numpy(),
            probabilities=_probabilities(prediction_log.probabilities(window.frame)),
            truth=window.frame["truth"].to_numpy(),
        )
        for window in cut(predictions, "time", by)
    ]
    if len(joined.unknown):
        findings.append(_unmatched(len(joined.unknown)))
    return windows, findings


def _with_times(predictions: "pd.DataFrame") -> "tuple[pd.DataFrame, list[Finding]]":
    """The predictions whose time a window can have: servers once took others."""
    from cellops.monitoring.windows import FIRST_YEAR, LAST_YEAR

    real = predictions["time"].dt.year.between(FIRST_YEAR, LAST_YEAR)
    if real.all():
        return predictions, []
    finding = Finding(
        code="log-rows-left-out",
        severity=Severity.WARNING,
        where="prediction log",
        seen=f"{(~real).sum()} rows are left out: their time lies before {FIRST_YEAR} or after {LAST_YEAR}",
        remedy="Send the time at which the rows happened as X-Event-Time, or no such header",
    )
    return predictions[real].reset_index(drop=True), [finding]


def _probabilities(frame: "pd.DataFrame") -> "NDArray[np.float64] | None":
    return frame.to_numpy(dtype=float) if frame.shape[1] else None


def _unmatched(labels: int) -> Finding:
    named = "label names a prediction that is" if labels == 1 else "labels name predictions that are"
    return Finding(
        code="label-without-prediction",
        severity=Severity.WARNING,
        where="label log",
        seen=f"{labels} {named} not in the log",
        remedy="Send the prediction ids that the server answered: ANSWER:ROW",
    )
