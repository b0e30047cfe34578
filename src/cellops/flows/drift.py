"""New data, or a prediction log, against what a package promised."""

from pathlib import Path
from typing import TYPE_CHECKING

from cellops.errors import InputError, NotFoundError, UsageError
from cellops.monitoring.windows import Window
from cellops.records.base import Record
from cellops.records.contract import Schema
from cellops.records.drift import DriftReport
from cellops.records.finding import Finding, Severity
from cellops.records.profile import ColumnKind
from cellops.settings import Settings, load, prepare

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from cellops.packaging.load import LoadedPackage

READERS = (".csv", ".parquet")


class Drifted(Record, frozen=True, kw_only=True):
    """A drift report and where it lies."""

    report: DriftReport
    page: str
    """Path of the HTML page."""
    data: str
    """Path of the JSON beside it."""


def drift(
    package: Path | str,
    data: Path | str | None = None,
    *,
    log: Path | str | None = None,
    time: str | None = None,
    label: str | None = None,
    window: str = "month",
    output: Path | None = None,
    settings: Settings | None = None,
) -> Drifted:
    """Compare data with the profile of a package, window by window, and write the report.

    Parameters
    ----------
    package
        The folder of the package; it carries all that is compared with.
    data
        A CSV or Parquet file with the model's inputs; the model answers it here, so that its output and, with
        labels, its performance can be compared too.
    log
        Instead of data: a prediction log, with the labels that have arrived.
    time
        The column by which rows are put into windows; without it all rows are one window. A log has its own.
    label
        The column with the truth. By default the model's target, where the data have it.
    window
        `day`, `week` or `month`.
    output
        The folder of the report; default is `.cellops/drift/NAME`.

    Raises
    ------
    UsageError
        When neither or both of data and log are given.
    NotFoundError, IntegrityError, TrustError
        As loading the package does.
    InputError
        When the data cannot be read, or have no such column.
    """
    from cellops.monitoring.drift import compare
    from cellops.monitoring.report import write
    from cellops.packaging.load import load_package

    if (data is None) == (log is None):
        fact = "Give either a file with data or --log with the folder of a prediction log"
        raise UsageError(fact, remedy="For example: cellops drift model april.parquet --time departure")
    settings = settings or load()
    loaded = load_package(Path(package), trusted_types=settings.trusted, allow_pickle=settings.allow_pickle)
    if data is not None:
        windows, findings = _of_data(loaded, Path(data), time, label, window)
        source = Path(data).name
    else:
        windows, findings = _of_log(loaded, Path(str(log)), window)
        source = f"prediction log {Path(str(log)).name}"
    report = compare(loaded.contract, windows, package=loaded.manifest.name, digest=loaded.digest, source=source)
    report = report.replace(findings=(*report.findings, *findings))
    page, written = write(report, loaded.contract, output or prepare(settings.folder) / "drift" / loaded.manifest.name)
    return Drifted(report=report, page=str(page), data=str(written))


def _of_data(
    loaded: "LoadedPackage", path: Path, time: str | None, label: str | None, by: str
) -> tuple[list[Window], list[Finding]]:
    from cellops.monitoring.windows import cut, whole

    frame = read_table(path, loaded.contract.schema)
    target = label or (loaded.contract.schema.target if loaded.contract.schema.target in frame else None)
    if target is not None and target not in frame:
        fact = f"{path.name} has no column {target}"
        raise InputError(fact, remedy=f"Its columns are {', '.join(map(str, frame.columns))}", column=target)
    findings: list[Finding] = []
    windows = cut(frame, time, by) if time is not None else whole(frame)
    return [_answered(loaded, part, target, findings) for part in windows], findings


def _answered(loaded: "LoadedPackage", window: Window, target: str | None, findings: list[Finding]) -> Window:
    """The window with the model's answers; inputs that it cannot answer leave them out, and say why."""
    from dataclasses import replace

    from cellops.data.decoder import frame_columns

    names = [field.name for field in loaded.contract.schema.inputs]
    truth = None if target is None else window.frame[target].to_numpy()
    inputs = window.frame[[name for name in names if name in window.frame]]
    try:
        answers = loaded.predictor.predict(frame_columns(loaded.contract.schema, inputs))
    except InputError as error:
        findings.append(
            Finding(
                code="window-not-scored",
                severity=Severity.ERROR,
                where=f"window {window.label}",
                seen=f"the model cannot answer these rows: {error.fact}",
                remedy=error.remedy,
            )
        )
        return replace(window, frame=inputs, truth=truth)
    return replace(window, frame=inputs, labels=answers.labels, probabilities=answers.probabilities, truth=truth)


def _of_log(loaded: "LoadedPackage", folder: Path, by: str) -> tuple[list[Window], list[Finding]]:
    """What this package answered according to a log, with the labels that have arrived."""
    from dataclasses import replace

    from cellops.monitoring import prediction_log
    from cellops.monitoring.windows import cut

    if not folder.is_dir():
        fact = f"There is no prediction log {folder}"
        raise NotFoundError(fact, remedy="Give the folder that cellops serve names when it starts")
    joined = prediction_log.joined(folder, package=loaded.digest)
    if joined.predictions.empty:
        fact = f"{folder.name} holds no predictions of the package {loaded.manifest.name}"
        raise InputError(fact, remedy="Give the log of this package, or serve it first")
    windows = [
        replace(
            window,
            frame=prediction_log.inputs(window.frame),
            labels=window.frame["label"].to_numpy(),
            probabilities=_probabilities(prediction_log.probabilities(window.frame)),
            truth=window.frame["truth"].to_numpy(),
        )
        for window in cut(joined.predictions, "time", by)
    ]
    return windows, [_unmatched(len(joined.unknown))] if len(joined.unknown) else []


def _probabilities(frame: "pd.DataFrame") -> "NDArray[np.float64] | None":
    return frame.to_numpy(dtype=float) if frame.shape[1] else None


def _unmatched(labels: int) -> Finding:
    return Finding(
        code="label-without-prediction",
        severity=Severity.WARNING,
        where="label log",
        seen=f"{labels} labels name predictions that are not in the log",
        remedy="Send the prediction ids that the server answered: REQUEST:ROW",
    )


def read_table(path: Path, schema: Schema) -> "pd.DataFrame":
    """Read a CSV or Parquet file; text columns of a CSV stay text, so that 001 is not 1.

    Raises
    ------
    NotFoundError
        When there is no such file.
    InputError
        When it is neither CSV nor Parquet, or cannot be read as what its name says.
    """
    import pandas as pd

    if not path.is_file():
        fact = f"There is no file {path}"
        raise NotFoundError(fact, remedy="Give a CSV or Parquet file")
    if path.suffix.lower() not in READERS:
        fact = f"{path.name} is neither CSV nor Parquet"
        raise InputError(fact, received=path.suffix, remedy=f"Its name must end in {' or '.join(READERS)}")
    try:
        if path.suffix.lower() == ".parquet":
            return pd.read_parquet(path)
        texts = {field.name: "str" for field in schema.inputs if field.kind is ColumnKind.TEXT}
        return pd.read_csv(path, dtype=texts)
    except (ValueError, OSError, ArithmeticError) as error:
        fact = f"{path.name} cannot be read: {str(error).splitlines()[0]}"
        raise InputError(fact, remedy="Write it again as Parquet or CSV") from error
