"""Features of a notebook: functions with their source, for training and for serving."""

import warnings
from collections.abc import Callable
from typing import Any

from cellops.data.features.feature_set import FeatureSet, FeatureWarning


def features(*functions: Callable[..., Any], name: str = "features") -> FeatureSet:
    """Make features of plain functions; in a notebook, `%%mlops features NAME` does this with those of its cell.

    Parameters
    ----------
    *functions
        Each gives one feature, or several as a table: of one `row`, of named columns, or of the whole `frame`.
    name
        What they are called together.

    Returns
    -------
    FeatureSet
        Called with a table it gives the table with its features; it is a transformer of scikit-learn too. A function
        that could not be captured is left out, with a warning that says why.

    Raises
    ------
    UsageError
        When none could be captured.
    """
    made, findings = FeatureSet.of(functions, name)
    for one in findings:
        warnings.warn(f"{one.where}: {one.seen}. {one.remedy}", FeatureWarning, stacklevel=2)
    return made
