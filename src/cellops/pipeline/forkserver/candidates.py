"""Which of the modules that a notebook imports may be imported before its kernels are forked."""

import ast
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.pipeline.steps.python import parse

if TYPE_CHECKING:
    from nbformat import NotebookNode

SAFE = frozenset({"joblib", "numpy", "pandas", "scipy", "sklearn"})
"""Libraries that are known to work in a forked process when nothing but their import has happened before."""
HARMLESS = frozenset(
    {
        *("IPython", "cellops", "duckdb", "ipywidgets", "lightgbm", "matplotlib", "mlflow", "plotly", "polars"),
        *("pyarrow", "seaborn", "tqdm", "xgboost"),
    }
)
"""Others whose import changes nothing for the safe ones: no variable of the environment, no place of modules."""
OF_RUNS = (
    "cellops.capture.content.arrays",
    "cellops.data.splits.leaks",
    "cellops.data.splits.table",
    "cellops.packaging.contract",
    "threadpoolctl",
)
"""What a kernel imports when a run ends. It needs numpy, for which a notebook may set something before its import."""
MAGICS = frozenset({("load_ext", "cellops"), ("matplotlib", "inline")})
FILTERS = frozenset({"filterwarnings", "simplefilter"})


def candidates(notebook: "NotebookNode") -> tuple[str, ...]:
    """The modules of safe libraries that the cells of a notebook import, in their order.

    None behind the first statement that could change what an import does, as by a variable of the environment that
    sets the number of threads: what is not known to change nothing.
    """
    return tuple(dict.fromkeys(_of_cells(cell.source for cell in notebook.cells if cell.cell_type == "code")))


def modules_ahead(notebook: "NotebookNode") -> tuple[str, ...]:
    """What kernels import for their cells, and for the run that each of them opens where that brings nothing new."""
    return _with_those_of_runs(candidates(notebook))


def modules_of_file(notebook: Path) -> tuple[str, ...]:
    """The same for a notebook that nobody has read yet; none where it is not as plain as most are."""
    try:
        cells = json.loads(notebook.read_bytes())["cells"]
        sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (OSError, ValueError, TypeError, KeyError):
        return ()
    return _with_those_of_runs(tuple(dict.fromkeys(_of_cells(sources))))


def _with_those_of_runs(modules: tuple[str, ...]) -> tuple[str, ...]:
    return (*modules, *OF_RUNS) if any(_root(name) == "numpy" for name in modules) else modules


def _of_cells(sources: Iterable[str]) -> Iterator[str]:
    for source in sources:
        try:
            tree = parse(source)
        except SyntaxError:
            return
        for node in tree.body:
            names = _imported(node)
            if not (all(map(_is_harmless, names)) if names else _changes_nothing(node)):
                return
            yield from (name for name in names if _root(name) in SAFE)


def _imported(node: ast.stmt) -> list[str]:
    """The modules of an import; an empty name stands for those of the project."""
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=module, level=level):
            return [module if module and not level else ""]
        case _:
            return []


def _is_harmless(name: str) -> bool:
    return _root(name) in SAFE | HARMLESS | sys.stdlib_module_names


def _root(name: str) -> str:
    return name.partition(".")[0]


def _changes_nothing(node: ast.stmt) -> bool:
    """Whether a statement only binds names, to what it says itself, or is one of those that are known."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            defaults = [*node.args.defaults, *filter(None, node.args.kw_defaults)]
            return not node.decorator_list and all(map(_is_plain, defaults))
        case ast.Assign(targets=targets, value=value):
            return all(isinstance(target, ast.Name) for target in targets) and _is_plain(value)
        case ast.AnnAssign(target=ast.Name(), value=value):
            return value is None or _is_plain(value)
        case ast.Expr(value=ast.Call() as call):
            return _is_known(call)
        case _:
            return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and _is_plain(node.value))


def _is_plain(value: ast.expr) -> bool:
    kinds = (ast.Constant, ast.Name, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.UnaryOp, ast.expr_context, ast.unaryop)
    return all(isinstance(inner, kinds) for inner in ast.walk(value))


def _is_known(call: ast.Call) -> bool:
    """A magic that changes no import, or warnings that are to be ignored."""
    match call:
        case ast.Call(func=ast.Attribute(attr="run_line_magic"), args=[ast.Constant(name), ast.Constant(line)]):
            return (name, line) in MAGICS
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id="warnings"), attr=method), args=[ast.Constant("ignore"), *_]
        ):
            return method in FILTERS and all(map(_is_plain, call.args))
        case _:
            return False
