"""How a notebook's kernel is chosen and used."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cellops.capture.environment.machine import usable_cores
from cellops.pipeline.forkserver.forkserver import ForkServer
from cellops.pipeline.spare_kernels import SpareKernels
from cellops.settings import NOT_FOR_KERNELS

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What numerical libraries read how many threads to start from."""


@dataclass(frozen=True, kw_only=True)
class KernelOptions:
    """Which kernel executes a notebook, and how it is used."""

    name: str
    """Of an installed kernel."""
    folder: Path
    """In which it works."""
    environment: Mapping[str, str]
    """Its whole environment."""
    cell_timeout: float | None = None
    """Seconds that one cell may take."""
    save_interval: float = 10.0
    """Seconds between two savings of the notebook while it is executed."""
    interpreter: Path | None = None
    """The Python to start it with, instead of that of its name."""
    forkserver: ForkServer | None = None
    """What forks it, where that can be done, from a process that has imported what it needs."""
    spares: SpareKernels | None = None
    """Forked kernels that have started by now, with an environment that lacks only what is its own here."""


def environment_of_kernels(own: Mapping[str, str]) -> dict[str, str]:
    """The environment of kernels that this process starts: its own, but for what notebooks must not see, and more."""
    return {**{name: value for name, value in os.environ.items() if name not in NOT_FOR_KERNELS}, **own}


def share_of_processors(kernels: int) -> dict[str, str]:
    """What gives each of so many kernels at work at once its share of this machine's processors.

    Where each of them had a thread for every processor, these would wait for each other for most of their time. Nothing
    is said where a person has said it.
    """
    if kernels == 1 or any(name in os.environ for name in THREADS):
        return {}
    return dict.fromkeys(THREADS, str(max(1, usable_cores() // kernels)))
