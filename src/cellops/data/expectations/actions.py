"""What rules say of servers: which actions a rule can have, and which rows one is for."""

from typing import Any

import numpy as np
import numpy.typing as npt

from cellops.data.expectations.registry import build, rule_type
from cellops.data.expectations.table import Table, Tabular
from cellops.errors import ExpectationError
from cellops.records.contract import Action, Expectation

MEDIAN, MODE = "median", "mode"


def action_of(given: object) -> Action | None:
    """The action of a name.

    Raises
    ------
    ExpectationError
        When there is no such action.
    """
    if given is None:
        return None
    if given not in list(Action):
        fact = "There is no such action"
        raise ExpectationError(fact, received=given, remedy=f"Use one of: {', '.join(Action)}")
    return Action(str(given))


def require_action(expectation: Expectation) -> None:
    """Refuse an action that no server could take.

    Raises
    ------
    ExpectationError
        When the rule is not one on single rows, or an action and a default do not belong together.
    """
    kind, imputes = rule_type(expectation.rule), expectation.action is Action.IMPUTE
    if expectation.action is not None and not kind.row_wise:
        fact = f"{expectation.rule} has an action, and servers hold single rows against rules: it is on a whole table"
        raise ExpectationError(fact, remedy="Leave the action out")
    if imputes and len(expectation.columns) != 1:
        fact = f"{expectation.rule} cannot impute: it does not say which of its columns is wrong"
        raise ExpectationError(fact, remedy="Let it reject or warn, or write a rule on one column")
    if imputes and not isinstance(expectation.default, str | int | float):
        fact = "The action impute needs a default: a number, a text, True or False"
        remedy = f'Give a value, or what the training data had: default="{MEDIAN}" or default="{MODE}"'
        raise ExpectationError(fact, received=expectation.default, remedy=remedy)
    if not imputes and expectation.default is not None:
        fact = "There is a default, and nothing puts it in"
        raise ExpectationError(fact, received=expectation.default, remedy='Add action="impute"')


def broken_rows(expectation: Expectation, table: Tabular) -> npt.NDArray[np.intp]:
    """Every row that breaks a rule on single rows, whatever share of them it allows for.

    Parameters
    ----------
    expectation
        With a rule that can be held against single rows.
    table
        As `check` takes it.

    Returns
    -------
    rows
        Their numbers from 0, shape (failed,), ascending.

    Raises
    ------
    InputError, ExpectationError
        When the rule cannot be applied: its column is not there, or holds values of another type.
    """
    with np.errstate(all="ignore"):  # infinities and NaN are what it looks for
        rows: npt.NDArray[Any] = build(expectation).judge(Table(table)).failed_rows
    return rows
