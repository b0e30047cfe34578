"""Kernels of one notebook, forked where that can be done."""

import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from cellops.pipeline.forkserver.detached import Detached
from cellops.pipeline.forkserver.process import ForkedKernel, ForkingProcess
from cellops.pipeline.forkserver.server import OTHERS

LAUNCHER = ("-m", "ipykernel_launcher")


class ForkServer:
    """Kernels that are forked from one process, which is started with the first of them.

    Parameters
    ----------
    modules
        What that process imports beside what every kernel needs (`candidates`).
    early
        A process that was started before it was known which one is needed; it is used if it fits.
    """

    def __init__(self, modules: Sequence[str] = (), early: ForkingProcess | None = None) -> None:
        self._modules = tuple(modules)
        self._early = early
        self._beginning = threading.Lock()
        self._kind: tuple[tuple[str, ...], str] | None = None
        self._process: ForkingProcess | None = None
        self._begun = False
        """Whether it is known if the process can be forked."""
        self._ahead: threading.Thread | None = None

    def __enter__(self) -> "ForkServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process that kernels are forked from."""
        self.give_up()
        if self._ahead is not None:
            self._ahead.join()
        if self._process is not None:
            self._process.close()

    def begin(self, command: Callable[[], Sequence[str] | None], environment: Mapping[str, str], folder: str) -> None:
        """Start the process before its first kernel, beside what the caller does meanwhile.

        Parameters
        ----------
        command
            Finds the command line of the kernels; None where they cannot be forked.
        environment, folder
            Those of the kernels.
        """

        def begin() -> None:
            python = _python_of(command() or ())
            if python is not None:
                self._begin_once(python, environment, folder)

        self._ahead = threading.Thread(target=begin, name="cellops-forks-begin", daemon=True)
        self._ahead.start()

    def start(self, command: Sequence[str], environment: Mapping[str, str], folder: str) -> ForkedKernel | None:
        """Start a kernel by its command line.

        Returns
        -------
        ForkedKernel or None
            None where it has to be started as any other: on another system than Linux, by a command that is not
            ipykernel's, with an interpreter without cellops, or when the process is gone.
        """
        python = _python_of(command)
        if python is None:
            return None
        self._begin_once(python, environment, folder)
        if self._process is None or self._kind != (python, folder):
            return None
        return self._process.fork(command[len(python) + len(LAUNCHER) :], environment, folder)

    @property
    def is_ready(self) -> bool:
        """Whether kernels can be forked by now."""
        return self._begun and self._process is not None

    def program(
        self, arguments: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path
    ) -> Detached | None:
        """Start the program `cellops` beside the kernels: what they have imported is there.

        It waits until the process can be forked that `begin` starts; the program goes on when that ends.

        Parameters
        ----------
        arguments
            Of the command line.
        environment, folder
            Those of the program.
        log
            The file behind which it writes what it says.

        Returns
        -------
        Detached or None
            None where it has to be started as any other, as when kernels have another interpreter.
        """
        if self._ahead is not None:
            self._ahead.join()
        process = self._process
        if process is None or process.kind[0] != (sys.executable,) or not Detached.can_be_awaited():
            return None
        forked = process.program(arguments, environment, str(folder), str(log))
        return None if forked is None else Detached(forked.pid)

    def give_up(self) -> None:
        """Wait no longer for a process that has not begun yet: no kernel was forked from it."""
        process, begun = self._process, self._begun
        self._begun = True
        if process is not None and not begun:
            process.kill()

    def _begin_once(self, python: tuple[str, ...], environment: Mapping[str, str], folder: str) -> None:
        with self._beginning:
            if self._kind is None:
                self._kind = (python, folder)
                self._begin(python, environment, folder)

    def _begin(self, python: Sequence[str], environment: Mapping[str, str], folder: str) -> None:
        """Start the process; without the modules of the notebook when importing these does more than that."""
        for modules in dict.fromkeys((self._modules, ())):
            problem: str | None = OTHERS
            while problem == OTHERS:
                if self._begun:
                    return
                try:
                    self._process = self._started(python, environment, folder)
                except OSError:
                    self._begun = True
                    return
                problem = self._process.problem(modules)
                if problem is not None:
                    self._process.close()
                    self._process = None
            if problem is None:
                break
        self._begun = True

    def _started(self, python: Sequence[str], environment: Mapping[str, str], folder: str) -> ForkingProcess:
        early, self._early = self._early, None
        if early is not None and early.kind == (tuple(python), dict(environment), folder):
            return early
        if early is not None:
            early.kill()
        return ForkingProcess(python, environment, folder)


@contextmanager
def started_early(
    environment: Mapping[str, str], folder: Path, notebook: Path | None = None
) -> Iterator[ForkingProcess | None]:
    """Start a process for this interpreter, which most kernels have, beside what finds out what is needed.

    None where no kernel can be forked, or it does not start. It has ended after, whether it was used or not.
    """
    process = None
    if sys.platform == "linux":
        with suppress(OSError):
            process = ForkingProcess((sys.executable,), environment, str(folder), notebook)
    try:
        yield process
    finally:
        if process is not None:
            process.kill()
            process.close()


def _python_of(command: Sequence[str]) -> tuple[str, ...] | None:
    """The interpreter of a kernel's command line, with its options; None where the kernel cannot be forked."""
    place = next((at for at in range(len(command)) if tuple(command[at : at + 2]) == LAUNCHER), None)
    return None if sys.platform != "linux" or place is None else tuple(command[:place])
