"""Why values cannot be handed to another step: all of them at once, each with what to do about it."""

from collections.abc import Mapping, Sequence
from types import AsyncGeneratorType, CoroutineType, GeneratorType

from cellops.errors import StepError

ONE_BY_ONE = (GeneratorType, AsyncGeneratorType, CoroutineType)
CONNECTED = frozenset(
    {"sqlite3", "duckdb", "_duckdb", "sqlalchemy", "psycopg", "psycopg2", "socket", "ssl", "requests", "httpx"}
)
"""Libraries whose objects have a connection."""


class SecretInsideError(Exception):
    """The value of a Secret stands in what would be written."""


def refused(problems: Mapping[tuple[str, ...], BaseException], values: Mapping[str, object]) -> StepError:
    """The error that names all values that cannot be handed on.

    Parameters
    ----------
    problems
        Why, by the names of values that would stand in one file.
    values
        All values, by name.
    """
    names = [name for group in problems for name in group]
    said = [_said(error) for error in problems.values()]
    if len(problems) > 1:
        said = [f"{' and '.join(group)}: {text}" for group, text in zip(problems, said, strict=True)]
    listed = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    fact = f"{listed} cannot be handed to another step: {'; '.join(said)}"
    remedies = [_remedy(group, error, values) for group, error in problems.items()]
    return StepError(fact, remedy=". ".join(dict.fromkeys(remedies)), names=names)


def _said(error: BaseException) -> str:
    if isinstance(error, SecretInsideError):
        return "the value of a Secret stands in it"
    return f"{type(error).__name__}: {error}"


def _remedy(names: Sequence[str], error: BaseException, values: Mapping[str, object]) -> str:
    named = " and ".join(names)
    value = values[names[0]]
    library = type(value).__module__.partition(".")[0]
    if isinstance(error, SecretInsideError):
        return f"Make {named} in the step that uses it, from the Secret parameter"
    if isinstance(error, OSError):
        return "Make room on the disk of CELLOPS_FOLDER, or let it be written to"
    if type(value) in ONE_BY_ONE:
        return f"Hand on a list of what {named} gives, or make it in the step that uses it"
    if library == "_io":
        return f"Open {named} in the step that uses it"
    if library in CONNECTED:
        return f"Connect {named} in the step that uses it"
    above = "above the first step, changed by no step"
    return f"Make {named} in the step that uses it, or {above}, or hand on what it was made of"
