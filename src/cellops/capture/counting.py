"""The numbers of cells that are executed again: what `Out[3]`, `_3` and `In[3]` name is what they named."""

from collections.abc import Mapping
from typing import Any

from cellops.capture.watcher import id_of


class Counting:
    """Sets the number of the next cell behind each cell, since IPython takes it before it tells anyone of the cell.

    Parameters
    ----------
    following
        The number of the next cell, by the id of the cell before it.
    """

    def __init__(self, shell: Any, following: Mapping[str, int]) -> None:
        self._shell = shell
        self._following = following

    def start(self) -> None:
        self._shell.events.register("post_run_cell", self.after)

    def after(self, result: Any) -> None:
        """IPython's `post_run_cell`."""
        count = self._following.get(id_of(getattr(result, "info", None)) or "")  # of an interrupted cell there is none
        if count is None:
            return
        self._shell.execution_count = count
        history = self._shell.history_manager
        for inputs in (history.input_hist_parsed, history.input_hist_raw):
            inputs[count:] = []
            inputs.extend([""] * (count - len(inputs)))
