"""How many threads a model answers with: for few rows, waiting for the others takes longer than answering alone."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import Any

FEW = 1_000
"""Rows up to which one thread of two has been as fast on an idle machine; on a busy one it is many times faster."""
IN_PARALLEL = "sklearn.ensemble._hist_gradient_boosting"
"""Where the estimators stand that start threads of OpenMP for each of their trees, however few the rows."""


class Threads:
    """The threads of OpenMP that one estimator answers with."""

    def __init__(self, estimator: Any) -> None:
        self._parallel = any(type(part).__module__.startswith(IN_PARALLEL) for part in _parts(estimator))

    def for_rows(self, rows: int) -> AbstractContextManager[object]:
        """One thread for few rows, else as many as there are."""
        if rows > FEW or not self._parallel:
            return nullcontext()
        limited: AbstractContextManager[object] = self._openmp.limit(limits=1)
        return limited

    @cached_property
    def _openmp(self) -> Any:
        """Looked for with the first rows, when the estimator's libraries are loaded: that takes milliseconds."""
        from threadpoolctl import ThreadpoolController

        return ThreadpoolController().select(user_api="openmp")


def _parts(estimator: Any) -> Iterator[Any]:
    yield estimator
    if hasattr(estimator, "get_params"):
        yield from estimator.get_params(deep=True).values()
