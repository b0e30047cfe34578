"""What a cell's source says of seeds: which generators it seeds, and which it makes with or without one."""

import ast
import random
import sys
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

from cellops.capture.dataflow import scopes
from cellops.capture.dataflow.analysis import Dataflow
from cellops.capture.names.types import name_of
from cellops.capture.randomness.rng import kinds

Namespace = Mapping[str, Any]
MAKERS = (
    "default_rng",
    "RandomState",
    "Random",
    "Generator",
    "SeedSequence",
    "MT19937",
    "PCG64",
    "PCG64DXSM",
    "Philox",
)
OF_NUMPY = ("default_rng", "RandomState")
"""What of `numpy.random` seeds itself from the system where it is given nothing."""
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
KNOWN = {"module", "function", "method", "builtin_function_or_method", "cython_function_or_method"}
"""The types of what a name of a library stands for, that compare without other code; numpy's functions are cython's."""
SEEDERS = ("seed", "manual_seed", "setstate", "set_state")
"""Methods of generators that leave nothing of the state before."""


def seeded_by(flow: Dataflow, namespace: Namespace, changed: frozenset[str]) -> frozenset[str]:
    """The shared generators that a cell seeds, and the names of others that it seeds by a method.

    Parameters
    ----------
    changed
        The shared generators whose state the cell has changed: what a function whose name speaks of seeding seeds.
    """
    found: set[str] = set()
    for call in flow.calls:
        if not _has_seed(call):
            continue
        own = _generator_of(call.func, namespace)
        if own is not None:
            found.update([own] if "seed" in _last_name(call.func) else [])
            continue
        known = _seeds(call, namespace)
        if known:
            found.update(known)
        elif "seed" in _last_name(call.func).lower():
            found.update(changed)
    return frozenset(found)


def seeded_first(flow: Dataflow, namespace: Namespace) -> frozenset[str]:
    """The generators that a cell seeds before it does anything else, but for imports, literals and functions.

    Shared ones by their library, others by their name.
    """
    found: set[str] = set()
    for statement in flow.tree.body:
        match statement:
            case ast.Import() | ast.ImportFrom() | ast.Assign(value=ast.Constant()) | ast.Expr(value=ast.Constant()):
                continue
            case ast.FunctionDef(decorator_list=[]) as function if not scopes.defaults(function.args):
                continue
            case ast.Expr(value=ast.Call() as call) | ast.Assign(targets=[ast.Name()], value=ast.Call() as call) if (
                _has_seed(call) and all(map(_is_plain, _arguments(call)))
            ):
                own = _generator_of(call.func, namespace)
                seeds_it = own is not None and _last_name(call.func) in SEEDERS
                known = ([own] if seeds_it else []) if own is not None else _seeds(call, namespace)
            case _:
                break
        if not known:
            break
        found.update(known)
    return frozenset(found)


def _seeds(call: ast.Call, namespace: Namespace) -> list[str]:
    """The libraries whose shared generators a function seeds that is known."""
    function = _function(call.func, namespace)
    return [name for name, seeders in _seeders().items() if any(function == seeder for seeder in seeders)]


def _is_plain(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant | ast.Name)


def _arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def brings_torch(flow: Dataflow) -> bool:
    """Whether a cell surely imports torch, itself or by a library of its family: `torchvision` and others."""
    for statement in flow.tree.body:
        match statement:
            case ast.Import(names=names) if any(alias.name.startswith("torch") for alias in names):
                return True
            case ast.ImportFrom(module=str() as module, level=0) if module.startswith("torch"):
                return True
    return False


def made_with_seed(flow: Dataflow) -> dict[str, bool]:
    """Names that a cell binds to a new generator, with whether the source gives it a seed."""
    return {name: _gives_seed(value) for name, value in flow.values.items() if _makes(value)}


def made_for_one_use(flow: Dataflow, namespace: Namespace) -> Iterator[str]:
    """Calls that make a generator without a seed and under no name of the notebook, so that nobody sees its state.

    Also those inside of functions that the cell defines.
    """
    inside = [node for of in ast.walk(flow.tree) if isinstance(of, FUNCTIONS) for node in ast.walk(of)]
    named = {id(value) for value in flow.values.values()}.difference(map(id, inside))
    makers = [random.Random, *(getattr(sys.modules.get("numpy.random"), name, None) for name in OF_NUMPY)]
    for node in ast.walk(flow.tree):
        if isinstance(node, ast.Call) and id(node) not in named and not _has_seed(node):
            made_by = _found(node.func, namespace)
            if any(made_by is maker for maker in makers if maker is not None):
                yield ast.unparse(node)


def _seeders() -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {"python": [random.seed, random.setstate]}
    for library, module, names in (
        ("numpy", "numpy.random", ("seed", "set_state")),
        ("torch", "torch", ("manual_seed", "set_rng_state")),
    ):
        loaded = sys.modules.get(module)
        found[library] = [getattr(loaded, name) for name in names if hasattr(loaded, name)]
    return found


def _function(node: ast.expr, namespace: Namespace) -> Any:
    """The function that a name, or an attribute of a module, stands for."""
    found = _found(node, namespace)
    return found if name_of(type(found))[1] in KNOWN else None


def _found(node: ast.expr, namespace: Namespace) -> Any:
    """What a name, or an attribute of a module, stands for; None for all that it would take other code to know."""
    match node:
        case ast.Name(id=name):
            return namespace.get(name)
        case ast.Attribute(value=base, attr=name):
            module = _found(base, namespace)
            return vars(module).get(name) if type(module) is ModuleType else None
        case _:
            return None


def _generator_of(node: ast.expr, namespace: Namespace) -> str | None:
    """The name of the generator whose method a call calls: it seeds no other."""
    match node:
        case ast.Attribute(value=ast.Name(id=name)) if type(namespace.get(name)) in kinds():
            return name
        case _:
            return None


def _last_name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _makes(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and _last_name(value.func) in MAKERS


def _gives_seed(value: ast.expr) -> bool:
    """Whether a call that makes a generator is given a seed, or a source of bits that was."""
    if not _makes(value):
        return not (isinstance(value, ast.Constant) and value.value is None)
    assert isinstance(value, ast.Call)  # noqa: S101 - `_makes` has seen it
    return any(_gives_seed(argument) for argument in _arguments(value))


def _has_seed(call: ast.Call) -> bool:
    return any(not (isinstance(a, ast.Constant) and a.value is None) for a in _arguments(call))
