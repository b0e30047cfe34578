"""Suites of expectations in files: our own text, and the JSON of Great Expectations."""

import json
from pathlib import Path

from cellops.data.expectations import from_great_expectations, parse, to_great_expectations, written
from cellops.errors import UsageError
from cellops.records.contract import Suite
from cellops.records.finding import Finding


def read(path: Path, findings: list[Finding]) -> Suite:
    """The suite of a file: JSON of Great Expectations where its name ends in .json, else one expectation a line.

    Parameters
    ----------
    findings
        Takes what of another's suite could not be carried over.

    Raises
    ------
    UsageError
        When there is no such file, or it is no JSON.
    ExpectationError
        When it holds no expectations.
    """
    try:
        text = path.read_text(encoding="utf-8")
        given = json.loads(text) if path.suffix.lower() == ".json" else None
    except OSError as error:
        fact = f"{path} cannot be read: {error.strerror}"
        raise UsageError(fact, remedy="Give a file of expectations") from error
    except ValueError as error:
        fact = f"{path.name} cannot be read: {error}"
        raise UsageError(fact, remedy="Give expectations, one a line, or the JSON of a suite") from error
    return parse(path.stem, text, {}) if given is None else from_great_expectations(given, findings=findings)


def write(suite: Suite, path: Path, findings: list[Finding]) -> None:
    """Write a suite as JSON of Great Expectations where the name ends in .json, else one expectation a line."""
    if path.suffix.lower() == ".json":
        text = json.dumps(to_great_expectations(suite, findings=findings), indent=2)
    else:
        text = written(suite)
    path.write_text(text + "\n", encoding="utf-8")


def parsed(name: str, text: str) -> Suite:
    """The suite of a text, one expectation a line."""
    return parse(name, text, {})


def text_of(suite: Suite) -> str:
    """One expectation a line, for a cell."""
    return written(suite)
