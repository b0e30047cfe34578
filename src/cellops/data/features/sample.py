"""Sample rows with their features, and their replay."""

from typing import TYPE_CHECKING, Any

import numpy as np

from cellops.data.features.alone import same
from cellops.data.frames import scalars
from cellops.data.problems import row_numbers
from cellops.records.features import FeatureSample
from cellops.records.finding import Finding, Severity

if TYPE_CHECKING:
    import pandas as pd

    from cellops.data.features.feature_set import FeatureSet

TOLERANCE = 1e-9


def sample(features: "FeatureSet", frame: "pd.DataFrame", rows: int) -> FeatureSample:
    """Rows spread over a table, as JSON can hold them, with the features that each has when it stands alone."""
    names = [name for name in frame.columns if features.inputs is None or name in features.inputs]
    places = np.unique(np.linspace(0, len(frame) - 1, num=min(rows, len(frame))).astype(int))
    chosen = frame.iloc[places].reset_index(drop=True)
    made = features.compute(chosen)
    return FeatureSample(
        features=features.name,
        digest=features.digest,
        types={str(name): str(chosen[name].dtype) for name in names},
        inputs={str(name): list(scalars(chosen[name])) for name in names},
        computed={name: list(scalars(column)) for name, column in made.columns.items()},
    )


def replay(features: "FeatureSet", stored: FeatureSample) -> tuple[Finding, ...]:
    """What differs when the features of a sample are computed again."""
    import pandas as pd

    rows = max(map(len, [*stored.inputs.values(), *stored.computed.values()]), default=0)
    columns = {name: _column(values, stored.types[name]) for name, values in stored.inputs.items()}
    frame = pd.DataFrame(columns, index=range(rows))  # a constant reads no column
    made = {name: list(scalars(column)) for name, column in features.compute(frame).columns.items()}
    return tuple(
        finding
        for name, values in stored.computed.items()
        if (finding := _differing(name, values, made.get(name, []))) is not None
    )


def _column(values: list[Any], kind: str) -> "pd.Series[Any]":
    import pandas as pd

    held: pd.Series[Any] = pd.Series(pd.to_datetime(values) if kind.startswith("datetime64") else values)
    return held.astype(pd.api.types.pandas_dtype(kind))


def _differing(name: str, then: list[Any], now: list[Any]) -> Finding | None:
    if not now:
        rows, seen = list(range(len(then))), "is not made any more"
    else:
        pairs = zip(then, now, strict=True)
        rows = [row for row, (one, other) in enumerate(pairs) if not same(one, other, TOLERANCE)]
        seen = f"comes out otherwise than in training, as {now[rows[0]]!r} instead of {then[rows[0]]!r}" if rows else ""
    if not rows:
        return None
    return Finding(
        code="feature-differs",
        severity=Severity.ERROR,
        where=f"feature {name}",
        seen=f"{name} {seen}, sample {row_numbers(rows[:5], len(rows))}",
        remedy="Use the distributions of the package's lock, or package the run anew",
    )
