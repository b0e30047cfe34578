"""A set of features: functions with their source, on any table, and in a pipeline of scikit-learn."""

import warnings
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from cellops.data.features.alone import check_alone
from cellops.data.features.compiled import compiled, digest_of
from cellops.data.features.computing import Columns, Computed, compute
from cellops.data.features.frames import Frame, PandasFrame, alike, frame_of
from cellops.data.features.restored import RESTORED
from cellops.data.features.source import capture
from cellops.errors import InputError, UsageError
from cellops.records.features import FeatureSample
from cellops.records.finding import Finding

if TYPE_CHECKING:
    import pandas as pd


class FeatureWarning(UserWarning):
    """What is doubtful about the values of features."""


class FeatureSet:
    """Features that training and serving share: plain data, from which the functions are made when they are used.

    Called with a table it gives the table with its features; as a transformer of scikit-learn it gives the features,
    behind the columns that it is told to keep.

    Parameters
    ----------
    name
        What the features are called together.
    source
        The text that defines them and all that they use.
    features
        The functions in it that make features.
    keep
        Columns of the table that `transform` gives too.

    Examples
    --------
    >>> import pandas as pd
    >>> trips = FeatureSet("trips", "def speed(miles, hours): return miles / hours", ("speed",))
    >>> trips(pd.DataFrame({"miles": [100.0], "hours": [2.0]}))["speed"].tolist()
    [50.0]
    """

    def __init__(self, name: str, source: str, features: Iterable[str], keep: Iterable[str] = ()) -> None:
        self.name = name
        self.source = source
        self.features = tuple(features)
        self.keep = (keep,) if isinstance(keep, str) else tuple(keep)

    @classmethod
    def of(cls, functions: Iterable[Callable[..., Any]], name: str) -> tuple[Self, tuple[Finding, ...]]:
        """Capture functions with their source; findings name those that are left out, and say why.

        Raises
        ------
        UsageError
            When nothing is left.
        """
        found = capture(name, list(functions))
        if not found.features:
            why = "; ".join(f"{one.seen}. {one.remedy}" for one in found.findings)
            fact = f"There is no feature in {name}"
            raise UsageError(fact, remedy=why or "Define a function: def is_weekend(row)", findings=found.findings)
        return cls(name, found.source, found.features), found.findings

    @property
    def digest(self) -> str:
        """The SHA-256 of the source."""
        return digest_of(self.source)

    @property
    def inputs(self) -> tuple[str, ...] | None:
        """The columns that the features read, and those that are kept; None where only calls show them."""
        read = [one.inputs for one in compiled(self.name, self.source, self.features)]
        known = [name for one in read if one is not None for name in one]
        return None if None in read else tuple(dict.fromkeys([*known, *self.keep]))

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        restored = RESTORED.get()
        if restored is not None:
            restored.append((self.name, self.source))

    def __repr__(self) -> str:
        return f"FeatureSet({self.name}: {', '.join(self.features)})"

    def keeping(self, *columns: str) -> "FeatureSet":
        """The same features, for a pipeline that needs these columns beside them."""
        return type(self)(self.name, self.source, self.features, columns)

    def __call__(self, table: Any) -> Any:
        """The table with its features to the right, of its library; what cannot be computed is missing, and warned of.

        Raises
        ------
        InputError
            When a column is missing.
        """
        frame = frame_of(table, "rows")
        pandas = alike(frame, PandasFrame(None))
        made = self.compute(pandas.table)
        _warn(made.findings, 3)
        return _beside(frame, pandas.table, made.columns)

    def compute(self, frame: "pd.DataFrame") -> Computed:
        """The features of a DataFrame of pandas, and what went wrong with them."""
        return compute(compiled(self.name, self.source, self.features), frame)

    def sample(self, table: Any, rows: int = 20) -> FeatureSample:
        """Some rows, spread over the table, with their features: to see elsewhere that they come out the same."""
        from cellops.data.features.sample import sample

        return sample(self, alike(frame_of(table, "rows"), PandasFrame(None)).table, rows)

    def replay(self, stored: FeatureSample) -> tuple[Finding, ...]:
        """The findings of computing the features of a sample again: none where they come out the same."""
        from cellops.data.features.sample import replay

        return replay(self, stored)

    def fit(self, table: Any, target: Any = None) -> Self:
        """Learn the columns and their types; a feature that needs more than its own row is warned of."""
        del target
        self._learn(_frame(table))
        return self

    def fit_transform(self, table: Any, target: Any = None) -> "pd.DataFrame":
        """`fit`, then `transform`."""
        del target
        return self._learn(_frame(table))

    def _learn(self, frame: "pd.DataFrame") -> "pd.DataFrame":
        import pandas as pd

        made = self.compute(frame)
        _warn([*made.findings, *check_alone(compiled(self.name, self.source, self.features), frame, made.columns)])
        chosen = self._chosen(frame, made.columns)
        self.feature_names_in_ = np.array([str(name) for name in frame.columns], dtype=object)
        self.n_features_in_ = len(frame.columns)
        self.types_ = {name: str(column.dtype) for name, column in chosen.items()}
        return pd.DataFrame(chosen, index=frame.index)

    def transform(self, table: Any) -> "pd.DataFrame":
        """The columns that are kept and the features, with the names and types that they had when they were fitted.

        Raises
        ------
        InputError
            When a column is missing.
        """
        import pandas as pd

        self._require_fitted()
        frame = _frame(table)
        made = self.compute(frame)
        _warn_briefly(made.findings)
        columns = self._chosen(frame, made.columns)
        missing = pd.Series(np.nan, index=frame.index)
        typed = {name: _typed(columns.get(name, missing), kind) for name, kind in self.types_.items()}
        return pd.DataFrame(typed, index=frame.index)

    def _chosen(self, frame: "pd.DataFrame", made: Columns) -> Columns:
        missing = next((name for name in self.keep if name not in frame.columns), None)
        if missing is not None:
            fact = f"The table has no column {missing}, which {self.name} keeps"
            raise InputError(fact, remedy="Give it, or keep another", column=missing)
        return {name: frame[name] for name in self.keep} | made

    def _require_fitted(self) -> None:
        if not hasattr(self, "types_"):
            from sklearn.exceptions import NotFittedError

            fact = f"{self.name} is not fitted yet. Fit it, or the pipeline that holds it"
            raise NotFittedError(fact)

    def get_feature_names_out(self, _input_features: Any = None) -> "np.ndarray[Any, Any]":
        """The names of the columns that `transform` gives."""
        self._require_fitted()
        return np.array(list(self.types_), dtype=object)

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002 - scikit-learn asks so
        """What can be set: the columns that are kept."""
        return {"keep": self.keep}

    def set_params(self, **parameters: Any) -> Self:
        """Set the columns that are kept.

        Raises
        ------
        UsageError
            For any other parameter.
        """
        unknown = next((name for name in parameters if name != "keep"), None)
        if unknown is not None:
            fact = f"Features have no parameter {unknown}"
            raise UsageError(fact, remedy="They have one: keep, the columns that are given too")
        keep = parameters.get("keep", self.keep)
        self.keep = (keep,) if isinstance(keep, str) else tuple(keep)
        return self

    def set_output(self, *, transform: str | None = None) -> Self:
        """Agree to what a pipeline asks of its steps: features come as a DataFrame of pandas.

        Raises
        ------
        UsageError
            For any other kind of table.
        """
        if transform not in (None, "default", "pandas"):
            fact = f"{self.name} gives tables of pandas only"
            raise UsageError(fact, received=transform, remedy="Write set_output(transform='pandas')")
        return self

    def __sklearn_clone__(self) -> "FeatureSet":
        return self.keeping(*self.keep)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "types_")

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags

        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=False),
            transformer_tags=TransformerTags(),
            input_tags=InputTags(allow_nan=True, string=True, categorical=True),
        )


def _frame(table: Any) -> "pd.DataFrame":
    found: pd.DataFrame = alike(frame_of(table, "rows"), PandasFrame(None)).table
    return found


def _typed(column: "pd.Series[Any]", kind: str) -> "pd.Series[Any]":
    """A column in the type that it was fitted with, as far as its values allow: none is missing of whole numbers."""
    import pandas as pd

    if str(column.dtype) == kind:
        return column
    wanted = pd.api.types.pandas_dtype(kind)
    if wanted.kind in "iub" and column.isna().any():
        wanted = np.dtype(np.float64)
    try:
        return column.astype(wanted)
    except (ValueError, TypeError):
        return column


def _beside(frame: Frame, table: "pd.DataFrame", columns: Columns) -> Any:
    """The features beside a table; one that is called as a column takes its place."""
    import pandas as pd

    if isinstance(frame, PandasFrame) or not set(frame.names).isdisjoint(columns):
        whole = table.assign(**columns)
        return whole if isinstance(frame, PandasFrame) else alike(PandasFrame(whole), frame).table
    return frame.beside([alike(PandasFrame(pd.DataFrame(columns)), frame).table])


def _warn_briefly(findings: Iterable[Finding]) -> None:
    """Say which features fail, but not how: a server would keep each text that it has ever said."""
    for one in findings:
        text = f"{one.where}: {one.code} in some rows. {one.remedy}"
        warnings.warn(text, FeatureWarning, stacklevel=3)


def _warn(findings: Iterable[Finding], level: int = 4) -> None:
    for one in findings:
        warnings.warn(f"{one.where}: {one.seen}. {one.remedy}", FeatureWarning, stacklevel=level)
