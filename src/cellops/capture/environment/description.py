"""In what the code ran: interpreter, machine, libraries, and the variables that change what they compute."""

import os
import platform
import sys
from functools import cache

from cellops.capture.environment import machine
from cellops.capture.environment.distributions import imported, installed, modules_of, origin, version_of
from cellops.capture.redaction import redact
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


def read_environment() -> Environment:
    """Describe this process and its machine."""
    found = installed()
    origins = {name: held for name, metadata in found.items() if (held := origin(metadata)) is not None}
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
        distributions={name: version_of(metadata) for name, metadata in found.items()},
        local=tuple(name for name, held in origins.items() if held.local),
        origins=origins,
        imported=tuple(imported(found, frozenset(sys.modules))),
        variables={name: redact(os.environ[name]) for name in VARIABLES if name in os.environ},
    )


@cache
def prepare() -> None:
    """Ask beforehand for what takes long for the first time: the graphics cards, and what distributions bring."""
    machine.gpus()
    machine.thread_pools()
    for metadata in installed().values():
        modules_of(metadata)
