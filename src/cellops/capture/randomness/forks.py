"""The watcher of forks: workers that are forked from one state of a generator draw the same numbers."""

import os
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import CodeType, FunctionType, ModuleType
from typing import Any

from cellops.capture.randomness import rng
from cellops.capture.randomness.watcher import names_of
from cellops.capture.watcher import Ending, OpenCell, Seen
from cellops.records.finding import Finding, Severity

Namespace = Mapping[str, Any]
NUMPY = ("numpy", "numpy.random")
OWN = {"default_rng", "Generator", "RandomState", "seed"}
"""A function that uses one of these gives each worker numbers of its own."""
MOST_FUNCTIONS = 200


@dataclass
class Forked:
    """How often the process was forked during a cell, by the state of numpy's shared generator at that moment."""

    states: dict[rng.Reading, int] = field(default_factory=dict)


class Forks:
    """Python seeds its own generator anew in a forked child; numpy's generators are copied as they are.

    Which functions the children call is not known here: those that the cell reads are looked at, and those of the
    notebook that they call.
    """

    name = "forks"

    def __init__(self) -> None:
        self._namespace: Namespace = {}
        self._forked: Forked | None = None
        self._pid = os.getpid()

    def start(self, shell: Any) -> None:
        self._namespace = shell.user_ns
        if hasattr(os, "register_at_fork"):
            mine = weakref.WeakMethod(self._note)
            # What is registered stays for ever: once the watcher has gone, it does nothing.
            os.register_at_fork(before=lambda: (note := mine()) and note())

    def stop(self) -> None:
        self._namespace, self._forked = {}, None

    def before(self, _cell: OpenCell) -> Forked:
        self._forked = Forked()
        return self._forked

    def after(self, cell: OpenCell, state: Forked, _ending: Ending) -> Seen:
        self._forked = None
        workers = max(state.states.values(), default=0)
        if workers < 2:  # noqa: PLR2004 - one child repeats nobody
            return Seen()
        drawing = next(_drawing(cell, self._namespace), None)
        return Seen() if drawing is None else Seen(findings=(_duplicate(workers, *drawing, cell.where),))

    def _note(self) -> None:
        """Before a fork: nothing may be raised here."""
        if self._forked is None or os.getpid() != self._pid:
            return
        generator = rng.shared().get("numpy")
        reading = ("none",) if generator is None else (rng.as_text(rng.read(generator) or ("none", None)),)
        self._forked.states[reading] = self._forked.states.get(reading, 0) + 1


def _drawing(cell: OpenCell, namespace: Namespace) -> Iterator[tuple[str, str]]:
    """The functions that a cell could have its workers call and that draw from numpy, with what they draw from."""
    shared = {name for name, value in list(namespace.items()) if _is_numpy(value)}
    named = set(names_of(namespace))
    drawers = {name for kind in rng.kinds().kinds if kind.__name__ == "RandomState" for name in dir(kind)}
    waiting = [*cell.flow.reads, *cell.flow.writes]
    seen: set[str] = set()
    while waiting and len(seen) < MOST_FUNCTIONS:
        name = waiting.pop(0)
        function = namespace.get(name)
        if name in seen or type(function) is not FunctionType:
            continue
        seen.add(name)
        for code in _codes(function.__code__):
            used = set(code.co_names)
            if used & shared and used & drawers and not used & OWN:
                yield name, "numpy's global generator"
            for generator in sorted(used & named):
                yield name, generator
            waiting += sorted(used - seen)


def _is_numpy(value: object) -> bool:
    return type(value) is ModuleType and object.__getattribute__(value, "__dict__").get("__name__") in NUMPY


def _codes(code: CodeType) -> Iterator[CodeType]:
    """A function's code and that of the functions inside of it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _duplicate(workers: int, function: str, generator: str, where: str) -> Finding:
    return Finding(
        code="duplicate-streams",
        severity=Severity.WARNING,
        where=where,
        seen=f"{workers} workers were forked with the same state of {generator}, from which {function} draws",
        remedy="Give each worker a generator of its own: numpy.random.default_rng(seed).spawn(workers)",
    )
