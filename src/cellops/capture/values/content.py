"""The content of any value as a digest: by exact type, and into objects without running any code of theirs."""

import re
import sys
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import xxhash

from cellops.capture.content.fingerprint import digest_of, is_table_of_a_library
from cellops.capture.content.tokens import UnhashableError, join, token
from cellops.capture.names.kinds import CONSTANTS, CONTAINERS, FUNCTIONS, Kind, describe
from cellops.capture.randomness import rng
from cellops.capture.redaction import redact
from cellops.capture.values.allowance import Allowance
from cellops.capture.values.beside import beside, booster_content, is_booster, spawned
from cellops.capture.values.objects import attributes, check_class, items_of, size_of
from cellops.capture.values.weight import BYTES_OF_A_BIT, check_classes, weigh, weigh_table

DEEPEST = 30
AT_ONCE = 4
"""Items that are told apart, copied or hashed together in the time that one is looked into."""
OF_A_CONTAINER = 2
"""Objects that are looked at in the time that reading an empty container takes."""
STATELESS = ("sklearn._loss.", "sklearn.linear_model._sgd_fast", "sklearn.metrics._dist_metrics")
"""Compiled losses and distances: the parameters of the estimator that holds one say what it is."""
TIMING = re.compile(r"(?:^|_)time(?:s|r)?(?:_|$)")
"""Attributes of estimators, and keys of `cv_results_`, that say how long something took: they differ each time."""
TIMED = {"fit_time", "score_time"}
"""Keys of what `cross_validate` gives."""
MOST_SCORES = 100
READ_OF_A_KEY, LONGEST_KEY, LARGEST_KEY = 1000, 40, 10**15
"""Of a key that is shown: characters in which secrets are looked for, characters that are kept, the largest number."""
BYTES_OF_A_GENERATOR = 40_000
"""As many bytes are hashed while the state of a generator is read."""
T = TypeVar("T")


class Item(NamedTuple):
    """A step into a container."""

    key: Any
    number: int

    def shown(self) -> str:
        kind = type(self.key)
        if kind is str:
            return repr(redact(self.key[:READ_OF_A_KEY]))[:LONGEST_KEY]
        plain = kind in {float, bool, type(None)} or (kind is int and abs(self.key) < LARGEST_KEY)
        return "…" if self.key is ... else repr(self.key) if plain else f"key {self.number}"


Path = tuple[str | Item, ...]
"""Names of attributes and steps into containers."""


class Reader:
    """Reads one value after another, as far as the allowance goes.

    Attributes
    ----------
    skipped
        Paths of what could not be read inside of the objects read so far, with the reason.
    visited
        How many objects have been read.
    """

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._inside: list[int] = []
        self._known: dict[int, tuple[Any, bytes]] = {}
        """Objects that have been read, with their digests: in a web of them many lead to the same."""
        self.skipped: dict[str, str] = {}
        self.visited = 0

    def digest(self, value: Any, path: Path = ()) -> bytes:
        """The digest of a value; attributes of objects that cannot be read are noted in `skipped` and left out.

        Raises
        ------
        UnhashableError
            When nothing of it can be read.
        SpentError
            When it is more than the allowance has left.
        """
        self._allowance.visit()
        self.visited += 1
        kind = type(value)
        check_class(kind)
        if kind in CONSTANTS and kind is not slice:
            weigh(value, self._allowance)
            return token(value)
        if kind in CONTAINERS and kind is not bytearray:
            return self._within(value, lambda: self._container(value, path))
        if is_table_of_a_library(value):
            return self._table(value, path)
        if issubclass(kind, FUNCTIONS) or kind.__module__.startswith(STATELESS) or _is_of_numpy(value):
            return _by_name(value)
        return self._other(value, path)

    def exact(self, value: Any, path: Path) -> bytes:
        """The digest of a key, or of an item of a set: it has no place of its own."""
        return self.digest(value, path)

    def _table(self, value: Any, path: Path) -> bytes:
        if getattr(getattr(value, "dtype", None), "kind", "") == "O" and type(value).__module__ == "numpy":
            self._allowance.visit(value.size // AT_ONCE)
            shape = repr(value.shape).encode()
            return b"array" + shape + self._within(value, lambda: self.digest(value.ravel().tolist(), path))
        weigh_table(value, self._allowance)
        return digest_of(value) + self.beside(value)

    def beside(self, table: Any) -> bytes:
        """The digest of what a table says beside its cells; nothing where it is what most tables say."""
        said = beside(table)
        try:
            return self.digest(said) if said else b""
        except UnhashableError as error:
            self.skipped["attrs"] = str(error)
            return b""

    def _other(self, value: Any, path: Path) -> bytes:
        if type(value) is slice:
            return b"slice" + self.digest((value.start, value.stop, value.step), path)
        if type(value).__module__ == "numpy.dtypes":
            return f"dtype:{value!r}".encode()
        if type(value) in rng.kinds():
            return self._once(value, self._generator)
        if is_booster(value):
            return hexadecimal(booster_content(value, self._allowance)).encode()
        weigh(value, self._allowance)
        try:
            return token(value)
        except UnhashableError:
            return self._once(value, lambda one: self._within(one, lambda: self._object(one, path)))

    def _once(self, value: Any, read: Callable[[Any], bytes]) -> bytes:
        if id(value) not in self._known:
            self._known[id(value)] = value, read(value)
        return self._known[id(value)][1]

    def _generator(self, value: Any) -> bytes:
        self._allowance.read(BYTES_OF_A_GENERATOR)
        return b"generator:%d:" % spawned(value) + rng.as_text(rng.read(value) or ()).encode()

    def parts(self, value: Any) -> dict[str, bytes] | None:
        """The digests of the attributes of an object, by name; None for what is no object with attributes.

        Raises
        ------
        SpentError
            As `digest` does.
        """
        plain = (
            type(value) in CONTAINERS or is_booster(value) or is_table_of_a_library(value) or type(value) in rng.kinds()
        )
        if plain or issubclass(type(value), FUNCTIONS) or describe(value).kind is Kind.CONSTANT:
            return None
        self._allowance.visit(size_of(value) // AT_ONCE)
        held = attributes(value)
        if held is None or items_of(value) is not None:
            return None
        return dict(self._within(value, lambda: list(self._parts(value, held, ()))))

    def _within(self, value: Any, read: Callable[[], T]) -> T:
        """Read what has parts."""
        if len(self._inside) > DEEPEST or id(value) in self._inside:
            fact = f"it is nested more than {DEEPEST} deep, or contains itself"
            raise UnhashableError(fact)
        self._inside.append(id(value))
        try:
            return read()
        finally:
            self._inside.pop()

    def _container(self, value: Any, path: Path) -> bytes:
        kind = type(value)
        name = kind.__name__.encode()
        self._allowance.visit(OF_A_CONTAINER + len(value) // AT_ONCE)
        check_classes(value)
        if kind in {list, tuple} and len(value) and {int, float, bool}.issuperset(map(type, value)):
            self._allowance.read(sum(int.bit_length(item) for item in value if type(item) is int) * BYTES_OF_A_BIT)
            return name + digest_of(list(value))
        if kind is dict:
            timed = path[-1:] == ("cv_results_",) or _is_of_a_validation(value)
            items = [(key, held, (*path, Item(key, place))) for place, (key, held) in enumerate(value.items())]
            kept = [item for item in items if not (timed and self._is_timing(item[0], item[2]))]
            parts = [join([self.exact(key, path), self.digest(held, place)]) for key, held, place in kept]
        elif kind in {set, frozenset}:
            parts = sorted(self.exact(held, (*path, Item(..., place))) for place, held in enumerate(value))
        else:
            parts = [self.digest(held, (*path, Item(place, place))) for place, held in enumerate(value)]
        return xxhash.xxh3_128_digest(name + b"[" + join(parts) + b"]")

    def _is_timing(self, name: object, place: Path) -> bool:
        """Whether something says how long something took; then it is noted, and left out."""
        if type(name) is not str or not _says_timing(name):
            return False
        self.skipped[written(place)] = "it says how long something took"
        return True

    def _object(self, value: Any, path: Path) -> bytes:
        self._allowance.visit(size_of(value) // AT_ONCE)
        held = attributes(value)
        if held is None:
            fact = f"values of {name_of(value)} have no content that can be read"
            raise UnhashableError(fact)
        items = items_of(value)
        parts = [join([name.encode(), digest]) for name, digest in self._parts(value, held, path)]
        inner = [] if items is None else [self.digest(items, path)]
        return xxhash.xxh3_128_digest(join([name_of(value).encode(), *parts, *inner]))

    def _parts(self, value: Any, held: dict[str, Any], path: Path) -> Iterator[tuple[str, bytes]]:
        timed = name_of(value).startswith("sklearn.")
        for name in sorted(held):
            place = (*path, name)
            if timed and self._is_timing(name, place):
                continue
            try:
                yield name, self.digest(held[name], place)
            except UnhashableError as error:
                self.skipped[written(place)] = str(error)


@lru_cache(maxsize=1024)
def _says_timing(name: str) -> bool:
    return TIMING.search(name) is not None


def written(path: Path) -> str:
    """A path as it is shown, without secrets; keys that are no plain values by their numbers: no code of them runs."""
    steps = (f"[{step.shown()}]" if isinstance(step, Item) else f".{redact(step)}" for step in path)
    return "".join(steps).removeprefix(".")


def _is_of_a_validation(value: dict[Any, Any]) -> bool:
    """Whether a dictionary is what `cross_validate` gives."""
    return len(value) < MOST_SCORES and {key for key in value if type(key) is str} > TIMED


def _is_of_numpy(value: Any) -> bool:
    """Whether a value is one of numpy's own functions."""
    numpy = sys.modules.get("numpy")
    named = type(value).__module__ == "numpy" and type(value).__name__ in {"ufunc", "_ArrayFunctionDispatcher"}
    return named and getattr(numpy, value.__name__, None) is value


def _by_name(value: Any) -> bytes:
    if _is_of_numpy(value):
        return f"numpy:{value.__name__}".encode()
    if type(value).__module__.startswith(STATELESS):
        return f"made:{name_of(value)}".encode()
    found = describe(value)
    if found.kind is not Kind.LIBRARY:
        fact = "functions and classes of the notebook are compared by their source"
        raise UnhashableError(fact)
    return b"code:" + found.origin.encode()


def name_of(value: object) -> str:
    """The full name of a value's class, as the class itself keeps it."""
    kind = type(value)
    module, name = (vars(type)[asked].__get__(kind) for asked in ("__module__", "__qualname__"))
    return f"{module}.{name}" if type(module) is str and type(name) is str else "unknown"


def hexadecimal(content: bytes) -> str:
    """A content of any length as 32 digits."""
    return xxhash.xxh3_128_hexdigest(content)
