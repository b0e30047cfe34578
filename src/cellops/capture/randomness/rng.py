"""Random generators: which there are, their states, and how to put a state back.

A state is a JSON text, so that it can be compared, kept and restored without running anything that it says.
"""

import contextlib
import importlib
import json
import random
import sys
from array import array
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from cellops.capture.names.types import Kinds

GLOBAL = ("python", "numpy", "torch")
"""The generators that everybody shares, by the name of their library."""
BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")
PLAIN = frozenset({int, float, str})
WORDS = 624
"""The words of a Mersenne Twister; at this position all have been drawn, or none since it was seeded."""
FIRST_WORD = 0x80000000
"""What stands first behind seeding from several words, as python does it (`init_by_array`)."""
MULTIPLIER = 1812433253
"""Makes each word of the one before when one number seeds (`init_genrand`, as numpy's `seed(7)` does it)."""
TORCH_DEFAULT_SEED = 67280421310721
"""What a new `torch.Generator()` begins with in every process; the shared one takes 64 bits from the system."""
LARGEST_CHOSEN_FOR_TORCH = 2**32
LARGEST_CHOSEN = 2**64
"""Seeds that people choose are smaller; what the system gives to numpy has 128 bits."""
DRAWS_WHEN_IMPORTED = "rich.style"
"""Draws from python's generator while it is imported, by scikit-learn for example: what a cell draws behind that would
depend on who had imported it before."""


def load_what_draws() -> None:
    """Import what draws when it is imported, so that this happens before anything is seeded or kept."""
    before = random.getstate()
    with contextlib.suppress(ImportError):
        importlib.import_module(DRAWS_WHEN_IMPORTED)
    random.setstate(before)


def shared() -> dict[str, Any]:
    """The generators that everybody shares, of the libraries that are imported. Imports nothing."""
    found: dict[str, Any] = {"python": random._inst}
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None and hasattr(numpy_random, "mtrand"):
        found["numpy"] = numpy_random.mtrand._rand
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "default_generator"):
        found["torch"] = torch.default_generator
        if hasattr(torch, "cuda") and torch.cuda.is_initialized():
            found |= {f"torch.cuda.{place}": held for place, held in enumerate(torch.cuda.default_generators)}
    return found


def kinds() -> Kinds:
    """The exact types of generators whose state can be read, of the libraries that are imported."""
    numpy_random, torch = sys.modules.get("numpy.random"), sys.modules.get("torch")
    made = [getattr(numpy_random, name, None) for name in ("Generator", "RandomState")]
    return _kinds(random.Random, *made, getattr(torch, "Generator", None))


@lru_cache(maxsize=4)
def _kinds(*kinds: type | None) -> Kinds:
    return Kinds([kind for kind in kinds if kind is not None])


Reading = tuple[Any, ...]
"""A state as it is read: it can be compared with another one in microseconds."""


def read(generator: Any) -> Reading | None:
    """The state of a generator; None where it has a foreign source of bits."""
    if type(generator) is random.Random:
        return ("python", *generator.getstate())
    bits = _bits(generator)
    if bits is None:
        return ("torch", generator.get_state().numpy().tobytes()) if is_of_torch(generator) else None
    kind = type(bits).__name__
    if kind not in BIT_GENERATORS:
        return None
    if type(generator).__name__ == "RandomState":
        return "numpy", _packed(generator.get_state(legacy=False))
    return "numpy", bits.state if kind.startswith("PCG64") else _packed(bits.state)


def as_text(reading: Reading) -> str:
    """A state as the text that `restore_state` takes."""
    match reading:
        case ("python", version, words, gauss):
            return json.dumps({"python": version, "words": array("I", words).tobytes().hex(), "gauss": gauss})
        case (library, state):
            return json.dumps({library: state}, default=bytes.hex)
        case _:
            raise AssertionError(reading[:1])


def capture_state(generator: Any) -> str | None:
    """The state of a generator as a text; None where it has a foreign source of bits."""
    reading = read(generator)
    return None if reading is None else as_text(reading)


def restore_state(generator: Any, text: str) -> None:
    """Put a state back that `capture_state` gave.

    Raises
    ------
    ValueError, TypeError, KeyError
        When the text is no state, or that of another kind of generator.
    """
    state = json.loads(text)
    match state:
        case {"python": version, "words": words, "gauss": gauss} if type(generator) is random.Random:
            generator.setstate((version, tuple(array("I", bytes.fromhex(words))), gauss))
        case {"torch": words} if is_of_torch(generator):
            torch = sys.modules["torch"]
            generator.set_state(torch.frombuffer(bytearray.fromhex(words), dtype=torch.uint8))
        case {"numpy": packed} if type(generator).__name__ == "RandomState":
            generator.set_state(_unpacked(packed))
        case {"numpy": packed} if type(generator).__name__ == "Generator":
            generator.bit_generator.state = _unpacked(packed)
        case _:
            fact = f"the state is not one of a {type(generator).__name__}"
            raise ValueError(fact)


def is_of_torch(generator: Any) -> bool:
    return type(generator).__module__.partition(".")[0] == "torch"


def is_untouched(generator: Any) -> bool:
    """Whether nothing has been drawn since a generator was made or seeded, as far as its state shows that."""
    if type(generator) is random.Random:
        words = generator.getstate()[1]
        return bool(words[-1] == WORDS) and _is_seeded(words)
    if is_of_torch(generator):
        fresh = type(generator)(generator.device).manual_seed(generator.initial_seed())
        return read(fresh) == read(generator)
    bits = _bits(generator)
    seeds = getattr(bits, "seed_seq", None)
    if type(bits).__name__ not in BIT_GENERATORS:
        return False
    if type(seeds).__name__ == "SeedSequence":
        return bool(_packed(type(bits)(seeds).state) == _packed(bits.state))
    state = bits.state["state"]
    return bool(seeds is None and state.get("pos") == WORDS) and _is_seeded(state["key"].tolist())


def _is_seeded(words: Sequence[int]) -> bool:
    """Whether the words of a Mersenne Twister are as seeding leaves them; drawing all of them leaves others."""
    following = [(MULTIPLIER * (word ^ word >> 30) + place) % 2**32 for place, word in enumerate(words[:2], 1)]
    return words[0] == FIRST_WORD or following == [*words[1:3]]


def first_reading(generator: Any) -> Reading | None:
    """The state in which a generator was made, as far as it remembers: one seeded since does not."""
    seeds = getattr(_bits(generator), "seed_seq", None)
    if type(seeds).__name__ == "SeedSequence" and type(_bits(generator)).__name__ in BIT_GENERATORS:
        return read(type(generator)(type(_bits(generator))(seeds)))
    if (
        type(generator).__module__.partition(".")[0] == "torch"
        and str(generator.device) == "cpu"
        and not has_own_seed(generator)
    ):
        return read(type(generator)().manual_seed(generator.initial_seed()))
    return None


def has_own_seed(generator: Any) -> bool:
    """Whether a generator's own memory of its origin shows a seed that somebody chose, or the same in every process."""
    if is_of_torch(generator):
        seed = generator.initial_seed()
        return bool(seed == TORCH_DEFAULT_SEED or seed < LARGEST_CHOSEN_FOR_TORCH)
    bits = _bits(generator)
    if bits is None:
        return False
    seeds = getattr(bits, "seed_seq", None)
    if seeds is None:
        return True  # `seed(7)` of the legacy generators forgets where the bits came from
    entropy = getattr(seeds, "entropy", None)
    return not isinstance(entropy, int) or bool(entropy < LARGEST_CHOSEN)


def seed_all(seed: int, *, with_torch: bool = False) -> None:
    """Seed python's generator, numpy's legacy one, and torch's on every device where torch is imported.

    A library seeds its generator from the system where it is loaded: numpy loads `numpy.random` at its first use, so
    it is loaded here; and torch is loaded here where the cell is known to import it.
    """
    import numpy.random as numpy_random

    if with_torch:
        with contextlib.suppress(Exception):  # the cell's own import will say what is wrong
            importlib.import_module("torch")
    random.seed(seed)
    numpy_random.seed(seed % 2**32)  # noqa: NPY002 - the legacy generator is what others draw from
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)


@contextlib.contextmanager
def preserved() -> Iterator[None]:
    """Give the shared generators back as they were, whatever happens inside."""
    before = {name: capture_state(generator) for name, generator in shared().items()}
    try:
        yield
    finally:
        for name, generator in shared().items():
            if (state := before.get(name)) is not None:
                restore_state(generator, state)


def _bits(generator: Any) -> Any:
    """Where numpy's generators take their bits from."""
    kind = type(generator).__name__
    if kind == "Generator":
        return getattr(generator, "bit_generator", None)
    return generator._bit_generator if kind == "RandomState" else None


def _packed(state: Any) -> Any:
    """A state of numpy with the bytes of its arrays, which compare as one."""
    if isinstance(state, dict):
        return {name: value if type(value) in PLAIN else _packed(value) for name, value in state.items()}
    if hasattr(state, "tobytes"):
        return {"dtype": state.dtype.str, "bytes": state.tobytes()}
    return state


def _unpacked(state: Any) -> Any:
    match state:
        case {"dtype": dtype, "bytes": content}:
            numpy = sys.modules["numpy"]
            return numpy.frombuffer(bytes.fromhex(content), numpy.dtype(dtype)).copy()
        case dict():
            return {name: _unpacked(value) for name, value in state.items()}
        case _:
            return state
