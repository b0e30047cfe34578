"""What the page shows of a server: its models, their traffic, their logs and their drift."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cellops.monitoring.segments import SegmentWriter
from cellops.serving.logs import Logs
from cellops.serving.metrics import REQUEST_BUCKETS, Metrics
from cellops.serving.model import Model
from cellops.serving.ui.drift import newest_drift
from cellops.serving.ui.traffic import traffic
from cellops.version import __version__


def state(
    models: Sequence[Model],
    defaults: Mapping[str, Model],
    roles: Mapping[Model, str],
    metrics: Metrics,
    reports: Path | None,
) -> dict[str, Any]:
    """The state as the page reads it; times are seconds since the epoch, durations seconds."""
    samples = list(metrics.samples())
    return {
        "server": f"cellops {__version__}",
        "now": time.time(),
        "models": [
            _model(model, samples, reports)
            | {"is_default": defaults[model.name] is model, "role": roles.get(model, "")}
            for model in models
        ],
        "traffic": traffic(samples),
        "resolution": [REQUEST_BUCKETS[0], REQUEST_BUCKETS[-1]],
    }


def _model(model: Model, samples: Sequence[Any], reports: Path | None) -> dict[str, Any]:
    contract, own = model.package.contract, {"model": model.name, "version": model.version}

    def total(name: str) -> int:
        return int(sum(each.value for each in samples if each.name == name and own.items() <= each.labels.items()))

    return {
        "name": model.name,
        "version": model.version,
        "package": model.package.digest,
        "format": model.package.provenance.model_format,
        "made": model.package.provenance.created,
        "task": contract.schema.task.value,
        "target": contract.schema.target,
        "since": model.since,
        "parity_rows": len(contract.parity.labels),
        "requests": total("cellops_request_rows_count"),
        "rows": total("cellops_request_rows_sum"),
        "labels": total("cellops_labels_total"),
        "unseen": total("cellops_unseen_category_rows_total"),
        "rules_failed": total("cellops_rule_failed_rows_total"),
        "logs": _logs(model.logs),
        "drift": newest_drift(reports / model.name if reports else None, model.name, model.package.digest),
    }


def _logs(logs: Logs | None) -> list[dict[str, Any]]:
    if logs is None:
        return []
    return [_log("predictions", logs.predictions), _log("labels", logs.labels)]


def _log(name: str, writer: SegmentWriter[Any]) -> dict[str, Any]:
    return {"log": name, "waiting": writer.waiting_rows, "room": writer.room, "lost": writer.lost_rows}
