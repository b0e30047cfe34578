"""The content of any value as a digest: by exact type, and into objects without running any code of theirs."""

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import xxhash

from cellops.capture.content.fingerprint import digest_of, is_table_of_a_library, size_in_bytes
from cellops.capture.content.tokens import UnhashableError, join, token
from cellops.capture.names.kinds import CONSTANTS, CONTAINERS, FUNCTIONS, Kind, describe
from cellops.capture.randomness import rng
from cellops.capture.values.allowance import Allowance
from cellops.capture.values.objects import attributes, items_of

DEEPEST = 30
STATELESS = ("sklearn._loss.", "sklearn.linear_model._sgd_fast")
"""Compiled losses: the parameters of the estimator that holds one say what it is."""
TIMING = re.compile(r"(?:^|_)time(?:s|r)?(?:_|$)")
"""Attributes of estimators, and keys of `cv_results_`, that say how long something took: they differ each time."""
BYTES_OF_A_GENERATOR = 40_000
"""As many bytes are hashed while the state of a generator is read."""
T = TypeVar("T")


class Reader:
    """Reads one value after another, as far as the allowance goes.

    Attributes
    ----------
    skipped
        Paths of what could not be read inside of the objects read so far, with the reason.
    """

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._inside: list[int] = []
        self.skipped: dict[str, str] = {}

    def digest(self, value: Any, path: str = "") -> bytes:
        """The digest of a value; attributes of objects that cannot be read are noted in `skipped` and left out.

        Raises
        ------
        UnhashableError
            When nothing of it can be read.
        SpentError
            When it is more than the allowance has left.
        """
        self._allowance.visit()
        kind = type(value)
        if kind in CONSTANTS:
            return token(value)
        if kind in CONTAINERS and kind is not bytearray:
            return self._within(value, lambda: self._container(value, path))
        if is_table_of_a_library(value):
            self._allowance.read(size_in_bytes(value))
            return digest_of(value)
        if issubclass(kind, FUNCTIONS) or kind.__module__.startswith(STATELESS):
            return _by_name(value)
        return self._other(value, path)

    def _other(self, value: Any, path: str) -> bytes:
        if type(value) in rng.kinds():
            self._allowance.read(BYTES_OF_A_GENERATOR)
            return b"generator:" + rng.as_text(rng.read(value) or ()).encode()
        try:
            return token(value)
        except UnhashableError:
            return self._within(value, lambda: self._object(value, path))

    def parts(self, value: Any) -> dict[str, bytes] | None:
        """The digests of the attributes of an object, by name; None for what is no object with attributes.

        Raises
        ------
        SpentError
            As `digest` does.
        """
        plain = type(value) in CONTAINERS or is_table_of_a_library(value) or type(value) in rng.kinds()
        if plain or issubclass(type(value), FUNCTIONS) or describe(value).kind is Kind.CONSTANT:
            return None
        held = attributes(value)
        if held is None or items_of(value) is not None:
            return None
        return dict(self._within(value, lambda: list(self._parts(value, held, ""))))

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

    def _container(self, value: Any, path: str) -> bytes:
        kind = type(value)
        name = kind.__name__.encode()
        self._allowance.visit(len(value) // 8)
        if kind in {list, tuple} and len(value) and {int, float, bool}.issuperset(map(type, value)):
            return name + digest_of(list(value))
        if kind is dict:
            timed = path.endswith("cv_results_")
            kept = [
                (key, held) for key, held in value.items() if not (timed and type(key) is str and TIMING.search(key))
            ]
            parts = [
                join([self.digest(key, path), self.digest(held, f"{path}[{key!r:.40}]")])
                for key, held in kept
                if type(key) in {str, int, float, bool, tuple, type(None), bytes} or self._refuse(key)
            ]
        else:
            parts = [self.digest(held, f"{path}[{place}]") for place, held in enumerate(value)]
        if kind in {set, frozenset}:
            parts.sort()
        return name + b"[" + join(parts) + b"]"

    @staticmethod
    def _refuse(key: object) -> bool:
        fact = f"keys of {name_of(key)} cannot be read safely"
        raise UnhashableError(fact)

    def _object(self, value: Any, path: str) -> bytes:
        held = attributes(value)
        if held is None:
            fact = f"values of {name_of(value)} have no content that can be read"
            raise UnhashableError(fact)
        parts = [join([name.encode(), digest]) for name, digest in self._parts(value, held, path)]
        items = items_of(value)
        return join([name_of(value).encode(), *parts, *([] if items is None else [self.digest(items, path)])])

    def _parts(self, value: Any, held: dict[str, Any], path: str) -> Iterator[tuple[str, bytes]]:
        timed = name_of(value).startswith("sklearn.")
        for name in sorted(held):
            if timed and TIMING.search(name):
                continue
            place = f"{path}.{name}" if path else name
            try:
                yield name, self.digest(held[name], place)
            except UnhashableError as error:
                self.skipped[place] = str(error)


def _by_name(value: Any) -> bytes:
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
    module, name = type.__getattribute__(kind, "__module__"), type.__getattribute__(kind, "__qualname__")
    return f"{module}.{name}" if type(module) is str and type(name) is str else "unknown"


def hexadecimal(content: bytes) -> str:
    """A content of any length as 32 digits."""
    return xxhash.xxh3_128_hexdigest(content)
