"""Calls that have a library of another language read a path which the cell's source does not show for certain.

Python tells of no file that such a library opens. The path is known from the source, in the namespace that the cell
leaves behind: it is another one where a name was bound again, runs through a loop, or belongs to a function.
"""

import ast
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator

from cellops.capture.dataflow.analysis import Dataflow
from cellops.capture.files.libraries import LIBRARIES, MODELS, library_of, module_of
from cellops.capture.files.paths import (
    DATABASE,
    MOST_MATCHES,
    PATH_TYPES,
    QUERY,
    READER,
    Namespace,
    function_name,
    text_of,
    value_of,
)
from cellops.capture.files.pointers import is_address

DATABASES = frozenset({"_duckdb", "duckdb", "sqlite3"})
OF_OTHER_LANGUAGES = re.compile(
    r"""(?x) ^(?: (?:read|scan)_(?:parquet|ipc|ndjson|avro|delta|hdf|spss) | scan_csv
    | ParquetFile | ParquetDataset | DeltaTable | HDFStore )$"""
)
"""Readers that open files in another language, in whichever library of Python."""
OF_MEMORY = frozenset({"from_arrow"})
LOADER = re.compile(r"load(?:_\w+)?$")
OF_TABLES = re.compile(r"(?:DMatrix|Dataset|Pool)$")
"""What libraries of models make of a table, or of a file with one."""
MODEL_FILE = "model_file"
OR_FILES = frozenset({"data", "init_model", "xgb_model"})
"""Arguments of libraries of models that are a value or the name of a file."""
FOLDER_CHANGES = frozenset({"chdir", "fchdir"})
FOLDER_MAGICS = frozenset({"cd", "popd", "pushd"})
STORE = "%store"
"""It reads what other notebooks have left among the files of IPython, which are no data."""
PUTTING_TOGETHER = frozenset({"Path", "PurePath", "os", "pathlib", "str"})
"""Names in expressions of paths that stand for no part of them."""
OPEN_FILES = frozenset({"BytesIO", "StringIO", "open"})
CONTENTS = frozenset({"_io", "io", "pandas", "polars", "pyarrow", "numpy", *DATABASES})
"""Modules of objects that are read from, and are no paths."""
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def untold_reads(flow: Dataflow, namespace: Namespace, bound: set[str]) -> tuple[str, ...]:
    """The names of readers that a cell calls with a path which nobody can tell.

    Parameters
    ----------
    bound
        Names that functions of earlier cells bind by `global`; those of this cell come to them.
    """
    nodes = list(ast.walk(flow.tree))
    bound.update(name for node in nodes if isinstance(node, ast.Global) for name in node.names)
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    readers = {call: given for call in calls if (given := _given(call, namespace))}
    stored = [STORE for call in calls if _magic(call) == "store"]
    if not readers:
        return tuple(stored[:1])
    inside = {id(node) for outer in nodes if isinstance(outer, FUNCTIONS) for node in ast.walk(outer)}
    steady = _Steady(flow, bound)
    moved = any(function_name(call) in FOLDER_CHANGES or _magic(call) in FOLDER_MAGICS for call in calls)
    untold = [
        function_name(call)
        for call, given in readers.items()
        if id(call) in inside or not all(_is_told(part, call, steady, namespace, moved=moved) for part in given)
    ]
    return tuple(dict.fromkeys((*untold, *stored)))


def _reads(call: ast.Call, namespace: Namespace) -> bool:
    """Whether a call may open a file without Python hearing of it."""
    name = function_name(call)
    if name in OF_MEMORY or not (call.args or call.keywords):
        return False
    if name == DATABASE or name in QUERY:
        return library_of(call, namespace) in DATABASES
    if not READER.match(name):
        return False
    library = library_of(call, namespace)
    return library in LIBRARIES | MODELS or bool(library != "__main__" and OF_OTHER_LANGUAGES.match(name))


def _given(call: ast.Call, namespace: Namespace) -> list[ast.expr]:
    """The arguments that name what a call reads: the first, or any of those that are named; none for no reader."""
    if library_of(call, namespace) in MODELS and not LOADER.match(function_name(call)):
        return _of_models(call, namespace)
    if not _reads(call, namespace):
        return []
    return call.args[:1] or [keyword.value for keyword in call.keywords]


def _of_models(call: ast.Call, namespace: Namespace) -> list[ast.expr]:
    """The arguments that name a file in a call that may as well be given a table or a model."""
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    either = [*(call.args[:1] if OF_TABLES.search(function_name(call)) else []), *map(named.get, OR_FILES & set(named))]
    files = [part for part in either if part is not None and _is_text(part, namespace)]
    return [*files, named[MODEL_FILE]] if MODEL_FILE in named else files


def _is_text(node: ast.expr, namespace: Namespace) -> bool:
    """Whether an argument is seen to be a text or a path."""
    match node:
        case ast.JoinedStr():
            return True
        case ast.BinOp(left=left, op=ast.Add() | ast.Div(), right=right):
            return _is_text(left, namespace) or _is_text(right, namespace)
        case _:
            return text_of(node, namespace) is not None


def _is_told(node: ast.expr, call: ast.Call, steady: "_Steady", namespace: Namespace, *, moved: bool) -> bool:
    if isinstance(node, ast.Call) and function_name(node) in OPEN_FILES:
        return True
    names = {found.id for found in ast.walk(node) if isinstance(found, ast.Name)} - PUTTING_TOGETHER
    if not all(steady.at(name, call) for name in names):
        return False
    try:
        value = value_of(node, namespace)
    except Exception:  # noqa: BLE001 - a name that is missing, parts that do not fit: then it is not known
        return False
    several = value if type(value) in {list, tuple} else [value]
    return len(several) <= MOST_MATCHES and all(_is_plain(one, moved=moved) for one in several)


def _is_plain(value: object, *, moved: bool) -> bool:
    """Whether a value is a path as it stands, or none at all."""
    if type(value) is str or type(value) in PATH_TYPES:
        return not moved or os.path.isabs(str(value)) or is_address(str(value))  # noqa: PTH117 - it may be no path
    return type(value) in {bool, int, float, bytes, type(None)} or str(module_of(value)).partition(".")[0] in CONTENTS


def _magic(call: ast.Call) -> object:
    """The name of the magic that a call stands for."""
    match call:
        case ast.Call(func=ast.Attribute(attr="run_line_magic"), args=[ast.Constant(value=magic), *_]):
            return magic
        case _:
            return None


class _Steady:
    """Which names stand for one value in a whole cell, or from their one assignment on."""

    def __init__(self, flow: Dataflow, bound: set[str]) -> None:
        self._changed = bound.union(flow.changes)
        self._times = Counter(_bound(flow.tree))
        self._ends: dict[str, tuple[int, int]] = {}
        """Where the plain assignment of a name ends."""
        for statement in flow.tree.body:
            if isinstance(statement, ast.Assign):
                end = (statement.end_lineno or sys.maxsize, statement.end_col_offset or 0)
                self._ends |= {target.id: end for target in statement.targets if isinstance(target, ast.Name)}

    def at(self, name: str, call: ast.Call) -> bool:
        """Whether a name stands for one value from a call outside of functions to the end of the cell."""
        if name in self._changed or self._times[name] > 1:
            return False
        return not self._times[name] or self._ends.get(name, (sys.maxsize, 0)) <= (call.lineno, call.col_offset)


def _bound(tree: ast.Module) -> Iterator[str]:
    """Each binding of a name, in whichever scope."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.alias(name=name, asname=other):
                yield other or name.partition(".")[0]
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                yield from names
            case ast.arg(arg=name) | ast.MatchMapping(rest=str(name)):
                yield name
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
                | ast.ExceptHandler(name=str(name))
                | ast.MatchAs(name=str(name))
                | ast.MatchStar(name=str(name))
            ):
                yield name
            case _:
                continue
