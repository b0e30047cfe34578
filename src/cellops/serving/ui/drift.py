"""The newest drift report of a model, as far as the page shows it."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from cellops.monitoring.gravest import gravest
from cellops.monitoring.headline import headline
from cellops.records.drift import DriftReport

MOST_COLUMNS = 5
LARGEST = 50_000_000
"""Bytes of a report; a larger one would hold up the server while it is read."""


def newest_drift(folder: Path | None, name: str, digest: str) -> dict[str, Any]:
    """What the newest report says, or how one is made.

    Parameters
    ----------
    folder
        Where `cellops drift` puts reports of the model, each in a folder of its own.
    name
        Of the model.
    digest
        Of the package that is served: a report may be of another version.
    """
    command = f"cellops drift PACKAGE --log .cellops/log/{name}"
    found = _newest(folder)
    if found is None:
        return {"missing": "There is no drift report of this model yet.", "command": command}
    path, changed, size = found
    if size > LARGEST:
        return {"missing": "The drift report is too large to be shown here.", "command": command}
    try:
        report = _told(path, changed)
    except (OSError, msgspec.DecodeError):
        return {"missing": "The drift report cannot be read.", "command": command}
    return report | {"is_of_this_version": report["digest"] == digest}


def _newest(folder: Path | None) -> tuple[Path, int, int] | None:
    try:
        found = [(path, path.stat()) for path in folder.glob("*/drift.json")] if folder else []
    except OSError:
        return None
    times = [(path, status.st_mtime_ns, status.st_size) for path, status in found]
    return max(times, key=lambda each: each[1], default=None)


@lru_cache(maxsize=32)
def _told(path: Path, _changed: int) -> dict[str, Any]:
    report = DriftReport.from_file(path)
    columns = gravest(report)
    return {
        "headline": headline(report),
        "made": report.made,
        "digest": report.digest,
        "windows": len(report.windows),
        "rows": sum(window.rows for window in report.windows),
        "alarms": sum(window.alarm is not None and window.alarm.raised for window in report.windows),
        "drifted": len(columns),
        "columns": [column.to_dict() for column in columns[:MOST_COLUMNS]],
    }
