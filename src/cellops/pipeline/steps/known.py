"""What is known of the names of a notebook at one place of it, from the source alone."""

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cellops.capture.names.kinds import Description, Kind
from cellops.capture.names.libraries import last, root
from cellops.capture.names.sharing import Notes, Value
from cellops.pipeline.steps.definitions import OWN, Defined

ANY_FILE = ""
"""Stands for a file whose path the source does not show."""


@dataclass
class Known:
    """The names of the notebook after the cells that have been read."""

    kinds: dict[str, Description] = field(default_factory=dict)
    defined: dict[str, Defined] = field(default_factory=dict)
    bodies: dict[str, ast.FunctionDef | ast.Lambda] = field(default_factory=dict)
    """Functions that are read at each of their calls."""
    gone: set[str] = field(default_factory=set)
    """Names that were deleted last."""


class KindNotes(Notes):
    """Remembers also which names have come to hold what is no plain data, and which files are read and written."""

    def __init__(self, shares: Mapping[str, int]) -> None:
        super().__init__()
        self.raised: dict[str, Kind] = {}
        self.path = ANY_FILE
        """What the call that is being read names as a file."""
        self.reading: set[str] = set()
        self.writing: set[str] = set()
        self.compared: set[str] = set()
        """Names of which it asks whether they stand for the very same object."""
        self.attributed: set[str] = set()
        """Functions and classes of the notebook of which an attribute is set, by whatever name."""
        self._shares = shares
        """What each name may reach, as a set of bits, before anything here was read."""

    def read_files(self) -> None:
        super().read_files()
        self.reading.add(self.path)

    def write_files(self) -> None:
        super().write_files()
        self.writing.add(self.path)

    def set_attribute(self, into: Value, attribute: str | None) -> None:
        super().set_attribute(into, attribute)
        if root(into.origin) == OWN:
            self.attributed.add(last(into.origin))

    def store(self, into: Value, item: Value, *, anywhere: bool = False) -> None:
        super().store(into, item, anywhere=anywhere)
        if item.kind > Kind.DATA:
            kind = Kind.ACTIVE if anywhere else min(item.kind, Kind.BOX)
            for name in self._sharing(into.everything):
                self.raised[name] = max(kind, self.raised.get(name, Kind.CONSTANT))

    def _sharing(self, names: Iterable[str]) -> set[str]:
        """Names with those that may share objects with them."""
        found, new = set[str](), set(names)
        while new:
            found |= new
            bits = 0
            for name in new:
                bits |= self._shares.get(name, 0)
            near = {name for name, reached in self._shares.items() if reached & bits}
            for table in (self.aliases, self.holds, self.reaches):
                for name, others in table.items():
                    if name in found or not found.isdisjoint(others):
                        near |= {name, *others}
            new = near - found
        return found

    def kind(self, name: str, found: Kind) -> Kind:
        """The kind of a name's value with what has been put into it since."""
        return max(found, self.raised.get(name, found)) if Kind.CONSTANT < found < Kind.LIBRARY else found
