"""A real cluster of Dask: a scheduler and workers, each a process of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from distributed import Client

QUIET = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "5s", "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "5"}


class Cluster:
    """A scheduler on a free port, with workers of one thread each."""

    def __init__(
        self,
        folder: Path,
        stack: ExitStack,
        host: str = "127.0.0.1",
        preload: Path | None = None,
        own: Mapping[str, str] | None = None,
    ) -> None:
        self._folder = folder
        self._own = own or {}
        self._preload: list[str] = []
        if preload is not None:
            self.preload(preload)
        self._stack = stack
        self.workers: list[subprocess.Popen[str]] = []
        file = folder / "scheduler.json"
        words = ["distributed.cli.dask_scheduler", "--port", "0", "--host", host, "--no-dashboard"]
        self.scheduler = self._start(*words, "--scheduler-file", str(file))
        self.client = stack.enter_context(Client(scheduler_file=str(file), timeout=60, set_as_default=False))
        self.address: str = self.client.scheduler.address

    def preload(self, file: Path) -> None:
        """Let workers that are started from now on execute a file when they begin."""
        self._preload = ["--preload", str(file)]

    def add_workers(self, count: int) -> None:
        """Start workers, and wait until they are there."""
        for _ in range(count):
            self._add_worker()
        if self.workers:
            self.client.wait_for_workers(len(self.workers), timeout=60)

    def _add_worker(self) -> None:
        words = ["distributed.cli.dask_worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
        own = ["--local-directory", str(self._folder / f"w{len(self.workers)}"), *self._preload]
        self.workers.append(self._start(*words, *own))

    def kill_worker_of(self, folder: Path, name: str) -> None:
        """Kill the worker whose kernel has written its parent processes into a file."""
        ancestors = {int(word) for word in (folder / name).read_text().split()}
        (worker,) = [one for one in self.workers if one.pid in ancestors]
        worker.send_signal(signal.SIGKILL)
        worker.wait()

    def _start(self, module: str, *words: str) -> "subprocess.Popen[str]":
        log = self._stack.enter_context((self._folder / f"{module}-{len(self.workers)}.log").open("w"))
        command = [sys.executable, "-m", module, *words]
        environment = {**os.environ, **QUIET, "CELLOPS_WRITER": "false", **self._own}
        process = subprocess.Popen(command, cwd=self._folder, env=environment, stdout=log, stderr=log, text=True)
        self._stack.enter_context(process)
        self._stack.callback(process.kill)
        return process


@contextmanager
def cluster(
    folder: Path,
    workers: int,
    *,
    host: str = "127.0.0.1",
    preload: Path | None = None,
    own: Mapping[str, str] | None = None,
) -> Iterator[Cluster]:
    """A cluster whose files stand in a new folder; workers execute `preload` when they begin, and have more variables.

    They know the folder by a link to it.
    """
    folder.with_name(f"{folder.name}-itself").mkdir()
    folder.symlink_to(folder.with_name(f"{folder.name}-itself"))
    with ExitStack() as stack:
        made = Cluster(folder, stack, host, preload, own)
        made.add_workers(workers)
        yield made
