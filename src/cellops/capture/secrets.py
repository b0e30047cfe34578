"""Values that are secrets because somebody says so: `Secret`, and what this process knows of them."""

import ast
import contextlib
import html
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from threading import Lock
from typing import Any, Self
from urllib.parse import quote, quote_plus

from cellops.errors import UsageError

REDACTED = "[redacted]"
VARIABLE = "CELLOPS_SECRET_"
"""Begins the name of the variable by which an execution hands the value of a parameter to its kernel."""
RUNNER = "CELLOPS_NOTEBOOK"
"""A variable that every kernel has which cellops itself started."""
TARGET = "cellops.secret"
"""The comm target under which a kernel names its secrets to the execution that it belongs to."""
SHORTEST_ANYWHERE = 6
"""Characters from which on a value is taken out wherever it stands; a shorter one only as a word of its own."""
SHORTEST_LINE = 12
"""Characters from which on a line of a longer secret, as a private key is, is a secret too."""


class KnownSecrets:
    """Values that are taken out of every text that this process records."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._values: set[str] = set()
        self._anywhere: tuple[str, ...] = ()
        self._words: re.Pattern[str] | None = None

    def __contains__(self, value: object) -> bool:
        return type(value) in {str, Secret} and value in self._values

    def add(self, value: str) -> bool:
        """Know a value from now on; whether it is new and could be told from other text."""
        if value in REDACTED or not value.strip() or value in self._values:
            return False
        with self._lock:
            self._values.add(value)
            written = sorted({form for known in self._values for form in _forms(known)}, key=len, reverse=True)
            short = [re.escape(form) for form in written if len(form) < SHORTEST_ANYWHERE]
            self._anywhere = tuple(form for form in written if len(form) >= SHORTEST_ANYWHERE)
            self._words = re.compile(rf"(?<!\w)(?:{'|'.join(short)})(?!\w)") if short else None
        return True

    def without(self, text: str) -> str:
        """A text without the known values, however they are written in it."""
        for form in self._anywhere:
            text = text.replace(form, REDACTED)
        return text if self._words is None else self._words.sub(REDACTED, text)

    def without_deep(self, value: Any) -> Any:
        """The same of every text in lists and dictionaries."""
        match value:
            case str():
                return self.without(value)
            case list() | tuple():
                return [self.without_deep(inner) for inner in value]
            case dict():
                return {self.without_deep(name): self.without_deep(inner) for name, inner in value.items()}
            case _:
                return value

    def are_in(self, content: bytes) -> bool:
        """Whether any of them stands in these bytes; short ones stand in too many."""
        return any(form.encode(errors="surrogatepass") in content for form in self._anywhere)

    def __bool__(self) -> bool:
        return bool(self._values)


# A secret is one of the whole process: threads and tasks write texts that hold it, and no argument reaches them all.
KNOWN = KnownSecrets()


class Secret(str):
    """A text that no record, executed notebook or package may hold; for all else it is the text itself.

    As an annotation in a parameters cell, `token: Secret`, it gives a parameter that is handed to the kernel without
    standing in the executed notebook; around a value, `Secret(os.environ["TOKEN"])`, it makes that value one.

    Raises
    ------
    UsageError
        When the value is no text.

    Examples
    --------
    >>> Secret("correct horse battery"), Secret("abc") + "d"
    (Secret('[redacted]'), 'abcd')
    """

    __slots__ = ()

    def __new__(cls, value: object) -> Self:
        if not isinstance(value, str):
            fact = f"A Secret is made of a text; {type(value).__name__} was received"
            raise UsageError(fact, remedy="Look whether what holds the secret, such as a variable, is there")
        keep(value)
        return super().__new__(cls, value)

    def __repr__(self) -> str:
        return f"Secret({REDACTED!r})"

    @classmethod
    def given(cls, parameter: str) -> Self:
        """The value that an execution was given for a parameter.

        Raises
        ------
        UsageError
            When there is none, as in a notebook that is executed by hand.
        """
        value = os.environ.get(VARIABLE + parameter)
        if value is None:
            fact = f"This kernel was given no value for the Secret parameter {parameter}"
            remedy = f"Execute the notebook with it: cellops execute NOTEBOOK -p {parameter} env:NAME_OF_A_VARIABLE"
            raise UsageError(fact, remedy=remedy)
        return cls(value)


def keep(value: str) -> None:
    """Know a value as a secret from now on, and tell the execution that this kernel belongs to, if there is one."""
    if KNOWN.add(value) and RUNNER in os.environ and "ipykernel.kernelapp" in sys.modules:
        with contextlib.suppress(Exception):
            import comm

            comm.create_comm(target_name=TARGET, data={"value": value}).close()


def variables(values: Mapping[str, object]) -> dict[str, str]:
    """The variables of the environment that hand those values that are secrets to a kernel."""
    return {VARIABLE + name: str(value) for name, value in values.items() if type(value) is Secret}


def masked(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with a mark in the place of each secret."""
    return {name: REDACTED if type(value) is Secret else value for name, value in values.items()}


def keep_given(environment: Mapping[str, str]) -> None:
    """Know what an execution hands to its kernel."""
    for name, value in environment.items():
        if name.startswith(VARIABLE):
            keep(value)


def is_secret_type(annotation: ast.expr | None) -> bool:
    """Whether an annotation names `Secret`, alone or with others: `Secret | None`, `cellops.Secret`, `"Secret"`."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return re.search(r"\bSecret\b", annotation.value) is not None
    return annotation is not None and any(
        isinstance(node, ast.Name | ast.Attribute) and _last_name(node) == "Secret" for node in ast.walk(annotation)
    )


def declared(tree: ast.AST) -> Iterator[ast.expr]:
    """The expressions that a source makes secrets: `x: Secret = …`, `Secret(…)`."""
    for node in ast.walk(tree):
        match node:
            case ast.AnnAssign(annotation=annotation, value=ast.expr() as value) if is_secret_type(annotation):
                yield value
            case ast.Call(func=ast.Name() | ast.Attribute() as function, args=[value, *_]):
                if _last_name(function) == "Secret":
                    yield value


def annotated(source: str) -> tuple[str, ...]:
    """The names that a source annotates as `Secret`."""
    tree = _parsed(source)
    return (
        ()
        if tree is None
        else tuple(
            node.target.id
            for node in ast.walk(tree)
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and is_secret_type(node.annotation)
        )
    )


def literals(source: str) -> tuple[str, ...]:
    """The texts that a source itself makes secrets, before anything of it runs."""
    tree = _parsed(source)
    found = () if tree is None else declared(tree)
    return tuple(node.value for node in found if isinstance(node, ast.Constant) and isinstance(node.value, str))


def _parsed(source: str) -> ast.AST | None:
    if "Secret" not in source:
        return None
    try:
        return ast.parse(re.sub(r"(?m)^[%!]", "#", source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _last_name(node: ast.Name | ast.Attribute) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr


def _forms(value: str) -> Iterator[str]:
    """A value as it is, and as it is written in source, JSON, HTML and addresses; its lines, where it has many."""
    lines = value.splitlines()
    for text in (value, *(line.strip() for line in lines if len(lines) > 1 and len(line.strip()) >= SHORTEST_LINE)):
        yield from (text, repr(text)[1:-1], json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1])
        yield from (html.escape(text), html.escape(text, quote=False))
        yield from (quote(text), quote(text, safe=""), quote_plus(text))
