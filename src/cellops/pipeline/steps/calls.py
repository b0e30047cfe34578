"""What calls in a step do beside the names: files, generators that all cells draw from, the kernel itself."""

import ast
import builtins
import re
from collections.abc import Callable, Mapping
from posixpath import normpath

from cellops.capture.dataflow.shell_calls import LOADS, shell_call
from cellops.capture.names import libraries
from cellops.capture.names.effects import HARMLESS
from cellops.capture.names.kinds import Kind
from cellops.capture.names.sharing import Value, either
from cellops.pipeline.steps.definitions import CACHES
from cellops.pipeline.steps.functions import Functions
from cellops.pipeline.steps.known import ANY_FILE, Known
from cellops.records.effects import INTERPRETER

OF_THE_DISK = re.compile(
    r"^(?:os|shutil|subprocess|pathlib|tempfile)\..*\b(?:chdir|fchdir|system|popen|Popen|run|call|check_call"
    r"|check_output|makedirs|mkdir|mkdtemp|remove|removedirs|rename|renames|replace|rmdir|unlink|symlink|link|rmtree"
    r"|move|copy|copy2|copyfile|copytree)$"
)
MAKES_A_FOLDER = re.compile(r"\.(?:makedirs|mkdir)$")
OTHER_PLACES = re.compile(r"sql|execute|connect|query|rename|replace|symlink|hardlink|system|getoutput|magic")
"""Functions whose first argument is not all that they touch."""
GLOBAL_GENERATOR = re.compile(r"^(?:random\.[a-z]\w*|numpy\.random\.(?!default_rng$|bit_generator)[a-z]\w*)$")
LIKE_SKLEARN = re.compile(r"^(?:lightgbm|xgboost|catboost)\.(?:\w+\.)*[A-Z]\w*(?:Classifier|Regressor|Ranker)$")
BINDS_UNSEEN = frozenset({"load", "pylab", "reset", "reset_selective", "run", "store"})
"""Magics that bind names, or take them away, in a way that the source does not show."""
OF_THE_KERNEL = frozenset(
    {"autoreload", "alias", "cd", "config", "colors", "env", "load_ext", "matplotlib", "popd", "pushd", "pylab"}
    | {"reload_ext", "set_env", "unload_ext", "xmode"}
)
"""Magics that change the kernel itself, and not only files."""
SETS_UP_LOGGING = frozenset({"addFilter", "addHandler", "removeFilter", "removeHandler", "setLevel"})
GENERATORS = frozenset({"numpy.random.default_rng", "numpy.random.Generator", "numpy.random.RandomState"})
GENERATOR = "numpy.random.Generator"
"""Stands for the origin of a generator under a name of the notebook."""
DRAWS = frozenset(
    {"beta", "binomial", "chisquare", "choice", "exponential", "gamma", "geometric", "integers", "laplace", "logistic"}
    | {"lognormal", "multivariate_normal", "normal", "pareto", "permutation", "poisson", "rand", "randint", "randn"}
    | {"random", "random_sample", "standard_normal", "standard_t", "triangular", "uniform", "weibull"}
)
"""Methods of generators that give numbers, or items of a table, and leave what they are given as it is."""
SEEDS = frozenset({"random.seed", "random.setstate", "numpy.random.seed", "numpy.random.set_state"})


class Calls(Functions):
    """Reads calls of libraries and magics."""

    def __init__(
        self, known: Known, shares: Mapping[str, int], *, in_step: bool, sets_up: Callable[[str], bool]
    ) -> None:
        super().__init__(known, shares)
        self.sets_up = sets_up
        """Whether a function of the project's modules changes what a whole kernel shares."""
        self.in_step = in_step
        """Whether this is no shared cell, so that what it does to the kernel is done for nobody else."""
        self.where = (0, 0)
        """The cell and the line of the statement that is being read."""
        self.draws: tuple[int, int] | None = None
        """Where it draws from a global generator that it has not seeded."""
        self.seeded: set[str] = set()
        """Libraries whose global generator it has seeded."""

    def special(self, node: ast.Call) -> Value | None:
        changed = INTERPRETER in self.notes.changes
        found = super().special(node)
        if found is not None:
            name, called = _magic(node), shell_call(node)
            if called is not None and called.changes_the_interpreter:
                self.notes.write_files()
                self._leave_interpreter(changed or name in OF_THE_KERNEL)
            if name in LOADS:
                self.notes.interpreter()
            if name in BINDS_UNSEEN:
                self.notes.unknown[f"%{name}"] = None
            return found
        match node.func:
            case ast.Name(id=name) if name in self.bodies and not self._is_local(name):
                return self._call_body(name, node)
            case _:
                return None

    def _leave_interpreter(self, changed: bool) -> None:
        """Programs and files are no state of the kernel: those who need them wait for each other."""
        if self.in_step and not changed:
            self.notes.changes.pop(INTERPRETER, None)

    def _call(self, node: ast.Call) -> Value:
        """A function of the notebook among the arguments is taken to be called with (parts of) the others."""
        origin, outer = self._origin(node.func), self.notes.path
        if LIKE_SKLEARN.match(origin):
            return self._estimator(node)
        if self._is_draw(node):
            return self._drawn(node)
        self.notes.path = _path(node)
        self._note_library(origin)
        if _changes_a_module(origin) or (isinstance(node.func, ast.Attribute) and node.func.attr in SETS_UP_LOGGING):
            self.notes.interpreter()
        if self.sets_up(origin):
            self.notes.interpreter()
        changed = INTERPRETER in self.notes.changes or not OF_THE_DISK.match(origin) or origin.endswith("chdir")
        found = self._with_functions(node, super()._call(node))
        match node.func:
            case ast.Attribute(value=ast.Name(id=name), attr="register") if self._is_function(name):
                self.notes.attributed.add(name)
            case _:
                pass
        if isinstance(node.func, ast.Name) and self._is_cached(node.func.id):
            kept = f"(cache {node.func.id})"
            self.notes.needs[kept] = None
            found = found._replace(roots=found.roots | {kept}, direct=False)
        if origin in GENERATORS:
            found = Value(Kind.ACTIVE, found.roots, origin=GENERATOR)
        self._leave_interpreter(changed)
        self.notes.path = outer
        return found

    def _is_cached(self, name: str) -> bool:
        """Whether a function of the notebook gives the same object again."""
        nodes = self.defined[name].nodes if self._is_function(name) else ()
        decorators = [decorator for _, node in nodes for decorator in getattr(node, "decorator_list", ())]
        functions = [one.func if isinstance(one, ast.Call) else one for one in decorators]
        return any(self._origin(function) in CACHES for function in functions)

    def _is_draw(self, node: ast.Call) -> bool:
        match node.func:
            case ast.Attribute(value=ast.Name(id=name), attr=method) if method in DRAWS and not self._is_local(name):
                return self.kind_of(name).origin == GENERATOR
            case _:
                return False

    def _drawn(self, node: ast.Call) -> Value:
        """What a generator of numpy gives: drawing moves it on, and changes nothing else."""
        values = [self.value(part) for part in (*node.args, *(keyword.value for keyword in node.keywords))]
        if isinstance(node.func, ast.Attribute):
            self.notes.mutate(self.value(node.func.value))
        given = either(values)
        return Value(max(given.kind, Kind.TABLE), given.everything)

    def _estimator(self, node: ast.Call) -> Value:
        """An estimator of a library that keeps to the ways of scikit-learn."""
        self.value(node.func)
        values = [self.value(part) for part in (*node.args, *(keyword.value for keyword in node.keywords))]
        given = either(values)
        plain = all(value.kind <= Kind.DATA for value in values)
        return Value(Kind.ESTIMATOR if plain else Kind.ACTIVE, given.everything)

    def _note_library(self, origin: str) -> None:
        """What is kept by the disk, or by the generators that all cells draw from."""
        if OF_THE_DISK.match(origin):
            self.notes.path = self.notes.path if MAKES_A_FOLDER.search(origin) else ANY_FILE
            self.notes.write_files()
        library = libraries.root(origin)
        if origin in SEEDS:
            self.seeded.add(library)
        elif GLOBAL_GENERATOR.match(origin) and library not in self.seeded and self.draws is None:
            self.draws = self.where

    def _origin(self, node: ast.expr) -> str:
        """The full name of what a library brings; empty for anything else."""
        match node:
            case ast.Attribute(value=base, attr=attribute):
                origin = self._origin(base)
                return f"{origin}.{attribute}" if origin else ""
            case ast.Name(id=name) if not self._is_local(name):
                if name not in self.bound and self.before(name) is None:
                    return f"builtins.{name}" if hasattr(builtins, name) else ""
                found = self.kind_of(name)
                return found.origin if found.kind is Kind.LIBRARY else ""
            case _:
                return ""


def _path(node: ast.Call) -> str:
    """The file that a call names in plain text: `to_csv("a.csv")`, `Path("a.txt").write_text(text)`."""
    function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    base = node.func.value if isinstance(node.func, ast.Attribute) else None
    if OTHER_PLACES.search(function):
        return ANY_FILE
    for part in (*(base.args[:1] if isinstance(base, ast.Call) else ()), *node.args[:1]):
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and not set("*?[~:") & set(part.value):
            return normpath(part.value)
    return ANY_FILE


def _changes_a_module(origin: str) -> bool:
    """Whether a method changes an object that a module keeps: `settings.known.append(1)`."""
    known = libraries.root(origin) in HARMLESS
    return not known and origin.count(".") > 1 and libraries.last(origin) in libraries.CHANGES_ITSELF


def _magic(node: ast.Call) -> str:
    match node:
        case ast.Call(
            func=ast.Attribute(attr="run_line_magic" | "run_cell_magic"), args=[ast.Constant(value=str(name)), *_]
        ):
            return name
        case _:
            return ""
