"""What a person is asked for to try a model: its inputs with their kinds, ranges and categories, and a row to begin."""

from datetime import UTC, datetime
from typing import Any

import numpy as np

from cellops.records.base import Value
from cellops.records.contract import Contract, Field
from cellops.records.profile import ColumnKind, ColumnProfile
from cellops.serving.model import Model
from cellops.serving.openapi import cell


def form(model: Model) -> dict[str, Any]:
    """The form of a model. The row to begin with is of nobody: medians, and the most frequent categories."""
    contract, path = model.package.contract, f"v1/models/{model.name}/versions/{model.version}"
    return {
        "name": model.name,
        "version": model.version,
        "target": contract.schema.target,
        "predict": f"v2/models/{model.name}/versions/{model.version}/infer",
        "explain": f"{path}:explain" if contract.background else None,
        "classes": list(contract.schema.classes),
        "fields": [_field(contract, field) for field in contract.schema.inputs],
    }


def _field(contract: Contract, field: Field) -> dict[str, Any]:
    allowed = cell(field, contract.suite)
    return {
        "name": field.name,
        "kind": field.kind.value,
        "nullable": field.nullable,
        "seen": [field.minimum, field.maximum],
        "categories": list(field.categories) if field.categories is not None else None,
        "allowed": {name: allowed[name] for name in LIMITS if name in allowed},
        "typical": _typical(contract.profile.column(field.name), field),
    }


LIMITS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "enum")


def _typical(profile: ColumnProfile | None, field: Field) -> Value:
    """The median or the most frequent category of the training data."""
    if profile is None:
        return None
    if field.kind in {ColumnKind.TEXT, ColumnKind.BOOLEAN}:
        found = profile.bins.categories if profile.bins else None
        first = found[0] if found else ""
        return first == "True" if field.kind is ColumnKind.BOOLEAN else first
    if profile.sketch is None or not profile.sketch.values:
        return None
    below = profile.sketch.cumulative
    middle = profile.sketch.values[min(int(np.searchsorted(below, below[-1] / 2)), len(below) - 1)]
    if field.kind is ColumnKind.DATETIME:
        return datetime.fromtimestamp(middle, UTC).isoformat().replace("+00:00", "Z")
    return round(middle) if field.kind is ColumnKind.INTEGER else float(f"{middle:.6g}")
