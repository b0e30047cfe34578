"""Check the options that a model hands to functions: some make numpy leave memory as it was before."""

import functools
from typing import Any

from cellops.packaging.formats.parts import own

OPTIONS = ("kw_args", "inv_kw_args", "kernel_params", "pairwise_kernels_kwargs")
"""The attributes by which an estimator or a kernel hands options to a function that it holds."""
UNSAFE = frozenset({"out", "where"})
"""Options of numpy's functions: what is not written shows what stood in that memory."""


def options_hold(estimator: Any) -> bool:
    """The options of an estimator's functions, if there are any, let all of a result be written."""
    return all(_hold(own(estimator)[name]) for name in OPTIONS if own(estimator).get(name) is not None)


def bound_options_hold(function: "functools.partial[Any]") -> bool:
    """The same of a function with some of its options set."""
    return _hold(function.keywords)


def _hold(options: Any) -> bool:
    return type(options) is dict and UNSAFE.isdisjoint(options)
