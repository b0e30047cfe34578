"""The kernel of one execution: its channels, and what became of it."""

import os
import re
import signal
from pathlib import Path
from typing import Any

import zmq
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

LONGEST_SOCKET_PATH = 90
"""Bytes; a Unix socket's path may have 103 on macOS and 107 on Linux, and a suffix is added."""

STATISTICS = Path("/proc/vmstat")


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

    async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]  # it is one of a coroutine there
        """Start it, and remember how many processes the system had killed for want of memory by then."""
        self._memory_kills = memory_kills()
        await super().start_kernel(**options)

    async def cause_of_death(self) -> str:
        """What ended the kernel's process, as far as the system tells."""
        code = None if self.provisioner is None else await self.provisioner.poll()
        if code is None or code >= 0:
            return "the kernel ended" if code is None else f"the kernel ended by itself with exit code {code}"
        killed = f"killed by signal {-code} ({signal.Signals(-code).name})"
        if -code != getattr(signal, "SIGKILL", None):
            return f"the kernel was {killed}"
        before, now = self._memory_kills, memory_kills()
        if before is not None and now is not None and now > before:
            return f"out of memory: the kernel was {killed} when the system ran out of memory"
        return f"the kernel was {killed}, often for want of memory"


def memory_kills(statistics: Path = STATISTICS) -> int | None:
    """How many processes Linux has killed since its start because memory, all or a container's, was used up."""
    try:
        found = re.search(r"^oom_kill (\d+)$", statistics.read_text(encoding="ascii"), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) if found else None
