from collections.abc import Sequence
from functools import cached_property
from typing import Any

import msgspec

from cellops.records.run import RunSummary
from cellops.widgets.assets import STATIC
from cellops.widgets.table import runs_table


class RunsPanel:
    """The list of runs, to be shown as the value of a cell.

    A widget where widgets are shown, a text table everywhere else.

    Parameters
    ----------
    summaries
        The runs, newest first.
    """

    def __init__(self, summaries: Sequence[RunSummary]) -> None:
        self.summaries = tuple(summaries)

    def __repr__(self) -> str:
        return runs_table(self.summaries)

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        bundle: dict[str, Any] = {}
        if (STATIC / "runs.js").is_file():
            bundle |= self._widget._repr_mimebundle_()[0]
        return {**bundle, "text/plain": repr(self)}

    @cached_property
    def _widget(self) -> Any:
        from cellops.widgets.component import RunsComponent

        return RunsComponent(runs=[msgspec.json.decode(summary.to_json()) for summary in self.summaries])
