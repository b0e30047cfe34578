"""The kernel of one execution: its channels, and what became of it."""

import os
import signal
from pathlib import Path
from typing import Any

import zmq
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

LONGEST_SOCKET_PATH = 90
"""Bytes; a Unix socket's path may have 103 on macOS and 107 on Linux, and a suffix is added."""


class KernelManager(AsyncKernelManager):
    """Starts the kernel; its clients take in any flood of output."""

    def client(self, **options: Any) -> AsyncKernelClient:  # type: ignore[override]  # as in jupyter_client itself
        client = super().client(**options)
        # zmq drops messages beyond its default mark of 1,000, with them the one that says that the cell has ended.
        client.context.setsockopt(zmq.RCVHWM, 0)
        return client

    def use_sockets(self, folder: Path) -> None:
        """Use Unix sockets where they exist: executions in parallel cannot take each other's ports."""
        path = str(folder / "kernel")
        if os.name == "posix" and zmq.has("ipc") and len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
            self.transport = "ipc"
            self.ip = path

    def use_interpreter(self, python: Path) -> None:
        """Start the kernel with an interpreter of its own instead of the one of an installed kernel."""
        command = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        self._kernel_spec = KernelSpec(argv=command, display_name=str(python), language="python")

    async def cause_of_death(self) -> str:
        """What ended the kernel's process, as far as the system tells."""
        code = None if self.provisioner is None else await self.provisioner.poll()
        if code is None or code >= 0:
            return "the kernel ended" if code is None else f"the kernel ended by itself with exit code {code}"
        hint = ", often for want of memory" if -code == getattr(signal, "SIGKILL", None) else ""
        return f"the kernel was killed by signal {-code} ({signal.Signals(-code).name}){hint}"
