"""Types that are made of others: containers, unions and types with limits."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cellops.pipeline.parameters.kinds import Alone, Kind, Mismatch, shown
from cellops.pipeline.parameters.limits import Limit


@dataclass(frozen=True)
class Items(Alone):
    """A list or a set with members of one type, or a tuple with any number of them."""

    type: type
    item: Kind

    def check(self, value: object) -> object:
        taken: tuple[type, ...] = (list, tuple, set, frozenset) if self.type is set else (list, tuple)
        if type(value) not in taken:
            raise Mismatch
        items: Any = value
        return self.type([self.item.check(item) for item in items])


@dataclass(frozen=True)
class Fields(Alone):
    """A tuple with a type for each place."""

    items: tuple[Kind, ...]

    def check(self, value: object) -> object:
        if not isinstance(value, list | tuple) or len(value) != len(self.items):
            raise Mismatch
        return tuple(kind.check(item) for kind, item in zip(self.items, value, strict=True))


@dataclass(frozen=True)
class Mapped(Alone):
    """A dictionary."""

    key: Kind
    value: Kind

    def check(self, value: object) -> object:
        if type(value) is not dict:
            raise Mismatch
        return {self.key.check(key): self.value.check(inner) for key, inner in value.items()}


@dataclass(frozen=True)
class AnyOf:
    """A union."""

    kinds: tuple[Kind, ...]

    def check(self, value: object) -> object:
        problems = []
        for kind in self.kinds:
            try:
                return kind.check(value)
            except Mismatch:
                continue
            except ValueError as error:
                problems.append(str(error))
        if not problems:
            raise Mismatch
        raise ValueError("; ".join(problems))

    def parts(self) -> Iterator[Kind]:
        for kind in self.kinds:
            yield from kind.parts()


@dataclass(frozen=True)
class Limited:
    """`Annotated[...]`: a type and what its values have to keep to; None keeps to everything."""

    kind: Kind
    limits: tuple[Limit, ...]

    def check(self, value: object) -> object:
        checked = self.kind.check(value)
        problems = [] if checked is None else [limit.problem for limit in self.limits if not limit.holds(checked)]
        if problems:
            problem = f"{shown(checked)} {' and '.join(problems)}"
            raise ValueError(problem)
        return checked

    def parts(self) -> Iterator[Kind]:
        return self.kind.parts()
