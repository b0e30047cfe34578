"""How many threads a model answers with: for few rows, waiting for the others takes longer than answering alone."""

from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import Any

FEW = 1_000
"""Boosted trees start threads once a tree: on a busy machine few rows then wait a hundred times for a processor."""


class Threads:
    """The threads of OpenMP that the models of scikit-learn answer with."""

    def for_rows(self, rows: int) -> AbstractContextManager[object]:
        """One thread for few rows, which takes ten microseconds to arrange; else as many as there are."""
        if rows > FEW:
            return nullcontext()
        limited: AbstractContextManager[object] = self._openmp.limit(limits=1)
        return limited

    @cached_property
    def _openmp(self) -> Any:
        """Looked for with the first rows, when the libraries of the model are loaded: that takes milliseconds."""
        from threadpoolctl import ThreadpoolController

        return ThreadpoolController().select(user_api="openmp")
