"""The source of functions with all that it uses: imports, constants and other functions of the notebook."""

import ast
import builtins
import inspect
import math
import re
import symtable
import sys
import sysconfig
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from cellops.data.features.function import read_function
from cellops.errors import UsageError
from cellops.records.finding import Finding, Severity

LONGEST_CONSTANT = 20_000
"""Characters of a constant; what is longer is data."""
OF_DATES = (date, datetime, time, timedelta)
AS_ARGUMENT = "Make it a column or an argument with a default, or a constant: a number, a text, a list of them"
Names = Mapping[str, Any]


@dataclass(frozen=True)
class Captured:
    """Functions as a text that stands by itself."""

    source: str
    features: tuple[str, ...]
    """Those that could be captured, in the order in which they were given."""
    findings: tuple[Finding, ...]
    """Why others could not."""


@dataclass
class Parts:
    """What stands in the text, each by the name that it binds."""

    imports: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    definitions: dict[str, str] = field(default_factory=dict)

    def copy(self) -> "Parts":
        return Parts(dict(self.imports), dict(self.constants), dict(self.definitions))

    def text(self, name: str) -> str:
        """The whole: imports, constants, and functions behind what they use."""
        first = f'"""Features {name}, as their notebook defined them."""'
        lines = [sorted({*self.imports.values()}), list(self.constants.values())]
        blocks = [first, *("\n".join(one) for one in lines if one), *self.definitions.values()]
        return "\n\n".join(blocks) + "\n"


class Refused(Exception):  # noqa: N818 - it is what happens to a function, and reaches nobody
    """A function that uses what cannot be captured."""

    def __init__(self, seen: str, remedy: str, *, code: str) -> None:
        super().__init__(seen)
        self.code, self.seen, self.remedy = code, seen, remedy


def capture(name: str, functions: Sequence[Callable[..., Any]]) -> Captured:
    """Write functions, with what they use, as one text that can be executed anywhere.

    A function that uses what has no source (a table, a fitted model, an open file) is left out, with a finding that
    names it; so is one that sets names of the notebook, or is closed over another function's.

    Parameters
    ----------
    name
        What they are called together.
    functions
        Functions of one notebook or module.

    Examples
    --------
    >>> from statistics import fmean
    >>> capture("means", [fmean]).features
    ('fmean',)
    """
    parts, kept, findings = Parts(), [], list[Finding]()
    for function in functions:
        called = getattr(function, "__name__", str(function))
        tried = parts.copy()
        notes: list[Finding] = []
        try:
            if not isinstance(function, FunctionType):
                raise _no_function(called, function)
            Gathering(tried, function.__globals__, called, notes).function(function, called)
            read_function(called, function, tried.definitions[called])
        except Refused as refused:
            findings.append(_finding(refused.code, Severity.ERROR, called, refused.seen, refused.remedy))
        except UsageError as error:
            findings.append(_finding("feature-signature", Severity.ERROR, called, error.fact, error.remedy))
        else:
            parts = tried
            kept.append(called)
            findings += notes
    return Captured(parts.text(name), tuple(kept), tuple(dict.fromkeys(findings)))


def _no_function(name: str, value: object) -> Refused:
    seen = f"{name} is a {type(value).__name__}, whose source cannot be read"
    return Refused(seen, "Write it as a function: def NAME(row)", code="feature-without-source")


@dataclass
class Gathering:
    """Puts a function, and all that it uses, into the parts."""

    parts: Parts
    names: Names
    """The names of the notebook."""
    feature: str
    findings: list[Finding]

    def function(self, function: FunctionType, name: str) -> None:
        """Put in a function of the notebook, behind what it uses."""
        if name in self.parts.definitions:
            return
        if function.__closure__:
            seen = f"{name} uses names of the function that made it: {', '.join(function.__code__.co_freevars)}"
            raise Refused(
                seen, "Define it at the top of the cell, with arguments for what it needs", code="feature-closure"
            )
        self._definition(name, _source_of(function, name))

    def _definition(self, name: str, text: str) -> None:
        self.parts.definitions[name] = ""  # a function may use itself
        tree = ast.parse(text)
        for used in _used(text, name):
            self._name(used, tree)
        del self.parts.definitions[name]
        self.parts.definitions[name] = text

    def _name(self, name: str, tree: ast.Module) -> None:
        """Put in what a name stands for."""
        if name not in self.names:
            if not hasattr(builtins, name):
                seen = f"{self.feature} reads {name}, which nothing has bound yet"
                raise Refused(seen, f"Bind {name} in a cell above, or correct the name", code="feature-reads-unknown")
            return
        value = self.names[name]
        if isinstance(value, ModuleType):
            self._module(name, value, tree)
        elif isinstance(value, FunctionType) and value.__globals__ is self.names:
            self.function(value, name)
        elif isinstance(value, type) and value.__module__ == self.names.get("__name__") and value.__name__ == name:
            self._definition(name, _source_of(value, name))
        elif (constant := constant_text(value)) is not None:
            self.parts.constants[name] = f"{name} = {constant[0]}"
            self.parts.imports |= {line: line for line in constant[1]}
        elif (origin := _origin(value)) is not None:
            self._note_project(origin[0])
            self.parts.imports[name] = _import(*origin, name)
        else:
            seen = f"{self.feature} reads {name}, which is data of this notebook: a {type(value).__name__}"
            raise Refused(seen, AS_ARGUMENT, code="feature-reads-data")

    def _module(self, name: str, module: ModuleType, tree: ast.Module) -> None:
        full = module.__name__
        self._note_project(full)
        self.parts.imports[name] = f"import {full}" if name == full else f"import {full} as {name}"
        for inner in _submodules(tree, name, full):
            self.parts.imports[inner] = f"import {inner}"

    def _note_project(self, module: str) -> None:
        """A module that no distribution brings is not where the features are executed later."""
        if not _is_installed(module):
            seen = f"{self.feature} imports {module}, a module of the project, which does not travel with the features"
            remedy = "Install the project where the model is served, or define in the cell what it needs"
            self.findings.append(_finding("feature-imports-project", Severity.WARNING, self.feature, seen, remedy))


def _source_of(value: Any, name: str) -> str:
    """The statement that defines a function or a class."""
    try:
        text = textwrap.dedent(inspect.getsource(value)).strip("\n")
        made = ast.parse(text).body
    except (OSError, TypeError, SyntaxError) as error:
        seen = f"{name} has no source that could be read"
        raise Refused(
            seen, "Define functions in a cell, with def, and classes in a module", code="feature-without-source"
        ) from error
    match made:
        case [ast.FunctionDef(name=own) | ast.AsyncFunctionDef(name=own) | ast.ClassDef(name=own)] if own == name:
            return text
        case [ast.Assign(targets=[ast.Name(id=own)], value=ast.Lambda())] if own == name:
            return text
    seen = f"{name} is not defined by a statement of its own"
    raise Refused(seen, "Write it as: def NAME(row)", code="feature-without-source")


def _used(text: str, name: str) -> list[str]:
    """The names of the notebook that a definition uses, when it is executed and when it is called."""
    top = symtable.symtable(text, name, "exec")
    found = [one.get_name() for one in top.get_symbols() if one.is_referenced() and not one.is_assigned()]
    for table in _inner(top):
        for one in table.get_symbols():
            if one.is_declared_global() and one.is_assigned():
                seen = f"{name} sets {one.get_name()}, a name of the notebook"
                raise Refused(seen, "A feature gives its value back and changes nothing else", code="feature-sets-name")
            if one.is_global() and one.is_referenced():
                found.append(one.get_name())
    return [used for used in dict.fromkeys(found) if used != name]


def _inner(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _inner(child)


def _submodules(tree: ast.Module, name: str, full: str) -> Iterator[str]:
    """Modules that are used as attributes of their package, `scipy.stats` where `scipy` is imported."""
    for node in ast.walk(tree):
        words, inner = [], node
        while isinstance(inner, ast.Attribute):
            words.append(inner.attr)
            inner = inner.value
        if isinstance(inner, ast.Name) and inner.id == name and words:
            for end in range(1, len(words) + 1):
                found = ".".join((full, *words[::-1][:end]))
                if found in sys.modules:
                    yield found


def constant_text(value: object) -> tuple[str, tuple[str, ...]] | None:
    """A constant as Python writes it, with what that has to import; None for what is no constant.

    Examples
    --------
    >>> constant_text({"EWR": 1.5}), constant_text(float("inf")), constant_text(object())
    (("{'EWR': 1.5}", ()), ("float('inf')", ()), None)
    """
    if type(value) in OF_DATES and getattr(value, "tzinfo", None) is None:
        return f"_{value!r}", ("import datetime as _datetime",)
    if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
        return f"_re.compile({value.pattern!r}, {int(value.flags & ~re.UNICODE)})", ("import re as _re",)
    try:
        text = _literal(value)
    except TypeError:
        return None
    return (text, ()) if len(text) <= LONGEST_CONSTANT else None


def _literal(value: Any) -> str:
    """A value of python's own types as a literal; a set, whose order is another in each process, in one order.

    Raises
    ------
    TypeError
        For any other value, also for one that only looks like them.
    """
    kind = type(value)
    if kind in (bool, int, str, bytes, type(None)):
        return repr(value)
    if kind is float:
        return repr(value) if math.isfinite(value) else f"float({str(value)!r})"
    if kind is dict:
        return f"{{{', '.join(f'{_literal(key)}: {_literal(held)}' for key, held in value.items())}}}"
    if kind in (set, frozenset):
        return f"{kind.__name__}([{', '.join(sorted(map(_literal, value)))}])"
    if kind in (list, tuple):
        inner = ", ".join(map(_literal, value))
        return f"[{inner}]" if kind is list else f"({inner}{',' if len(value) == 1 else ''})"
    fact = f"{kind.__name__} has no literal"
    raise TypeError(fact)


def _origin(value: Any) -> tuple[str, str] | None:
    """The module and name under which a value of a library can be imported."""
    kind = type(value)
    for module in (getattr(value, "__module__", None), kind.__module__.partition(".")[0]):
        name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
        if not isinstance(module, str) or not isinstance(name, str) or module == "__main__":
            continue
        if vars(sys.modules.get(module, builtins)).get(name) is value:
            return module, name
    return None


def _import(module: str, name: str, called: str) -> str:
    return f"from {module} import {name}" + ("" if name == called else f" as {called}")


def _is_installed(module: str) -> bool:
    """Whether a module comes with python or with a distribution."""
    root = module.partition(".")[0]
    origin = getattr(getattr(sys.modules.get(root), "__spec__", None), "origin", None)
    if root in sys.stdlib_module_names or origin is None:
        return root in sys.stdlib_module_names
    paths = [Path(sysconfig.get_path(kind)) for kind in ("purelib", "platlib")]
    return any(Path(str(origin)).is_relative_to(path) for path in paths)


def _finding(code: str, severity: Severity, feature: str, seen: str, remedy: str) -> Finding:
    return Finding(code=code, severity=severity, where=f"feature {feature}", seen=seen, remedy=remedy)
