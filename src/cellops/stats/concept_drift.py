from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cellops.errors import InputError, UsageError
from cellops.records.concept_drift import ConceptDrift

OVER_ERRORS = ("ddm", "eddm")
"""Detectors of a rate of errors."""
OVER_VALUES = ("adwin", "kswin", "page_hinkley")
"""Detectors of a mean or of a distribution."""


def concept_drift(values: ArrayLike, detector: str = "adwin", **options: float) -> ConceptDrift:
    r"""Where a stream changed: in the loss of a model as labels arrive, or in any other figure, read one by one.

    .. math:: |\bar x_0 - \bar x_1| > \epsilon_{cut}, \quad
              \epsilon_{cut} = \sqrt{\tfrac{2}{m} \sigma^2 \ln \tfrac{2}{\delta'}}
              + \tfrac{2}{3 m} \ln \tfrac{2}{\delta'}

    is what ADWIN asks of each division of its window into an older and a younger part. `kswin` compares the two parts
    by their distribution functions, `page_hinkley` adds up what goes beyond the mean, `ddm` sees the rate of errors
    rise, `eddm` sees errors come closer together. All are those of River, with its names of options and their defaults;
    KSWIN, which draws at random, has a fixed seed.

    Parameters
    ----------
    values
        In the order of time, shape (rows,), NaN for what is missing. For `ddm` and `eddm` whether each answer was
        wrong, 0 or 1.
    detector
        `adwin`, `ddm`, `eddm`, `kswin` or `page_hinkley`.
    **options
        Of the detector, such as `delta` of `adwin`.

    Returns
    -------
    ConceptDrift
        The places of changes and of warnings.

    Raises
    ------
    UsageError
        When River is not installed, or the detector or its options do not exist.
    InputError
        When values are not one row of finite numbers, or of 0 and 1 where errors are asked for.

    References
    ----------
    Bifet and Gavaldà, Learning from time-changing data with adaptive windowing, SDM (2007), section 3.2; Gama et al.,
    Learning with drift detection, SBIA (2004); Baena-García et al., Early drift detection method, IWKDDS (2006); Raab,
    Heusinger and Schleif, Reactive soft prototype computing for concept drift streams, Neurocomputing 416 (2020); Page,
    Continuous inspection schemes, Biometrika 41 (1954). Montiel et al., River, J. Mach. Learn. Res. 22 (2021).

    Examples
    --------
    >>> concept_drift([0.0] * 500 + [1.0] * 500).drifts  # doctest: +SKIP
    (511,)
    """
    made = _made(detector, options)
    drifts, warnings, stream = [], [], _checked(values, detector)
    for place in np.flatnonzero(~np.isnan(stream)).tolist():
        made.update(stream[place].item())
        if made.drift_detected:
            drifts.append(place)
        elif getattr(made, "warning_detected", False):
            warnings.append(place)
    rows = int(np.count_nonzero(~np.isnan(stream)))
    return ConceptDrift(detector=detector, rows=rows, drifts=tuple(drifts), warnings=tuple(warnings))


def _made(detector: str, options: dict[str, float]) -> Any:
    try:
        from river import drift
        from river.drift import binary
    except ImportError as error:
        fact = "Detectors of concept drift need River, which is not installed"
        raise UsageError(fact, remedy='Run: pip install "cellops[stream]"') from error
    kinds: dict[str, Callable[..., Any]] = {
        "adwin": drift.ADWIN,
        "kswin": drift.KSWIN,
        "page_hinkley": drift.PageHinkley,
        "ddm": binary.DDM,
        "eddm": binary.EDDM,
    }
    if detector not in kinds:
        fact = "There is no such detector of concept drift"
        raise UsageError(fact, received=detector, remedy=f"Take one of {', '.join(sorted(kinds))}")
    given: dict[str, float] = {"seed": 0, **options} if detector == "kswin" else options
    try:
        return kinds[detector](**given)
    except TypeError as error:
        fact = f"The detector {detector} does not have these options"
        raise UsageError(fact, received=options, remedy="Look them up in the reference of river.drift") from error


def _checked(values: ArrayLike, detector: str) -> NDArray[np.float64]:
    try:
        stream = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        fact = "A stream must hold numbers only"
        raise InputError(fact, remedy="Give one row of numbers, NaN for what is missing") from error
    if stream.ndim != 1 or np.isinf(stream).any():
        fact = "A stream must be one row of finite numbers"
        raise InputError(fact, received=stream.shape, remedy="Give one value of each moment")
    if detector in OVER_ERRORS and not np.isin(stream[~np.isnan(stream)], (0, 1)).all():
        fact = f"The detector {detector} takes errors"
        raise InputError(fact, remedy="Give 1 where an answer was wrong, else 0; or take adwin for a loss")
    return stream
