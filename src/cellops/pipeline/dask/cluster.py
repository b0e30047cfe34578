"""A cluster of Dask that is there, and whose workers can execute what this machine would."""

import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cellops.errors import UsageError
from cellops.settings import without_credentials
from cellops.version import __version__

CONNECTING = 10
"""Seconds to wait for a scheduler, and for its first worker."""


@contextmanager
def connected(target: Any) -> Iterator[Any]:
    """A client of a cluster (`distributed.Client`); one that was given is left open.

    Parameters
    ----------
    target
        Address of a scheduler (`tcp://host:8786`), or a cluster or client of Dask.

    Raises
    ------
    UsageError
        When Dask is not installed, nobody answers, or there is no worker.
    """
    try:
        from distributed import Client
    except ImportError as error:
        fact = "Dask is not installed"
        raise UsageError(fact, remedy='Run: pip install "cellops[dask]"') from error
    if isinstance(target, Client):
        _wait_for_a_worker(target)
        yield target
        return
    try:
        client: Any = Client(target, timeout=CONNECTING, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TypeError) as error:
        fact = f"No scheduler of Dask answers at {_shown(target)}"
        raise UsageError(fact, remedy="Start one with: dask scheduler, and give the address that it shows") from error
    with client:
        _wait_for_a_worker(client)
        yield client


def check_workers(client: Any, folder: Path) -> None:
    """Refuse a cluster one of whose workers would execute something else, or nothing.

    Parameters
    ----------
    folder
        In which kernels work: workers reach the same one.

    Raises
    ------
    UsageError
        Naming the worker.
    """
    here = what_is_here(str(folder))
    for worker, there in client.run(what_is_here, str(folder), on_error="return").items():
        remedy = "Give its workers the environment and the folders of this machine"
        if not isinstance(there, Mapping):
            fact = f"The worker {worker} cannot import cellops: {there}"
            raise UsageError(fact, remedy=remedy)
        for name in here:
            if there.get(name) != here[name]:
                fact = f"The worker {worker} has {name} {there.get(name)}, and this machine {here[name]}"
                raise UsageError(fact, remedy=remedy)


def what_is_here(folder: str) -> dict[str, str]:
    """What must be alike on all machines."""
    # The path is what a worker is asked for, and os.path says no where it may not be looked at.
    there = "there" if os.path.isdir(folder) else "not there"  # noqa: PTH112
    return {
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "cellops": __version__,
        f"the folder {folder}": there,
    }


def _wait_for_a_worker(client: Any) -> None:
    try:
        client.wait_for_workers(1, timeout=CONNECTING)
    except TimeoutError as error:
        fact = f"The scheduler {client.scheduler_info()['address']} has no worker"
        raise UsageError(fact, remedy="Start one with: dask worker ADDRESS") from error


def _shown(target: object) -> str:
    return without_credentials(target) if isinstance(target, str) else type(target).__name__
