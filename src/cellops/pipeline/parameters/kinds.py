"""The types that a parameter can have, each of one shape: it checks a value and gives it back typed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from difflib import get_close_matches
from enum import Enum
from pathlib import Path, PurePath
from typing import Protocol


class Mismatch(ValueError):  # noqa: N818 - what does not fit is told as one problem among others
    """A value of another type; other ValueErrors say what is wrong with a value of the right one."""


class Kind(Protocol):
    """A type."""

    def check(self, value: object) -> object:
        """The value as this type.

        Raises
        ------
        ValueError
            When it does not fit; `Mismatch` where there is nothing to say but that.
        """

    def parts(self) -> "Iterator[Kind]":
        """The alternatives of a union, else the type itself."""


class Alone:
    """What every type but a union says of its parts."""

    def parts(self) -> Iterator[Kind]:
        yield self  # type: ignore[misc]  # each of them is a Kind


@dataclass(frozen=True)
class Scalar(Alone):
    """A value of exactly one type: bool, int, str or None."""

    type: type

    def check(self, value: object) -> object:
        if type(value) is not self.type:
            raise Mismatch
        return value


@dataclass(frozen=True)
class Float(Alone):
    def check(self, value: object) -> object:
        if type(value) is int:
            try:
                return float(value)
            except OverflowError as error:
                raise Mismatch from error
        if type(value) is not float:
            raise Mismatch
        return value


@dataclass(frozen=True)
class Anything(Alone):
    """What has a literal and can be stored as JSON: the content of a `list` or `dict` that says no more."""

    def check(self, value: object) -> object:
        if not is_plain(value):
            raise Mismatch
        return value


@dataclass(frozen=True)
class PathKind(Alone):
    """A path; a relative one begins where the kernel works, as a default in the notebook does."""

    def check(self, value: object) -> object:
        if isinstance(value, PurePath):
            return Path(value)
        if type(value) is not str:
            raise Mismatch
        if not value.strip():
            problem = "a path is expected, an empty text was received"
            raise ValueError(problem)
        return Path(value)


@dataclass(frozen=True)
class DateKind(Alone):
    """A date, also as ISO 8601 writes it."""

    def check(self, value: object) -> object:
        if type(value) is str:
            return _read(date, value, "a date such as 2026-01-31")
        if type(value) is not date:
            raise Mismatch
        return value


@dataclass(frozen=True)
class DatetimeKind(Alone):
    """A date with a time, also as ISO 8601 writes it; a date alone is its midnight."""

    def check(self, value: object) -> object:
        if type(value) is str:
            return _read(datetime, value.strip(), "a date and time such as 2026-01-31T12:00")
        if type(value) is date:
            return datetime.combine(value, time())
        if type(value) is not datetime:
            raise Mismatch
        return value


@dataclass(frozen=True)
class Choice(Alone):
    """`Literal[...]`: one of some values."""

    values: tuple[object, ...]

    def check(self, value: object) -> object:
        for known in self.values:
            if type(known) is type(value) and known == value:
                return known
        if type(value) not in {type(known) for known in self.values}:
            raise Mismatch
        named = {str(known): repr(known) for known in self.values}
        problem = f"{value!r:.120} is none of {', '.join(named.values())}{did_you_mean(str(value), named)}"
        raise ValueError(problem)

    def parts(self) -> Iterator[Kind]:
        yield self
        if None in self.values:
            yield NONE


@dataclass(frozen=True)
class Member:
    """A member of an Enum, which only the kernel has."""

    enum: str
    """The class as the notebook writes it: `Color`, `colors.Color`."""
    name: str


@dataclass(frozen=True)
class EnumKind(Alone):
    """An Enum; its members go by their names."""

    enum: str
    members: tuple[str, ...]

    def check(self, value: object) -> object:
        if isinstance(value, Member) and value.enum == self.enum:
            value = value.name
        if isinstance(value, Enum) and type(value).__name__ == self.enum.rpartition(".")[2]:
            value = value.name
        if type(value) is not str:
            raise Mismatch
        return Member(self.enum, self.member(value.strip().rpartition(".")[2]))

    def member(self, name: str) -> str:
        """The name, where a member has it; a ValueError with the nearest one elsewhere."""
        if name not in self.members:
            problem = f"{name!r:.120} is no member of {self.enum}, which has {', '.join(self.members)}"
            raise ValueError(problem + did_you_mean(name, {member: member for member in self.members}))
        return name


NONE = Scalar(type(None))
TEXT = Scalar(str)
BOOL = Scalar(bool)


def is_plain(value: object) -> bool:
    """Whether a value is a scalar, or a list or dictionary of such: what has a literal and can be stored as JSON."""
    if type(value) is list:
        return all(map(is_plain, value))
    if type(value) is dict:
        return all(map(_is_scalar, value)) and all(map(is_plain, value.values()))
    return _is_scalar(value)


def did_you_mean(word: str, known: "dict[str, str]") -> str:
    """The nearest of some names, whatever their case, as it is shown; nothing where none is near."""
    folded = {name.casefold(): text for name, text in known.items()}
    near = get_close_matches(word.casefold(), folded, n=1)
    return f" (did you mean {folded[near[0]]}?)" if near else ""


def shown(value: object) -> str:
    """A value in a sentence: a date as ISO 8601, a path as its text."""
    return str(value) if isinstance(value, date | PurePath) else f"{value!r:.120}"


def _is_scalar(value: object) -> bool:
    return value is None or type(value) in {str, int, float, bool}


def _read(kind: "type[date]", text: str, expected: str) -> date:
    try:
        return kind.fromisoformat(text.strip())
    except ValueError as error:
        problem = f"{expected} is expected, {text!r:.120} was received"
        raise ValueError(problem) from error
