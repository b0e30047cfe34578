"""A parameter's value as JSON can hold it, which is how records and the metadata of notebooks tell it."""

from datetime import date
from pathlib import PurePath
from typing import Any

from cellops.capture.secrets import Secret
from cellops.pipeline.parameters.kinds import Member
from cellops.records.execution import ParameterValue


def plain(value: Any) -> ParameterValue:  # noqa: PLR0911 - one return a type
    """A date as ISO 8601, a path as its text, a member of an Enum by its name, tuples and sets as lists.

    A Secret stays one, so that whoever writes values can tell it.

    Examples
    --------
    >>> plain({"day": date(2026, 1, 31), "sizes": (1, 2)})
    {'day': '2026-01-31', 'sizes': [1, 2]}
    """
    match value:
        case Member():
            return value.name
        case date():
            return value.isoformat()
        case str() | PurePath() if type(value) is not Secret:
            # Half a surrogate pair, as a file name that is not UTF-8 has it, is written as an escape.
            return str(value).encode(errors="backslashreplace").decode()
        case list() | tuple():
            return [plain(item) for item in value]
        case set():
            return sorted(map(plain, value), key=repr)
        case dict():
            return {plain(key): plain(item) for key, item in value.items()}  # type: ignore[misc]  # keys are scalars
    kept: ParameterValue = value
    return kept
