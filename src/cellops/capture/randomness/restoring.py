"""Which states of the shared generators a slice needs, and how a kernel gets them back."""

import importlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from cellops.capture.randomness import rng
from cellops.records.cell import CellRecord, GeneratorUse

LIBRARIES = {"numpy": "numpy.random", "torch": "torch"}


def needed_states(cells: Iterable[CellRecord]) -> Iterator[tuple[CellRecord, GeneratorUse]]:
    """The shared generators that a slice draws from unseeded, each with the first cell that does.

    What a later cell draws follows from there, and what is seeded in the slice is seeded again.
    """
    known: set[str] = set()
    for record in cells:
        for use in record.generators:
            if use.name.partition(".")[0] not in rng.GLOBAL or use.name in known or not use.consumed:
                continue
            known.add(use.name)
            if not use.seeded and use.state is not None and use.kept:
                yield record, use


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
