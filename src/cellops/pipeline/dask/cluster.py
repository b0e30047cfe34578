"""A cluster of Dask that is there, and whose workers can execute what this machine would."""

import os
import platform
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cellops.errors import UsageError
from cellops.pipeline.cache.shared_folder import SharedError, SharedFolder
from cellops.pipeline.dask.place import Place, is_here
from cellops.settings import without_credentials
from cellops.version import __version__

CONNECTING = 10
"""Seconds to wait for a scheduler, and for its first worker."""
ENCRYPTED = ("tls://", "wss://")
REACHED = "reached"
"""How the name of a folder begins whose small files tell whether workers reach where results are handed over."""
ALIKE = "Give its workers the environment and the folders of this machine"
"""What to do about a worker that has something otherwise."""


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
        When Dask is not installed, or nobody answers.
    """
    try:
        from distributed import Client
    except ImportError as error:
        fact = "Dask is not installed"
        raise UsageError(fact, remedy='Run: pip install "cellops[dask]"') from error
    if isinstance(target, Client):
        _refuse_asynchronous(target)
        yield target
        return
    try:
        client: Any = Client(target, timeout=CONNECTING, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TypeError) as error:
        fact = f"No scheduler of Dask answers at {_shown(target)}"
        raise UsageError(fact, remedy="Start one with: dask scheduler, and give the address that it shows") from error
    with client:
        yield client


def check_workers(client: Any, folder: Path, place: Place) -> None:
    """Refuse a cluster one of whose workers would execute something else, or nothing.

    Parameters
    ----------
    folder
        In which kernels work: workers reach the same one.
    place
        Where workers hand over what they have done.

    Raises
    ------
    UsageError
        Naming the worker; when there is none.
    """
    wait_for_a_worker(client)
    token = f"{REACHED}-{uuid.uuid4().hex}"
    shared = SharedFolder(place.address, place.public)
    try:
        shared.put(f"{token}/here", len(token), token.encode())
        here = what_is_here(str(folder), place, token)
        found = client.run(what_is_here, str(folder), place, token, on_error="return")
    except SharedError as error:
        fact = f"Workers of Dask cannot hand over what they have done: {error}"
        raise UsageError(fact, remedy="Give a folder that this machine and all workers reach, with --store") from error
    finally:
        with suppress(SharedError):
            shared.delete_folder(token)
    for worker, there in found.items():
        if not isinstance(there, Mapping):
            fact = f"The worker {worker} cannot import cellops: {there}"
            raise UsageError(fact, remedy=ALIKE)
        if other := otherwise(worker, there, here):
            raise UsageError(other, remedy=ALIKE)


def otherwise(worker: str, there: Mapping[str, str], here: Mapping[str, str]) -> str | None:
    """What a worker has otherwise than the machine that asks."""
    for name in here:
        if there.get(name) != here[name]:
            return f"The worker {worker} has {name} {there.get(name)}, and this machine {here[name]}"
    return None


def what_is_here(folder: str, place: Place, token: str) -> dict[str, str]:
    """What must be alike on all machines."""
    # The path is what a worker is asked for, and os.path says no where it may not be looked at.
    there = "there" if os.path.isdir(folder) else "not there"  # noqa: PTH112
    return {
        **versions(),
        f"the folder {folder}": there,
        f"the folder to hand over in, {place.public},": _reached(place, token),
    }


def versions() -> dict[str, str]:
    """What executes on a machine; also asked of workers that come later."""
    return {"Python": ".".join(platform.python_version_tuple()[:2]), "cellops": __version__}


def _reached(place: Place, token: str) -> str:
    try:
        shared = SharedFolder(place.address, place.public)
        if shared.read(f"{token}/here") != token.encode():
            return "not there"
        shared.put(f"{token}/{uuid.uuid4().hex}", len(token), token.encode())
    except Exception as error:  # noqa: BLE001 - a driver may raise anything, and it is told
        return f"out of its reach ({error})"
    return "there"


def refuse_to_show_secrets(client: Any, *, has_secrets: bool) -> None:
    """Refuse to send what only the kernels may know over a network that anybody can read.

    Raises
    ------
    UsageError
        When the scheduler is on another machine and is not reached by TLS.
    """
    address = client.scheduler.address
    if has_secrets and not (is_here(address) or address.startswith(ENCRYPTED)):
        fact = f"A secret that a parameter holds would go to {address}, which is not encrypted"
        raise UsageError(fact, remedy="Use a scheduler at tls://…, or let the notebook read the secret itself")


def _refuse_asynchronous(client: Any) -> None:
    if client.asynchronous:
        fact = "This client of Dask is asynchronous, and cellops waits for its answers"
        raise UsageError(fact, remedy="Give the address of the scheduler, or a client made without asynchronous=True")


def wait_for_a_worker(client: Any) -> None:
    try:
        client.wait_for_workers(1, timeout=CONNECTING)
    except TimeoutError as error:
        fact = f"The scheduler {client.scheduler_info()['address']} has no worker"
        raise UsageError(fact, remedy="Start one with: dask worker ADDRESS") from error


def _shown(target: object) -> str:
    return without_credentials(target) if isinstance(target, str) else type(target).__name__
