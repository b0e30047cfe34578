"""The source of features as functions that can be called, in a namespace of their own."""

import hashlib
import linecache
from functools import lru_cache

from cellops.data.features.function import Function, read_function


def digest_of(source: str) -> str:
    """The SHA-256 of a source."""
    return hashlib.sha256(source.encode()).hexdigest()


@lru_cache(maxsize=64)
def compiled(name: str, source: str, features: tuple[str, ...]) -> tuple[Function, ...]:
    """Execute the source of features and give their functions; the same source is executed once.

    Raises
    ------
    Exception
        What the source raises.
    """
    file = f"<features {name} {digest_of(source)[:8]}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)  # for tracebacks
    names: dict[str, object] = {"__name__": f"cellops_features_{name}"}
    exec(compile(source, file, "exec"), names)  # noqa: S102 - the code of the user, or one that the operator allows
    return tuple(read_function(one, names[one], source) for one in features)  # type: ignore[arg-type]
