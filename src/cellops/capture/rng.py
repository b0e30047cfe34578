"""The ledger of random generators: which a cell consumed, and whether they had been seeded."""

import contextlib
import hashlib
import random
import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from cellops.records.cell import GeneratorUse

SEEDERS = {"python": "random.seed", "numpy": "numpy.random.seed"}


@dataclass(frozen=True)
class States:
    """Digests of the global generators' states; a generator whose library is not imported is absent."""

    digests: dict[str, str]
    untouched: frozenset[str] = frozenset()
    """Generators that stand as they were initialised, with nothing drawn."""


def read() -> States:
    """Digest the state of python's generator and of numpy's legacy one. Imports nothing."""
    _, internal, gauss = random.getstate()
    digests = {"python": _digest(array("Q", internal).tobytes() + repr(gauss).encode())}
    untouched = frozenset[str]()
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        name, keys, position, has_gauss, cached = numpy_random.get_state(legacy=True)
        digests["numpy"] = _digest(keys.tobytes() + f"{name}{position}{has_gauss}{cached}".encode())
        untouched = frozenset({"numpy"} if position == len(keys) else ())
    return States(digests, untouched)


def seed_all(seed: int) -> None:
    """Seed python's generator, numpy's legacy one, and torch's where it is imported.

    numpy loads `numpy.random` at its first use, which would seed it from the system: so it is loaded here.
    """
    import numpy.random as numpy_random

    random.seed(seed)
    numpy_random.seed(seed % 2**32)  # noqa: NPY002 - the legacy generator is what others draw from
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)


@contextlib.contextmanager
def preserved() -> Iterator[None]:
    """Give python's and numpy's generators back as they were, whatever happens inside."""
    python = random.getstate()
    numpy_random = sys.modules.get("numpy.random")
    legacy = None if numpy_random is None else numpy_random.get_state()
    try:
        yield
    finally:
        random.setstate(python)
        if numpy_random is not None:
            numpy_random.set_state(legacy)


def compare(before: States, after: States, seeded: frozenset[str]) -> tuple[GeneratorUse, ...]:
    """What happened to each generator between two readings; `seeded` names those seeded earlier on the trail."""
    return tuple(
        GeneratorUse(
            name=name,
            consumed=before.digests[name] != digest if name in before.digests else name not in after.untouched,
            seeded=name in seeded,
            state=before.digests.get(name),
        )
        for name, digest in after.digests.items()
    )


def seeds_in(source: str) -> frozenset[str]:
    """The global generators that a cell's source seeds."""
    named = {name for name, call in SEEDERS.items() if call in source or call.replace("numpy", "np") in source}
    return frozenset(named)


def _digest(state: bytes) -> str:
    return hashlib.blake2b(state, digest_size=8).hexdigest()
