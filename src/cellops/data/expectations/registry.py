"""Every rule by its name."""

from difflib import get_close_matches
from inspect import signature

from cellops.data.expectations.rule import COLUMN_LIST, Rule
from cellops.data.expectations.rules import (
    distinct,
    distribution,
    figures,
    freshness,
    order,
    pairs,
    patterns,
    presence,
    quantiles,
    ranges,
    sets,
    shape,
    types,
    uniqueness,
)
from cellops.data.expectations.rules import records as several
from cellops.errors import ExpectationError
from cellops.records.contract import Expectation

RULES: dict[str, type[Rule]] = {
    rule.name: rule
    for family in (
        shape,
        presence,
        types,
        ranges,
        sets,
        patterns,
        uniqueness,
        order,
        figures,
        quantiles,
        distinct,
        distribution,
        freshness,
        pairs,
        several,
    )
    for rule in vars(family).values()
    if isinstance(rule, type) and issubclass(rule, Rule) and "name" in vars(rule) and rule.__module__ == family.__name__
}


def rule_type(name: str) -> type[Rule]:
    """The class of the rule called `name`.

    Raises
    ------
    ExpectationError
        When there is none; the remedy names the nearest.
    """
    if name in RULES:
        return RULES[name]
    near = get_close_matches(name, RULES, n=1, cutoff=0.4)
    fact = f"There is no rule {name}"
    raise ExpectationError(fact, remedy=f"Did you mean {near[0]}?" if near else f"The rules are: {', '.join(RULES)}")


def build(expectation: Expectation) -> Rule:
    """The rule of an expectation, with its arguments.

    Raises
    ------
    ExpectationError
        When there is no such rule or its arguments do not fit.
    """
    kind = rule_type(expectation.rule)
    try:
        if kind.domain == COLUMN_LIST:
            return kind(list(expectation.columns), **expectation.arguments)  # type: ignore[call-arg]
        return kind(*expectation.columns, **expectation.arguments)
    except TypeError as error:
        fact = f"{expectation.rule}: {str(error).partition('.__init__() ')[2] or error}"
        raise ExpectationError(fact, remedy=f"Its arguments are: {', '.join(arguments(kind))}") from error


def arguments(kind: type[Rule]) -> tuple[str, ...]:
    """The arguments of a rule in their order."""
    return tuple(signature(kind).parameters)
