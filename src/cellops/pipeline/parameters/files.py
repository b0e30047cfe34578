"""Parameters in a file: YAML, JSON or TOML, with names at its top."""

import json
import re
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

from cellops.errors import ParameterError

INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)

MOST_VALUES = 1_000_000
MERGE = "tag:yaml.org,2002:merge"


def read_values(path: Path) -> dict[str, object]:
    """The parameters in a file, by name; an empty file has none.

    YAML is read as its version 1.2 says: `no` and `on` are texts and `1e-3` is a number; dates stay texts, which the
    types of the parameters make dates of.

    Raises
    ------
    ParameterError
        When the file is not there, is of another format, cannot be read, or holds no names with values at its top.
    """
    readers: dict[str, Callable[[str], object]] = {
        ".yaml": _yaml,
        ".yml": _yaml,
        ".json": lambda text: json.loads(text, object_pairs_hook=_once),
        ".toml": tomllib.loads,
    }
    if path.suffix.lower() not in readers:
        _refuse(path, "is no YAML, JSON or TOML file by its name", f"Give one that ends with {', '.join(readers)}")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        _refuse(path, "is not there", "Look at its path, which begins at the current folder")
    except (OSError, UnicodeDecodeError) as error:
        _refuse(path, f"cannot be read: {getattr(error, 'strerror', None) or 'it is no text in UTF-8'}", "Correct it")
    try:
        content = readers[path.suffix.lower()](text) if text.strip() else {}
    except (ValueError, TypeError, RecursionError) as error:
        _refuse(path, f"cannot be read: {' '.join(str(error).split())}", "Correct it")
    if content is None:
        return {}
    if not isinstance(content, dict) or not all(type(name) is str for name in content):
        _refuse(path, f"holds no names with values, but {content!r:.80}", "Write one parameter a line, as in seed: 7")
    return content


def _refuse(path: Path, problem: str, remedy: str) -> NoReturn:
    fact = f"The file of parameters {path} {problem}"
    raise ParameterError(fact, remedy=remedy, path=str(path))


def _once(pairs: Iterable[tuple[Any, object]]) -> dict[Any, object]:
    """A dictionary whose keys stand once."""
    found: dict[Any, object] = {}
    for name, value in pairs:
        if name in found:
            problem = f"{name} stands in it twice"
            raise ValueError(problem)
        found[name] = value
    return found


def _yaml(text: str) -> object:
    import yaml

    class Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no type information
        """YAML 1.2's core schema: what a plain scalar is follows from these patterns and from no others."""

        yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012 - PyYAML has it so

    Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|Null|NULL|)$"), None)
    Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), None)
    Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(rf"^(?:{INTEGER.pattern})$"), None)
    Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(rf"^(?:{FLOAT.pattern})$"), None)
    Loader.add_implicit_resolver(MERGE, re.compile(r"^<<$"), None)
    Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: _integer(loader.construct_scalar(node)))
    Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
    try:
        content = yaml.load(text, Loader)  # noqa: S506 - it is a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = "" if mark is None else f" (line {mark.line + 1}, column {mark.column + 1})"
        raise ValueError(" ".join(filter(None, (error.context, error.problem))) + place) from error
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
    if _size(content, {}) > MOST_VALUES:
        problem = f"its aliases stand for more than {MOST_VALUES:,} values"
        raise ValueError(problem)
    return content


def _size(value: Any, known: dict[int, int]) -> int:
    """How many values there are in one, those behind aliases counted each time; `known` are the sizes by identity."""
    if id(value) not in known:
        inner = [*value, *value.values()] if type(value) is dict else value if type(value) is list else ()
        known[id(value)] = 1 + sum(_size(one, known) for one in inner)
    return known[id(value)]


def _integer(text: str) -> int:
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    return int(text, base)


def _mapping(loader: Any, node: Any) -> dict[Any, object]:
    _once((loader.construct_object(key, deep=True), None) for key, _ in node.value if key.tag != MERGE)
    loader.flatten_mapping(node)
    found: dict[Any, object] = loader.construct_mapping(node, deep=True)
    return found
