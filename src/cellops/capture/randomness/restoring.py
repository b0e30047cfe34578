"""States of the shared generators, put back into the kernel that executes a slice again."""

import importlib
from collections.abc import Mapping
from pathlib import Path

from cellops.capture.randomness import rng

LIBRARIES = {"numpy": "numpy.random", "torch": "torch"}


def restore(states: Mapping[str, str]) -> None:
    """Put the states of shared generators back, importing their libraries where the cell has yet to do so.

    Raises
    ------
    OSError
        When a state's file is gone.
    ValueError, TypeError, KeyError
        When it is not the state of such a generator.
    ImportError
        When the library is not installed.
    """
    for name, path in states.items():
        library = LIBRARIES.get(name.partition(".")[0])
        if library is not None:
            importlib.import_module(library)
        generator = rng.shared().get(name)
        if generator is not None:
            rng.restore_state(generator, Path(path).read_text(encoding="utf-8"))
