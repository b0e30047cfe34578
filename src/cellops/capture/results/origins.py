"""From which file a table was read, where the source shows it for certain and nothing has changed it since."""

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from cellops.capture.dataflow.analysis import Dataflow
from cellops.capture.files.paths import function_name, named_paths
from cellops.capture.files.pointers import is_address, public_address, shown
from cellops.capture.redaction import redact
from cellops.capture.results.tables import PURE
from cellops.records.cell import CellRecord, Outcome
from cellops.records.effects import ANYTHING

SELECTING = (
    *PURE,
    "collect",
    "drop_duplicates",
    "dropna",
    "lazy",
    "query",
    "rename",
    "sample",
    "select",
    "set_index",
    "sort",
    "sort_index",
    "sort_values",
    "to_pandas",
)
"""Methods that give some of a table's rows and columns, or all in another order."""
DIVIDER = "train_test_split"
OWN_DIVIDER = "split"


class Origins:
    """Follows names from the call that read a file through cells that leave the table as it is."""

    def __init__(self, namespace: Mapping[str, Any], project: Path) -> None:
        self._namespace = namespace
        self._project = project.resolve()
        self._files: dict[str, str] = {}
        self._sharing: dict[str, set[str]] = {}
        """For each name those whose object it may share: a change of one is a change of all."""

    def learn(self, flow: Dataflow, record: CellRecord) -> None:
        """Take in what a cell did to names, and what it read."""
        effects = record.effects
        if effects is None or effects.unknown or ANYTHING in {*effects.changes, *effects.mutates}:
            self._files.clear()
            self._sharing.clear()
            return
        before = dict(self._files)
        for name in effects.binds:
            self._files.pop(name, None)
            self._sharing.pop(name, set()).discard(name)
        if record.outcome is Outcome.OK:
            self._files |= self._read(flow, before)
        for name, sources in effects.aliases.items():
            self._share({name, *sources})
        self._forget((*effects.changes, *effects.mutates))

    def of(self, expression: str) -> str | None:
        """The file that the table came from which an expression names."""
        try:
            node = ast.parse(expression, mode="eval").body
        except (SyntaxError, ValueError, RecursionError):
            return None
        return self._origin(node, self._files, {})

    def _read(self, flow: Dataflow, before: Mapping[str, str]) -> dict[str, str]:
        """The origins of the names that a cell bound once and for certain."""
        once = [name for name in flow.values if len(flow.lines.get(name, ())) == 1 and name in flow.certain]
        calls = self._sources(flow)
        found: dict[str, str] = {}
        for name in once:
            known = {**{n: file for n, file in before.items() if n == name or n not in flow.lines}, **found}
            origin = self._origin(flow.values[name], known, calls)
            if origin is not None and name in self._namespace:
                found[name] = origin
        return found

    def _sources(self, flow: Dataflow) -> dict[int, str]:
        """The calls that read one file, by the identity of their nodes."""
        paths: dict[int, set[str]] = {}
        for named in named_paths(flow, self._namespace):
            if named.mode == "read":
                paths.setdefault(id(named.call), set()).add(named.text)
        found = {call: texts if len(texts) == 1 else _there(texts) for call, texts in paths.items()}
        return {call: self._shown(next(iter(texts))) for call, texts in found.items() if len(texts) == 1}

    def _shown(self, text: str) -> str:
        if is_address(text):
            return public_address(text)
        return redact(shown(Path.cwd().joinpath(text), self._project))

    def _origin(self, node: ast.expr, known: Mapping[str, str], calls: Mapping[int, str]) -> str | None:
        match node:
            case ast.Call() if id(node) in calls:
                return calls[id(node)]
            case ast.Name(id=name):
                return known.get(name)
            case ast.Subscript(value=base) | ast.Attribute(value=base):
                return self._origin(base, known, calls)
            case ast.Call(func=ast.Attribute(value=base, attr=method)) if method in SELECTING:
                return self._origin(base, known, calls)
            case ast.Call(args=[_, *_] as parts) if function_name(node) == DIVIDER or self._is_own_divider(node.func):
                origins = {self._origin(part, known, calls) for part in parts}
                return origins.pop() if len(origins) == 1 else None
            case _:
                return None

    def _is_own_divider(self, function: ast.expr) -> bool:
        """Whether a call is of `cellops.split`; texts are split too."""
        match function:
            case ast.Name(id=name):
                value = self._namespace.get(name)
                return type(value) is FunctionType and value.__module__ == "cellops.flows.split"
            case ast.Attribute(value=ast.Name(id=name), attr=attribute):
                module = self._namespace.get(name)
                return attribute == OWN_DIVIDER and type(module) is ModuleType and module.__name__ == "cellops"
            case _:
                return False

    def _share(self, names: set[str]) -> None:
        together = names.union(*(self._sharing.get(name, set()) for name in names))
        for name in together:
            self._sharing[name] = together

    def _forget(self, changed: Iterable[str]) -> None:
        for name in changed:
            for other in (name, *self._sharing.get(name, ())):
                self._files.pop(other, None)


def _there(texts: Iterable[str]) -> set[str]:
    """Of texts that may be paths, such as the names of columns are too, those of files that are there."""
    return {text for text in texts if is_address(text) or Path(text).is_file()}
