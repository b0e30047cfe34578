"""Suites of Great Expectations as ours, and ours as theirs: the JSON that version 1 of it reads and writes."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from cellops.data.expectations.actions import action_of, require_action
from cellops.data.expectations.bounds import Bounds, time_of
from cellops.data.expectations.carried import left_out, tell
from cellops.data.expectations.parser import argument
from cellops.data.expectations.registry import RULES, build, rule_type
from cellops.data.expectations.rule import COLUMN_LIST, Rule
from cellops.errors import ExpectationError
from cellops.records.contract import Expectation, Suite
from cellops.records.finding import Finding, Severity

OURS = ("expect_column_population_stability_index_to_be_less_than", "expect_column_max_to_be_within")
"""Rules that Great Expectations does not have."""
SEVERITIES = {"critical": Severity.ERROR, "warning": Severity.WARNING, "info": Severity.INFO}
OF_THE_CHECK = ("batch_id", "catch_exceptions", "include_config", "result_format")
"""What an expectation there may say of how its check is done, not of the table."""
WHOLE = 1.0
MARK = "cellops"
"""Under which name the meta of an expectation holds what only our servers know."""


def from_great_expectations(given: Mapping[str, Any], *, findings: list[Finding] | None = None) -> Suite:
    """Read a suite of Great Expectations.

    Parameters
    ----------
    given
        The suite as its JSON holds it, also as versions before 1 wrote it.
    findings
        Takes what could not be carried over, one finding for each expectation that is left out.

    Raises
    ------
    ExpectationError
        When it is no suite, or, without `findings`, when anything could not be carried over.

    Examples
    --------
    >>> kwargs = {"column": "age", "min_value": 18, "mostly": 0.99}
    >>> theirs = {"name": "people", "expectations": [{"type": "expect_column_values_to_be_between", "kwargs": kwargs}]}
    >>> expectation = from_great_expectations(theirs).expectations[0]
    >>> expectation.columns, expectation.arguments, expectation.mostly
    (('age',), {'min_value': 18}, 0.99)
    """
    listed = dict(given).get("expectations") if hasattr(given, "keys") else None
    if not isinstance(listed, list):
        fact = "This is no suite of Great Expectations: it has no list of expectations"
        raise ExpectationError(fact, remedy="Give the JSON file of a suite")
    found: list[Finding] = []
    kept = [_read(one, place, found) for place, one in enumerate(listed)]
    name = str(given.get("name") or given.get("expectation_suite_name") or "suite")
    tell(found, findings, name)
    return Suite(name=name, expectations=tuple(one for one in kept if one is not None))


def to_great_expectations(suite: Suite, *, findings: list[Finding] | None = None) -> dict[str, Any]:
    """Write a suite as Great Expectations reads it, `ExpectationSuite(**written)`.

    Parameters
    ----------
    suite
        The expectations; a reason becomes a note.
    findings
        Takes what could not be carried over, one finding for each expectation that is left out.

    Raises
    ------
    ExpectationError
        Without `findings`, when anything could not be carried over.

    Examples
    --------
    >>> from cellops.data.expectations import parse
    >>> written = to_great_expectations(parse("people", 'expect_column_values_to_not_be_null("age")', {}))
    >>> written["expectations"][0]["type"], written["expectations"][0]["kwargs"]
    ('expect_column_values_to_not_be_null', {'column': 'age'})
    """
    found: list[Finding] = []
    written = []
    for place, expectation in enumerate(suite.expectations):
        if expectation.rule in OURS:
            found.append(_left_out(place, expectation.rule, "Great Expectations has no such rule"))
        else:
            written.append(_written(expectation))
    tell(found, findings, suite.name)
    return {"name": suite.name, "expectations": written, "meta": {}}


def _read(one: Any, place: int, found: list[Finding]) -> Expectation | None:
    name = str(one.get("type") or one.get("expectation_type")) if isinstance(one, Mapping) else repr(one)
    try:
        return _expectation(name, one)
    except (ExpectationError, AttributeError, TypeError, ValueError) as error:
        found.append(_left_out(place, name, error.fact if isinstance(error, ExpectationError) else str(error)))
        return None


def _expectation(name: str, one: Mapping[str, Any]) -> Expectation:
    kind = rule_type(name)
    kwargs = {key: value for key, value in one.get("kwargs", {}).items() if value is not None}
    given = {key: argument(value) for key, value in kwargs.items() if key not in OF_THE_CHECK}
    mostly = float(given.pop("mostly", WHOLE))  # type: ignore[arg-type]
    severity = SEVERITIES.get(str(one.get("severity") or "critical"))
    if severity is None or not 0 <= mostly <= 1:
        fact = f"severity must be one of {', '.join(SEVERITIES)}, and mostly a share from 0 to 1"
        raise ExpectationError(fact, received=(one.get("severity"), mostly), remedy="Correct it in the suite")
    columns = _columns(kind, given)
    expectation = Expectation(
        rule=name,
        columns=columns,
        arguments=given,
        mostly=mostly,
        severity=severity,
        reason=_note(one),
        **_for_servers(one),
    )
    build(expectation)
    require_action(expectation)
    return expectation


def _columns(kind: type[Rule], given: dict[str, Any]) -> tuple[str, ...]:
    named = [given.pop(key) for key in kind.domain if key in given]
    return tuple(named[0]) if kind.domain == COLUMN_LIST and named else tuple(named)


def _note(one: Mapping[str, Any]) -> str | None:
    notes = one.get("notes") or one.get("description")
    return "\n".join(map(str, notes)) if isinstance(notes, list) else str(notes) if notes else None


def _for_servers(one: Mapping[str, Any]) -> dict[str, Any]:
    meta = one.get("meta")
    held = meta.get(MARK) if isinstance(meta, Mapping) else None
    if not isinstance(held, Mapping):
        return {}
    return {"action": action_of(held.get("action")), "default": argument(held.get("default"))}


def _written(expectation: Expectation) -> dict[str, Any]:
    rule = build(expectation)
    kwargs: dict[str, Any] = {}
    for field in fields(rule):  # type: ignore[arg-type]
        value = getattr(rule, field.name)
        required = field.default is MISSING or field.name == "double_sided"
        if required or value != field.default:
            kwargs[field.name] = _in_full(value) if isinstance(rule, Bounds) else value
    if expectation.mostly != WHOLE:
        kwargs["mostly"] = expectation.mostly
    severity = next(theirs for theirs, ours in SEVERITIES.items() if ours == expectation.severity)
    meta: dict[str, Any] = {}
    if expectation.action is not None:
        default = {} if expectation.default is None else {"default": expectation.default}
        meta = {MARK: {"action": expectation.action.value} | default}
    written = {"type": expectation.rule, "kwargs": kwargs, "meta": meta, "severity": severity}
    return written | ({"notes": expectation.reason} if expectation.reason else {})


def _in_full(bound: Any) -> Any:
    """A bound that is a time as a time of day: a bare date would be compared as a date, which pandas refuses."""
    time = time_of(bound) if isinstance(bound, str) else None
    return bound if time is None else str(time.astype("datetime64[us]")).removesuffix(".000000")


def _left_out(place: int, name: str, why: str) -> Finding:
    remedy = "Change its arguments, or write it by hand" if name in RULES else "Write it by hand"
    return left_out(f"expectation {place + 1}, {name}", why, remedy)
