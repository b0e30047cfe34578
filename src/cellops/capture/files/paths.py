"""The paths and addresses that a cell hands to readers and writers, as far as its source shows them."""

import ast
import glob
import itertools
import os
import pathlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cellops.capture.dataflow.analysis import Dataflow
from cellops.capture.files.libraries import MODELS, library_of
from cellops.capture.files.pointers import is_address

Namespace = Mapping[str, Any]
READER = re.compile(
    r"""(?x) ^(?: (?:read|scan|load|from_(?:csv|parquet|file|json|arrow)) (?:_\w+)? | open_\w+
    | memmap | fromfile | genfromtxt | loadtxt | imread | dataset | Dataset | DeltaTable
    | ParquetFile | ParquetDataset | ExcelFile | HDFStore | File | input_file | fetch_\w+ )$"""
)
WRITER = re.compile(
    r"""(?x) ^(?: to_(?:csv|parquet|json|pickle|excel|feather|hdf|sql|stata|html|xml|orc|file|disk|zarr|netcdf)
    | (?:write|sink|save|dump)(?:_\w+)? | savez(?:_compressed)? | savetxt | savefig | imsave )$"""
)
QUERY = ("sql", "query", "execute", "from_query", "read_sql", "read_database")
DATABASE = "connect"
IN_A_QUERY = re.compile(r"(?i:(?<!\bto ))'([^'\n]{1,4096})'|\b(?i:from|join)\s+\"([^\"\n]{1,4096})\"")
PYTHONS_OWN = ("open", "read_text", "read_bytes", "write_text", "write_bytes")
"""What they open is heard of when they do; their other arguments are no paths."""
NO_READER = re.compile(
    r"""(?x) ^(?: print | display | str | repr | len | Path | PurePath | joinpath | join | exists | is\w+ | l?stat
    | get[a-z]*size | get\wtime | remove | unlink | rename | replace | move | copy\w* | mkdir | append | add | extend
    | format | basename | dirname | splitext | abspath | realpath | normpath | relpath
    | i?glob | (?:ends|starts)with )$"""
)
ASKING = frozenset({"exists", "lexists", "is_dir", "is_file", "isdir", "isfile"})
MEASURING = frozenset({"getatime", "getctime", "getmtime", "getsize", "lstat", "stat"})
DATA_SUFFIX = re.compile(r"(?i)\.(?:parquet|arrow|feather|ipc|orc|avro|duckdb|csv|tsv|ndjson)(?:\.\w{2,4})?$")
LONGEST = 4096
MOST_MATCHES = 500
PATH_TYPES = (pathlib.PosixPath, pathlib.WindowsPath, pathlib.PurePosixPath, pathlib.PureWindowsPath)
PLAIN = (str, int, float, bool)
PATH_METHODS: dict[str, Callable[..., Any]] = {
    "joinpath": lambda path, *parts: path.joinpath(*parts),
    "expanduser": lambda path: path.expanduser(),
    "resolve": lambda path: path.resolve(),
    "absolute": lambda path: path.absolute(),
    "with_suffix": lambda path, suffix: path.with_suffix(suffix),
    "with_name": lambda path, name: path.with_name(name),
    "as_posix": lambda path: path.as_posix(),
}
PATH_PARTS = ("parent", "name", "stem")


@dataclass(frozen=True)
class Named:
    """A path or an address in a call."""

    text: str
    mode: str
    call: ast.Call


class _UnknownError(Exception):
    """The expression is of a kind that is not read."""


def named_paths(flow: Dataflow, namespace: Namespace) -> list[Named]:
    """Paths and addresses among the arguments of a cell's calls, each with what the call does to it.

    A call that is neither known to read nor to write counts where an argument has the name of a data file, and one of a
    library of models where it has that of any file.
    """
    return [named for call in flow.calls for named in _named(call, namespace)]


def asked_paths(flow: Dataflow, namespace: Namespace) -> dict[str, bool]:
    """Paths of which a cell's source asks whether anything is there, each with whether it asks for size or age too."""
    found: dict[str, bool] = {}
    for call in flow.calls:
        name = function_name(call)
        if name in ASKING | MEASURING:
            text = text_of(call.args[0] if call.args else getattr(call.func, "value", None), namespace)
            if text and _can_be_path(text):
                found[text] = found.get(text, False) or name in MEASURING
    return found


def text_of(node: ast.expr | None, namespace: Namespace) -> str | None:
    """The text or path that an expression stands for; None where it would take the user's own code to know."""
    if node is None:
        return None
    try:
        value = value_of(node, namespace)
    except Exception:  # noqa: BLE001 - a name that is missing, parts that do not fit: then it is not known
        return None
    return _text(value)


def asked_version(call: ast.Call, namespace: Namespace) -> str | None:
    """The version of a table that a call asks for as `version=`, where that is a number and is known."""
    for keyword in call.keywords:
        if keyword.arg == "version":
            try:
                value = value_of(keyword.value, namespace)
            except Exception:  # noqa: BLE001 - as above
                return None
            return str(value) if type(value) is int and value >= 0 else None
    return None


def function_name(call: ast.Call) -> str:
    """The last name of the function that is called."""
    match call.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""


def matches(text: str) -> list[str]:
    """The files that a path stands for: itself, those that its pattern matches, or the folder with them all.

    The folder stands for them where they are many, or in many folders.
    """
    if not _is_pattern(text):
        return [text]
    folder = os.path.dirname(text)  # noqa: PTH120 - the text may be no path
    if glob.has_magic(folder):
        parts = text.split("/")
        first = next(place for place, part in enumerate(parts) if glob.has_magic(part))
        return ["/".join(parts[:first]) or ("/" if text.startswith("/") else ".")]
    found = list(itertools.islice(glob.iglob(text), MOST_MATCHES + 1))  # noqa: PTH207
    return sorted(found) if len(found) <= MOST_MATCHES else [folder or "."]


def listed_by(text: str) -> list[str]:
    """The folder whose names decide what a pattern matches; none for a path, and where the folder stands for it."""
    folder = os.path.dirname(text)  # noqa: PTH120 - the text may be no path
    return [os.path.abspath(folder)] if _is_pattern(text) and not glob.has_magic(folder) else []  # noqa: PTH100


def _is_pattern(text: str) -> bool:
    return glob.has_magic(text) and not os.path.lexists(text)


def _named(call: ast.Call, namespace: Namespace) -> Iterator[Named]:
    name = function_name(call)
    if name in PYTHONS_OWN or NO_READER.match(name):
        return
    mode = _mode(name, call)
    of_models = library_of(call, namespace) in MODELS
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    for argument in given:
        for text in _texts(argument, namespace):
            if name in QUERY:
                yield from (Named(path, "read", call) for path in _in_query(text))
            elif of_models and mode != "write" and os.path.isfile(text.partition("?")[0]):  # noqa: PTH113 - maybe no path
                yield Named(text.partition("?")[0], "read", call)
            elif _can_be_path(text) and (mode or (DATA_SUFFIX.search(text) and not is_address(text))):
                yield Named(text, mode or "read", call)


def _can_be_path(text: str) -> bool:
    return len(text) <= LONGEST and "\n" not in text and "\0" not in text


def _mode(name: str, call: ast.Call) -> str | None:
    if name == DATABASE:
        alone = any(k.arg == "read_only" and isinstance(k.value, ast.Constant) and k.value.value for k in call.keywords)
        return "read" if alone else "update"
    if READER.match(name) or name in QUERY:
        return "read"
    return "write" if WRITER.match(name) else None


def _in_query(text: str) -> list[str]:
    found = [one or other for one, other in IN_A_QUERY.findall(text)]
    return [path for path in found if is_address(path) or DATA_SUFFIX.search(path) or os.path.lexists(path)]


def _texts(node: ast.expr, namespace: Namespace) -> list[str]:
    """The texts that an argument stands for: one, or those of a short list."""
    try:
        value = value_of(node, namespace)
    except Exception:  # noqa: BLE001 - as above
        return []
    several = value[:MOST_MATCHES] if type(value) in {list, tuple} else [value]
    return [text for text in map(_text, several) if text]


def _text(value: object) -> str | None:
    if type(value) is str:
        return value
    return str(value) if type(value) in PATH_TYPES else None


def value_of(node: ast.expr, namespace: Namespace) -> Any:  # noqa: PLR0911 - one return a kind of node
    """What an expression stands for that is made of names, literals and parts of paths; raises for any other."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return namespace[name]
        case ast.JoinedStr(values=parts):
            return "".join(_formatted(part, namespace) for part in parts)
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _path(value_of(left, namespace)) / _part(value_of(right, namespace))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _plain_text(value_of(left, namespace)) + _plain_text(value_of(right, namespace))
        case ast.Subscript(value=base, slice=key):
            return _item(value_of(base, namespace), value_of(key, namespace))
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return [value_of(part, namespace) for part in parts]
        case ast.Attribute(value=base, attr=name) if name in PATH_PARTS:
            return getattr(_path(value_of(base, namespace)), name)
        case ast.Call():
            return _called(node, namespace)
        case _:
            raise _UnknownError


def _called(node: ast.Call, namespace: Namespace) -> Any:
    """The value of a call that only puts a path together."""
    arguments = [_part(value_of(argument, namespace)) for argument in node.args]
    match node.func:
        case ast.Attribute(value=ast.Attribute(value=ast.Name(id="os"), attr="path"), attr="join"):
            return os.path.join(*arguments)  # noqa: PTH118 - what the cell does
        case ast.Name(id="Path" | "PurePath") | ast.Attribute(value=ast.Name(id="pathlib"), attr="Path" | "PurePath"):
            return pathlib.Path(*arguments)
        case ast.Name(id="str"):
            return str(*arguments)
        case ast.Attribute(value=base, attr=method) if method in PATH_METHODS:
            return PATH_METHODS[method](_path(value_of(base, namespace)), *arguments)
        case _:
            raise _UnknownError


def _formatted(part: ast.expr, namespace: Namespace) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    if not isinstance(part, ast.FormattedValue) or part.conversion != -1:
        raise _UnknownError
    value = value_of(part.value, namespace)
    form = "" if part.format_spec is None else _plain_text(value_of(part.format_spec, namespace))
    if type(value) not in (*PLAIN, *PATH_TYPES):
        raise _UnknownError
    return format(value, form)


def _item(base: Any, key: Any) -> Any:
    if type(base) not in {dict, list, tuple} or type(key) not in PLAIN:
        raise _UnknownError
    return base[key]


def _path(value: Any) -> Any:
    if type(value) not in PATH_TYPES:
        raise _UnknownError
    return value


def _part(value: Any) -> Any:
    if type(value) is not str and type(value) not in PATH_TYPES:
        raise _UnknownError
    return value


def _plain_text(value: Any) -> str:
    if type(value) is not str:
        raise _UnknownError
    return value
