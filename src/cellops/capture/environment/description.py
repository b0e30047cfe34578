"""In what the code ran: interpreter, machine, libraries, and the variables that change what they compute."""

import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path

from cellops.capture.environment import machine
from cellops.capture.environment.distributions import (
    imported,
    installed,
    modules_of,
    not_from_an_index,
    origin,
    origins,
    version_of,
)
from cellops.capture.environment.locks import Archives, hashes_of
from cellops.capture.redaction import redact
from cellops.records.environment import Origin
from cellops.records.run import Environment

VARIABLES = (
    "CUBLAS_WORKSPACE_CONFIG",
    "CUDA_VISIBLE_DEVICES",
    "LANG",
    "LC_ALL",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "PYTHONHASHSEED",
    "PYTHONOPTIMIZE",
    "TF_DETERMINISTIC_OPS",
    "TZ",
    "VECLIB_MAXIMUM_THREADS",
    "XLA_FLAGS",
)
"""The variables that are recorded; every other one may hold a secret."""


def read_environment(
    known: Mapping[Path, Origin | None] | None = None, archives: Archives | None = None
) -> Environment:
    """Describe this process and its machine.

    Parameters
    ----------
    known
        What `prepare` gave, if it was asked.
    archives
        What `read_locks` gave, if it was asked: without it no archive's hash is known.
    """
    found = installed()
    held = origins(known or {})
    versions = {name: version_of(metadata) for name, metadata in found.items()}
    hashes = {name: hashes_of(name, versions[name], found[name], archives) for name in found} if archives else {}
    return Environment(
        python=platform.python_version(),
        implementation=platform.python_implementation(),
        platform=platform.platform(),
        machine=platform.machine(),
        cpu=machine.cpu(),
        cores=os.cpu_count() or 1,
        usable_cores=machine.usable_cores(),
        thread_pools=machine.thread_pools(),
        gpus=machine.gpus(),
        distributions=versions,
        local=tuple(name for name, came in held.items() if came.local),
        origins=held,
        hashes={name: given for name, given in hashes.items() if given},
        imported=tuple(imported(found, frozenset(sys.modules))),
        variables={name: redact(os.environ[name]) for name in VARIABLES if name in os.environ},
    )


def prepare() -> dict[Path, Origin | None]:
    """Ask beforehand for what takes long: graphics cards, what distributions bring, and where each came from.

    Returns
    -------
    dict
        The origin of each installed distribution that is not from an index, by the folder of its metadata.
    """
    machine.gpus()
    machine.thread_pools()
    for metadata in installed().values():
        modules_of(metadata)
    return {metadata: origin(metadata) for metadata in not_from_an_index().values()}
