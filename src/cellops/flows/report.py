"""What a run says of itself while its cell is executed: how a metric goes on."""

import sys
from numbers import Real
from typing import Any

from cellops.errors import UsageError
from cellops.flows.current_session import current_session

NOT_IN_A_RUN = "cellops.report: no run is open here, so nothing is kept; call it in a cell that begins with %%mlops run"


def report(*, step: int | None = None, **metrics: float) -> None:
    """Keep how metrics stand at a step of the run that is executed now, and tell the sweep that it is a trial of.

    The sweep may stop a hopeless trial. Outside of a run nothing is kept, which is said, so that the same code runs
    anywhere.

    Parameters
    ----------
    step
        Of an epoch or a round, from 0; by default one more than the last.
    **metrics
        Numbers by their names: `cellops.report(auc=0.81, step=3)`.

    Raises
    ------
    UsageError
        When there is no metric, one is no number, or the step is no whole number.
    """
    values = {name: _number(name, value) for name, value in metrics.items()}
    if not values:
        fact = "cellops.report was given no metric"
        raise UsageError(fact, remedy="Name one: cellops.report(auc=0.81, step=3)")
    if step is not None and (type(step) is not int or step < 0):
        fact = "The step of a report is a whole number from 0 on"
        raise UsageError(fact, received=step, remedy="Count epochs or rounds: cellops.report(auc=0.81, step=3)")
    session = current_session()
    if session is None or not session.report(values, step):
        print(NOT_IN_A_RUN, file=sys.stderr)


def _number(name: str, value: Any) -> float:
    is_number = isinstance(value, Real) or getattr(value, "shape", None) == ()  # an array without dimensions
    if isinstance(value, bool) or not is_number:
        fact = f"What is reported as {name} is no number"
        raise UsageError(fact, received=value, remedy=f"Give one: cellops.report({name}=0.81)")
    return float(value)
