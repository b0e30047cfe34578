"""Imports in the process that kernels are forked from: they must leave no trace but the modules themselves."""

import importlib
import os
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

from cellops.capture.environment.description import prepare, read_environment
from cellops.capture.environment.import_paths import project_paths
from cellops.capture.environment.modules import INSTALLED, OURS, learn_ahead
from cellops.capture.files.audit import opens
from cellops.capture.files.recording import Recording
from cellops.pipeline.cache.imports import imports

KERNEL = (
    "ipykernel.kernelapp",
    "ipykernel.debugger",
    "tornado.platform.asyncio",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.logger",
    "IPython.core.oinspect",
    "IPython.core.magics.extension",
    "IPython.extensions.storemagic",
    "cellops.magics",
    "cellops.flows.session",
    "cellops.screens",
    "cellops.pipeline.stepwise.kernel_side",
    "cellops.pipeline.values.store",
)
"""What every kernel of a notebook imports itself."""


def import_ahead(names: Iterable[str], folder: Path) -> str | None:
    """Import installed modules.

    Parameters
    ----------
    names
        Of modules; those that are not installed, or that others in `sys.path` stand in front of, are left out.
    folder
        Of the project, whose files are data.

    Returns
    -------
    str or None
        What an import has done that a cell would show or a record hold, so that it must not happen ahead.
    """
    with tempfile.TemporaryFile() as said, _written_to(said), _heard(folder) as recording:
        for name in filter(_is_installed, names):
            try:
                importlib.import_module(name)
            except Exception as error:  # noqa: BLE001 - the cell that imports it shall show this
                return f"{name} cannot be imported: {type(error).__name__}"
            if recording.has_heard or threading.active_count() > 1 or _flushed(said):
                return f"importing {name} does more than that"
    _look_around()
    return None


def _look_around() -> None:
    """Let be found once what each kernel would look for, which changes nothing that a cell sees."""
    learn_ahead()
    if "threadpoolctl" in sys.modules:  # else looking would import it
        with suppress(Exception):
            read_environment(prepare())
            project_paths()
    tables = sys.modules.get("narwhals.dependencies")
    if tables is not None:
        with suppress(Exception):
            # scikit-learn asks this of each table that it is given, and the first answer opens all distributions.
            tables.is_into_dataframe(None)


@contextmanager
def _heard(project: Path) -> Iterator[Recording]:
    """What is opened meanwhile; and hear what is imported."""
    finder, heard = imports(), opens()
    recording = heard.begin(threading.get_ident())
    heard.project = project
    sys.meta_path.insert(0, finder)
    try:
        yield recording
    finally:
        sys.meta_path.remove(finder)
        heard.project = None
        heard.end(recording)


def _is_installed(name: str) -> bool:
    try:
        found = find_spec(name.partition(".")[0])
    except (ImportError, ValueError):
        return False
    if found is None or found.origin is None:
        return False
    return name.partition(".")[0] == OURS or any(folder in found.origin for folder in INSTALLED)


@contextmanager
def _written_to(file: BinaryIO) -> Iterator[None]:
    """Let a file hold what this process and its libraries write to the standard streams."""
    kept = [(number, os.dup(number)) for number in (1, 2)]
    for number, _ in kept:
        os.dup2(file.fileno(), number)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, before in kept:
            os.dup2(before, number)
            os.close(before)


def _flushed(file: BinaryIO) -> int:
    """How many bytes were written by now."""
    sys.stdout.flush()
    sys.stderr.flush()
    return Path(f"/dev/fd/{file.fileno()}").stat().st_size
