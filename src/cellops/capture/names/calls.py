"""What a call may change, by what is known of the function and of the types of its arguments."""

import ast
from typing import NamedTuple, Protocol

from cellops.capture.names import libraries
from cellops.capture.names.kinds import HANDLE, PLAIN_FUNCTION, WEAK, Kind
from cellops.capture.names.libraries import last, root
from cellops.capture.names.sharing import CONSTANT, NONE, Notes, Value, either
from cellops.records.effects import ANYTHING, FILES, INTERPRETER, FunctionEffects

LAZY = frozenset({"enumerate", "filter", "iter", "map", "reversed", "zip", "aiter"})
TABLE_LIBRARIES = frozenset({"numpy", "pandas", "polars", "pyarrow", "scipy"})
LAMBDA = "(lambda)"
"""Stands for the name of an argument that is a lambda; its value is what it returns."""
INTO = ("out", "where")


class Called(NamedTuple):
    """A call with the values of its parts."""

    node: ast.Call
    base: Value | None
    """What the method belongs to; None for a plain function."""
    method: str
    function: Value
    arguments: list[tuple[str, Value]]
    inside: bool
    """Whether it stands in a function, a class or a comprehension."""

    @property
    def values(self) -> list[Value]:
        return [value for _, value in self.arguments]

    @property
    def result(self) -> Value:
        """Something made of the arguments."""
        return Value(roots=frozenset().union(*(value.everything for value in self.values)))


class Evaluator(Protocol):
    notes: Notes

    def use(self, value: Value) -> None: ...


def call(to: Evaluator, called: Called) -> Value:
    """Note what a call may change, and give its result."""
    if called.method in libraries.ENTERS:
        to.notes.interpreter()
    if called.function.kind is Kind.LIBRARY and called.function.origin:
        return _of_library(to, called)
    if called.base is None:
        return _of_unknown(to, called, called.function)
    match called.base.kind:
        case Kind.CONSTANT:
            return _of_constant(to, called)
        case Kind.TABLE | Kind.DATA | Kind.BOX:
            return _of_data(to, called, called.base)
        case Kind.ESTIMATOR:
            return _of_estimator(to, called, called.base)
        case _:
            return _of_unknown(to, called, called.base)


def _of_unknown(to: Evaluator, called: Called, function: Value) -> Value:
    """It may change all that it is given, and keep it, which a method of an open file does not."""
    if function.origin == HANDLE:
        _go_through(to, called)
        for value in (function, *(called.values if called.method.startswith("readinto") else ())):
            to.notes.mutate(value)
        return Value(roots=function.everything)
    if root(function.origin) == WEAK:
        to.notes.miss(called.values)
    if libraries.SAVES.match(called.method):
        to.notes.write_files()
    parts = [part for part in (function, *called.values) if part.everything]
    for part in parts:
        if part is not function or function.origin != PLAIN_FUNCTION:
            to.notes.mutate(part)
    for part in parts:
        for other in parts:
            if other is not part:
                to.notes.store(part, other, anywhere=True)
    return Value(roots=frozenset().union(*(part.everything for part in parts)))


def _go_through(to: Evaluator, called: Called, base: Value | None = None) -> None:
    """The arguments are read: what is not plain data may be changed, and a function among them may change the rest."""
    values = called.values + ([] if base is None else [base])
    for value in called.values:
        to.use(value)
    calling = [value for value in called.values if _may_call(value)]
    for value in values if calling else ():
        to.notes.mutate(value)
        for function in calling:
            if function is not value:
                to.notes.store(function, value, anywhere=True)
    for name, value in called.arguments:
        if name in INTO:
            to.notes.mutate(value)
    for value in _written_to(called, base):
        to.notes.mutate(value)


def _written_to(called: Called, base: Value | None) -> list[Value]:
    """The arguments of a function of numpy, or of an array's method, that stand where `out` may stand too."""
    if called.function.origin == "copy.deepcopy":
        return called.values[1:]
    of_array = base is not None and base.kind is Kind.TABLE
    if not of_array and root(called.function.origin) != "numpy":
        return []
    if any(isinstance(part, ast.Starred) for part in called.node.args) or _is_open(called.node):
        return called.values
    place = libraries.place_of_out(called.method if of_array else last(called.function.origin))
    return [] if place is None else called.values[place - of_array : len(called.node.args)]


def _may_call(value: Value) -> bool:
    if value.kind is Kind.LIBRARY:
        return not libraries.is_known(value.origin)
    return value.kind is Kind.ACTIVE and bool(value.everything) and value.origin != HANDLE


def _of_library(to: Evaluator, called: Called) -> Value:
    """A function of a library; a file that it opens to be written to stands for what all cells write."""
    if not _opens_to_write(called):
        return _result(to, called)
    to.notes.write_files()
    found = _result(to, called)
    if last(called.function.origin) in libraries.MAPS or _maps(called.node):
        return found._replace(roots=found.roots | {FILES})
    return Value(roots=found.roots, held=found.held | {FILES}, origin=HANDLE if found.origin == HANDLE else "")


def _result(to: Evaluator, called: Called) -> Value:
    origin = called.function.origin
    name = last(origin)
    if libraries.FRAMES.match(origin) or (root(origin) == "builtins" and _hides(called, name)):
        to.notes.unknown[name if root(origin) == "builtins" else origin] = None
        return Value(roots=frozenset({ANYTHING}))
    if libraries.changes_interpreter(origin):
        to.notes.interpreter()
    if libraries.gives_state(origin):
        return Value(roots=frozenset({INTERPRETER}))
    _files(to, called, name)
    if root(origin) == "builtins":
        return _of_builtins(to, called, name)
    if root(origin) in libraries.KEEPS_STATE:
        return _of_state(to, called, origin)
    if (
        root(origin) not in libraries.PURE
        or name in libraries.CHANGES_ARGUMENTS
        or _works_in_place(called.node, origin)
    ):
        return _of_unknown(to, called, called.function)
    _go_through(to, called)
    return _result_of_library(called, root(origin))


def _of_state(to: Evaluator, called: Called, origin: str) -> Value:
    """A function of a library that has a state of its own."""
    _go_through(to, called)
    state = Value(Kind.LIBRARY, called.function.roots, origin="logging.Logger")
    to.notes.mutate(state)
    if root(origin) == "logging":
        to.notes.active.update(dict.fromkeys(state.roots))  # it calls what has been added to loggers
        for value in called.values if last(origin) in libraries.KEPT_BY_LOGGING else ():
            to.notes.store(state, value, anywhere=True)
        if last(origin) == "getLogger":
            return state
    drawn = state.roots if origin.startswith(("matplotlib.pyplot.", "seaborn.")) else NONE
    return Value(roots=called.result.roots | drawn)


def _hides(called: Called, name: str) -> bool:
    if name == "vars":
        return not called.values and not called.inside
    return name in libraries.HIDES and not (name == "locals" and called.inside)


def _result_of_library(called: Called, library: str) -> Value:
    worst = max((value.kind for value in called.values), default=Kind.CONSTANT)
    if library in TABLE_LIBRARIES and worst <= Kind.DATA and "random" not in called.function.origin:
        return called.result._replace(kind=Kind.TABLE)
    if library == "sklearn" and worst <= Kind.ESTIMATOR:
        return called.result._replace(kind=Kind.ESTIMATOR)
    if library in {"math", "pathlib"} or called.function.origin.endswith(".dumps"):
        return CONSTANT
    return called.result


def _of_builtins(to: Evaluator, called: Called, name: str) -> Value:
    if name in {"setattr", "delattr", "next"} and called.values:
        return _changing(to, called, name)
    if name == "property" or (name == "type" and len(called.node.args) > 1):
        to.notes.pending.append(FunctionEffects(looked=True, ends=name == "type"))
    led = _of_one(called, name)
    if led is not None:
        return led
    if name in libraries.DESCRIBES:
        for value in (value for parameter, value in called.arguments if parameter == "file"):
            to.use(value)
        return CONSTANT
    if name not in libraries.CONSUMES and name != "open":
        return _of_unknown(to, called, called.function)
    _go_through(to, called)
    if name in libraries.GIVES_A_CONSTANT:
        return CONSTANT
    return Value(origin=HANDLE) if name == "open" else _gathered(called, name)


def _changing(to: Evaluator, called: Called, name: str) -> Value:
    """`setattr`, `delattr` and `next` change what they are given first."""
    into, *others = called.values
    if into.kind is Kind.LIBRARY:
        to.notes.interpreter()
    to.notes.mutate(into)
    if name == "setattr":
        to.notes.set_attribute(into, _text(called.node.args[1:2]))
    for value in others:
        to.notes.store(into, value, anywhere=True)
    return either(called.values).element() if name == "next" else CONSTANT


def _of_one(called: Called, name: str) -> Value | None:
    """What leads from an object to its class, or from a module to what it holds; None for other functions."""
    asked = (name, len(called.node.args))
    if asked == ("type", 1) and called.values[0].kind is Kind.ACTIVE:
        return called.values[0]._replace(direct=False)
    if asked in {("vars", 1), ("getattr", 2)} and called.values[0].kind is Kind.LIBRARY:
        return _of_module(called, name)
    return None


def _text(nodes: list[ast.expr]) -> str | None:
    """The text that an argument is, where the source shows it."""
    match nodes:
        case [ast.Constant(value=str(text))]:
            return text
        case _:
            return None


def _of_module(called: Called, name: str) -> Value:
    """What a module or a class of a library holds; under a name that is computed it may be any module's."""
    module = called.values[0]
    match called.node.args[1] if name == "getattr" else ast.Constant("__dict__"):
        case ast.Constant(value=str(attribute)):
            origin = f"{module.origin}.{attribute}"
        case _:
            origin = libraries.ALL_MODULES
    return module._replace(origin=origin, direct=False)


def _gathered(called: Called, name: str) -> Value:
    """One of the arguments' items, or a new container of them."""
    if name in {"max", "min", "sum", "getattr"}:
        parts = [value.element() if value.kind is not Kind.CONSTANT else value for value in called.values]
        return either(parts)._replace(direct=False) if parts else CONSTANT
    kind = max((value.kind for value in called.values), default=Kind.DATA)
    kind = Kind.DATA if kind in (Kind.CONSTANT, Kind.TABLE) else min(kind, Kind.BOX)
    held = frozenset[str]().union(*(value.everything for value in called.values))
    return Value(kind, roots=held, lazy=True) if name in LAZY else Value(kind, held=held)


def _files(to: Evaluator, called: Called, name: str) -> None:
    """What a call reads from disk and writes to it, by its name."""
    if name in libraries.OPENS and not _opens_to_write(called):
        to.notes.read_files()
    elif libraries.WRITES_FILES.match(name) or name == "to_file":
        to.notes.write_files()
    elif libraries.READS_FILES.match(name):
        to.notes.read_files()


def _opens_to_write(called: Called) -> bool:
    """Whether a file is opened to be written to, as far as the mode is a plain text."""
    origin = called.function.origin or called.method
    if libraries.OPENS_TO_WRITE.search(origin) or _maps(called.node):
        return not (last(origin) == "connect" and _is_in_memory(called.node))
    if last(origin) not in libraries.OPENS:
        return False
    place = 0 if called.base is not None and called.base.kind is Kind.CONSTANT else 1
    given = [*called.node.args[place : place + 1], *(k.value for k in called.node.keywords if k.arg == "mode")]
    modes = [node.value if isinstance(node, ast.Constant) else "w" for node in given]
    return any(not isinstance(mode, str) or set(mode) & set("wax+") for mode in modes)


def _maps(node: ast.Call) -> bool:
    """Whether an array is asked for that is a file itself."""
    return any(
        k.arg == "mmap_mode" and not (isinstance(k.value, ast.Constant) and k.value.value is None)
        for k in node.keywords
    )


def _is_in_memory(node: ast.Call) -> bool:
    """Whether a database is opened that is no file."""
    given = [*node.args, *(keyword.value for keyword in node.keywords)]
    return not given or (isinstance(given[0], ast.Constant) and given[0].value == ":memory:")


def _of_constant(to: Evaluator, called: Called) -> Value:
    """A method of a text, a number or a path."""
    _go_through(to, called)
    if called.method in libraries.ON_PATHS or called.method.startswith("read_"):
        if called.method == "replace" and len(called.node.args) > 1:
            return CONSTANT
        _files(to, called, called.method)
        written = frozenset({FILES}) if called.method == "open" and _opens_to_write(called) else NONE
        return CONSTANT if called.method != "open" else Value(held=written, origin=HANDLE)
    if called.method in {"exists", "is_file", "is_dir", "stat", "iterdir", "glob", "rglob", "walk"}:
        to.notes.read_files()
        return Value(Kind.DATA, lazy=True)
    return CONSTANT


def _of_data(to: Evaluator, called: Called, base: Value) -> Value:
    """A method of a container, a frame or an array."""
    _go_through(to, called, base)
    if called.method.startswith(("to_", "sink_", "write_", "tofile", "save")):
        _files(to, called, called.method)
    if called.method in libraries.RENAMES_INDEX and base.kind is Kind.TABLE and _in_place(called.node):
        to.notes.rename_index(base)
    if called.method in libraries.CHANGES_ITSELF or _in_place(called.node) or _may_work_in_place(called, base):
        to.notes.change(base)
        for value in called.values:
            to.notes.store(base, value)
        return base.element()
    if base.kind is Kind.TABLE and (called.method in libraries.DRAWS or _is_of_plot(called.node)):
        figures = Value(roots=frozenset({libraries.state_of("matplotlib")}))
        to.notes.mutate(figures)
        return Value(roots=base.everything | called.result.roots | figures.roots)
    if base.kind is Kind.BOX:
        boxed = called.method in {"items", "keys", "values", "copy"}
        return Value(Kind.BOX if boxed else Kind.ACTIVE, base.everything)
    if base.kind is Kind.TABLE and called.method in libraries.GIVES_A_NEW_ONE:
        return Value(Kind.TABLE, _returned(called))
    return Value(base.kind, base.everything | called.result.roots)


def _may_work_in_place(called: Called, base: Value) -> bool:
    """Whether a method of a frame may be asked to change it by a parameter whose name does not stand in the source."""
    draws = called.method in libraries.DRAWS or _is_of_plot(called.node)
    return base.kind is Kind.TABLE and _is_open(called.node) and not draws


def _is_of_plot(node: ast.Call) -> bool:
    """Whether a method is one of a frame's `plot`: `frame.plot.scatter(…)`."""
    return (
        isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Attribute)
        and (node.func.value.attr == "plot")
    )


def _returned(called: Called) -> frozenset[str]:
    """What functions among the arguments may return."""
    values = [value for name, value in called.arguments if name == LAMBDA or _may_call(value)]
    return frozenset().union(*(value.everything for value in values))


def _in_place(node: ast.Call) -> bool:
    """Whether a method is asked to change its object; `inplace=False` is the same as to leave it away."""
    return any(
        keyword.arg == "inplace" and not (isinstance(keyword.value, ast.Constant) and keyword.value.value is False)
        for keyword in node.keywords
    )


def _is_open(node: ast.Call) -> bool:
    """Whether the names of some parameters do not stand in the source: `f(**given)`."""
    return any(keyword.arg is None for keyword in node.keywords)


def _works_in_place(node: ast.Call, origin: str = "") -> bool:
    """Whether a call may have a parameter that tells it to work in its arguments; a value that is computed may."""
    given = [(keyword.arg or "", keyword.value) for keyword in node.keywords]
    if origin and any(not isinstance(part, ast.Constant) or type(part.value) is bool for part in node.args[1:]):
        given += zip(libraries.parameters(origin), node.args, strict=False)
    for name, part in given:
        values = [part.value] if isinstance(part, ast.Constant) else [True, False]
        if any(libraries.works_in_place(name, value) for value in values):
            return True
    return False


def _of_estimator(to: Evaluator, called: Called, base: Value) -> Value:
    """A method of an estimator of scikit-learn: it leaves its tables alone, unless it is told to work in them."""
    _go_through(to, called)
    unsaid = any(isinstance(part, ast.Constant) and part.value is False for part in called.node.args)  # as `copy` is
    for value in called.values if unsaid or _works_in_place(called.node) else ():
        to.notes.mutate(value)
    if libraries.is_pure_of_estimators(called.method):
        if called.method.startswith(("predict", "score", "decision_function")):
            return Value(Kind.TABLE)
        return Value(base.kind, base.everything | called.result.roots)
    to.notes.change(base)
    for value in called.values:
        to.notes.store(base, value)
    if called.method.endswith("_transform"):
        return Value(Kind.TABLE, called.result.roots)
    return base if called.method == "fit" else Value(base.kind, base.everything | called.result.roots)
