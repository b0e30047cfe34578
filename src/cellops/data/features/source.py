"""The source of functions with all that it uses: imports, constants and other functions of the notebook."""

import ast
import builtins
import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any

from cellops.data.features.constants import constant_text
from cellops.data.features.function import read_function
from cellops.data.features.origin import import_line, is_installed, origin_of
from cellops.data.features.refused import Refused
from cellops.data.features.used_names import used_names, used_submodules
from cellops.errors import UsageError
from cellops.records.finding import Finding, Severity

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
        for used in used_names(text, name):
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
        elif (origin := origin_of(value)) is not None:
            self._note_project(origin[0])
            self.parts.imports[name] = import_line(*origin, name)
        else:
            seen = f"{self.feature} reads {name}, which is data of this notebook: a {type(value).__name__}"
            raise Refused(seen, AS_ARGUMENT, code="feature-reads-data")

    def _module(self, name: str, module: ModuleType, tree: ast.Module) -> None:
        full = module.__name__
        self._note_project(full)
        self.parts.imports[name] = f"import {full}" if name == full else f"import {full} as {name}"
        for inner in used_submodules(tree, name, full):
            self.parts.imports[inner] = f"import {inner}"

    def _note_project(self, module: str) -> None:
        """A module that no distribution brings is not where the features are executed later."""
        if not is_installed(module):
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


def _finding(code: str, severity: Severity, feature: str, seen: str, remedy: str) -> Finding:
    return Finding(code=code, severity=severity, where=f"feature {feature}", seen=seen, remedy=remedy)
