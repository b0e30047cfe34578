"""The process that forks kernels, as the one that asks for them sees it."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from typing import Any

SERVER = Path(__file__).with_name("server.py")
LOST = -9
"""The exit code of kernels that ended with the process that they were forked from: nobody heard theirs."""


GONE = object()
"""What is answered when nobody is there any more."""


class ForkedKernel:
    """A kernel's process, which is no child of this one; used as a `subprocess.Popen` is."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.ended: Future[int] = Future()

    @property
    def returncode(self) -> int | None:
        return self.poll()

    def poll(self) -> int | None:
        """The exit code, below zero a signal's; None as long as it runs."""
        return self.ended.result() if self.ended.done() else None

    def wait(self, timeout: float | None = None) -> int:
        return self.ended.result(timeout)

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class ForkingProcess:
    """A process that has imported some modules, and is forked.

    Parameters
    ----------
    python
        The interpreter, with its options.
    environment, folder
        Those of the kernels.
    notebook
        That of the kernels, where it is known: what it seems to need is imported before anybody says so.

    Raises
    ------
    OSError
        When it does not start.
    """

    def __init__(
        self, python: Sequence[str], environment: Mapping[str, str], folder: str, notebook: Path | None = None
    ) -> None:
        self.kind = (tuple(python), dict(environment), folder)
        self._channel, its_own = socket.socketpair()
        self._asking = threading.Lock()
        self._answers: SimpleQueue[Any] = SimpleQueue()
        self._kernels: dict[int, ForkedKernel] = {}
        with its_own:
            self._process = subprocess.Popen(  # noqa: S603 - the interpreter of an installed kernel
                [*python, str(SERVER)], stdin=its_own.fileno(), env=environment, cwd=folder, start_new_session=True
            )
        if notebook is not None:
            with contextlib.suppress(OSError):
                self._tell({"notebook": str(notebook)})
        self._reader = threading.Thread(target=self._read, name="cellops-forks", daemon=True)
        self._reader.start()

    def problem(self, modules: Sequence[str]) -> str | None:
        """Let it import modules beside what every kernel needs, and wait until it can be forked; or say why it cannot.

        It may lack cellops, or an import do more than that.
        """
        begun = self._ask({"modules": list(modules), "folder": self.kind[2]})
        found: str | None = begun["problem"] if begun else "it has ended"
        return found

    def fork(self, arguments: Sequence[str], environment: Mapping[str, str], folder: str) -> ForkedKernel | None:
        """A kernel with the arguments of a command line; None when it is gone, or the system allows no more."""
        return self._forked({"arguments": list(arguments), "environment": dict(environment), "folder": folder})

    def program(
        self, arguments: Sequence[str], environment: Mapping[str, str], folder: str, log: str
    ) -> ForkedKernel | None:
        """The program `cellops` with the arguments of a command line, which writes to a file; None as above."""
        told = {"arguments": list(arguments), "environment": dict(environment), "folder": folder, "log": log}
        return self._forked(told)

    def _forked(self, order: Mapping[str, Any]) -> ForkedKernel | None:
        found: ForkedKernel | None = self._ask(order)
        return found

    def kill(self) -> None:
        """End it at once: whoever waits for it hears that it is gone."""
        self._process.kill()

    def close(self) -> None:
        """End it; kernels that still run notice that and end too."""
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_WR)
        self._process.wait()
        self._reader.join()
        self._channel.close()

    def _ask(self, what: Mapping[str, Any]) -> Any:
        with self._asking:
            try:
                self._tell(what)
            except OSError:
                return None
            answer = self._answers.get()
            if answer is GONE:  # for whoever asks next, too
                self._answers.put(GONE)
            return None if answer is GONE else answer

    def _tell(self, what: Mapping[str, Any]) -> None:
        self._channel.sendall(json.dumps(what).encode() + b"\n")

    def _read(self) -> None:
        """Hand on its answers, and tell of the ends of kernels."""
        with self._channel.makefile("rb") as lines, contextlib.suppress(OSError):
            for line in lines:
                heard = json.loads(line)
                if "ended" in heard:
                    self._kernels[heard["ended"]].ended.set_result(heard["code"])
                elif "process" in heard:
                    self._answers.put(self._begun(heard["process"]))
                else:
                    self._answers.put(heard)
        for kernel in self._kernels.values():
            if not kernel.ended.done():
                kernel.ended.set_result(LOST)
        self._answers.put(GONE)

    def _begun(self, process: int | None) -> ForkedKernel | None:
        if process is None:
            return None
        kernel = self._kernels[process] = ForkedKernel(process)
        return kernel
