"""The code of features: what the files for people to read hold, and whether it is what the model holds."""

import ast
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from cellops.errors import IntegrityError
from cellops.packaging.formats.skops import schema_of
from cellops.packaging.layout import FEATURES
from cellops.records.audit import FeatureCode
from cellops.settings import FEATURE_TYPE


def feature_code(content: Mapping[str, bytes]) -> Iterator[FeatureCode]:
    """Each file of code with what it defines and imports."""
    for path in sorted(content):
        if path.startswith(f"{FEATURES}/"):
            source = content[path].decode("utf-8", "backslashreplace")
            functions, imports = _read(source)
            yield FeatureCode(path=path, functions=functions, imports=imports, source=source)


def _read(source: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return (), ()
    functions = [node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    named = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    named += [node.module or "." for node in nodes if isinstance(node, ast.ImportFrom)]
    return tuple(dict.fromkeys(functions)), tuple(sorted(set(named)))


def require_shown_in_file(model: bytes, content: Mapping[str, bytes]) -> None:
    """Refuse a model of skops that holds code of features which stands in no file, or in a way that cannot be read.

    Raises
    ------
    IntegrityError
        Saying so.
    """
    shown = {hashlib.sha256(text).hexdigest() for path, text in content.items() if path.startswith(f"{FEATURES}/")}
    for source in _sources(schema_of(model)):
        if source is None or hashlib.sha256(source.encode(errors="replace")).hexdigest() not in shown:
            fact = f"The model holds features whose code stands in no file of {FEATURES}/"
            raise IntegrityError(fact, remedy="Build the package again from its run", path=FEATURES)


def _sources(schema: Any) -> Iterator[str | None]:
    """The source that each set of features in a description restores; None where it is not where skops writes it."""
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if f"{node.get('__module__')}.{node.get('__class__')}" == FEATURE_TYPE and "content" in node:
                yield _source(node)
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


def _source(node: dict[str, Any]) -> str | None:
    try:
        found = json.loads(node["content"]["content"]["source"]["content"])
    except (KeyError, TypeError, ValueError):
        return None
    return found if isinstance(found, str) else None
