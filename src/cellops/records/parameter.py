from cellops.records.base import Record


class BoundParameter(Record, frozen=True, kw_only=True):
    """A parameter of a notebook with the value that an execution begins with."""

    name: str
    written: str
    """The value as source or text, secrets masked; an expression where only the kernel can evaluate it."""
    place: str
    """Where it comes from: `-p`, the name of a file or of a variable, or `default`."""


class BoundParameters(Record, frozen=True, kw_only=True):
    """What an execution begins with."""

    parameters: tuple[BoundParameter, ...] = ()
    unused: dict[str, str] = {}
    """Variables of the environment that name no parameter, each with a hint or an empty text."""


class ParameterDescription(Record, frozen=True, kw_only=True):
    """A parameter as a notebook declares it, for a person who gives it a value."""

    name: str
    kind: str | None
    """Its type as the notebook writes it; None when no value can be given."""
    default: str | None
    """Its default as source; None where there is none to see."""
    required: bool
    choices: tuple[str, ...] = ()
    """What its type says of the values beyond its name: `one of RED, GREEN`, `>= 0, < 1`."""
    problem: str | None = None
    """Why its default does not fit its own type."""
    help: str = ""
