"""The kernel of one execution: its channels, and what became of it."""

import asyncio
import contextlib
import math
import os
import re
import signal
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

import zmq
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec, NoSuchKernel
from jupyter_client.manager import AsyncKernelManager

from cellops.pipeline.forkserver.forkserver import ForkServer
from cellops.pipeline.forkserver.process import ForkedKernel
from cellops.pipeline.forkserver.provisioner import ForkProvisioner

LONGEST_SOCKET_PATH = 90
"""Bytes; a Unix socket's path may have 103 on macOS and 107 on Linux, and a suffix is added."""

RECONNECT = 10
"""Milliseconds between two tries to connect to a kernel that begins."""
POLLING = 0.01
"""Seconds between two looks at whether a kernel has ended."""
PATIENCE = 0.5
"""Seconds to wait for an answer before asking again: of a kernel that begins, not all channels hear at once."""
STATISTICS = Path("/proc/vmstat")


class KernelClient(AsyncKernelClient):
    """Is ready as soon as the kernel is: jupyter_client's own listens for another fifth of a second."""

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers on all channels.

        Raises
        ------
        RuntimeError
            When it dies, or does not answer within `timeout` seconds.
        """
        ends = math.inf if timeout is None else time.monotonic() + timeout
        while not await self._answers(self.kernel_info()):
            if not await self.is_alive():
                fact = "Kernel died before replying to kernel_info"
                raise RuntimeError(fact)
            if time.monotonic() > ends:
                fact = f"Kernel didn't respond in {timeout:g} seconds"
                raise RuntimeError(fact)

    async def _answers(self, request: str) -> bool:
        """Whether the answer to a request comes, and on the channel of outputs that it was dealt with."""
        with contextlib.suppress(Empty):
            await self.get_shell_msg(timeout=PATIENCE)
            while True:
                heard = await self.get_iopub_msg(timeout=PATIENCE)
                is_its_own = heard["parent_header"].get("msg_id") == request
                if is_its_own and heard["content"].get("execution_state") == "idle":
                    return True
        return False


class KernelManager(AsyncKernelManager):
    """Starts the kernel; its clients take in any flood of output."""

    client_factory = KernelClient

    def client(self, **options: Any) -> AsyncKernelClient:  # type: ignore[override]  # as in jupyter_client itself
        client = super().client(**options)
        # zmq drops messages beyond its default mark of 1,000, with them the one that says that the cell has ended.
        client.context.setsockopt(zmq.RCVHWM, 0)
        client.context.setsockopt(zmq.RECONNECT_IVL, RECONNECT)
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

    @property
    def can_be_forked(self) -> bool:
        """Whether its installation leaves it to us who starts it."""
        return self.kernel_spec is not None and "kernel_provisioner" not in self.kernel_spec.metadata

    def use_forkserver(self, server: ForkServer) -> None:
        """Fork the kernel where that can be done."""
        if self.can_be_forked:
            self.kernel_id = uuid.uuid4().hex
            self.provisioner = ForkProvisioner(kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self)
            self.provisioner.forkserver = server

    async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]  # it is one of a coroutine there
        """Start it, and remember how many processes the system had killed for want of memory by then."""
        self._memory_kills = memory_kills()
        await super().start_kernel(**options)

    async def _async_wait(self, pollinterval: float = POLLING) -> None:
        """Wait for the end of the kernel; jupyter_client looks at it ten times a second."""
        process = getattr(self.provisioner, "process", None)
        if isinstance(process, ForkedKernel):  # whose end is told
            await _end_of(process)
        await super()._async_wait(min(pollinterval, POLLING))

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


async def _end_of(process: ForkedKernel) -> None:
    """Wait for an end that another thread hears of; whoever waits no longer leaves nothing behind."""
    loop, heard = asyncio.get_running_loop(), asyncio.Event()

    def tell(_: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed by now
            loop.call_soon_threadsafe(heard.set)

    process.ended.add_done_callback(tell)
    await heard.wait()


def forking_command(kernel: str) -> list[str] | None:
    """The command line of an installed kernel; None where there is none, or its installation says who starts it."""
    manager = KernelManager(kernel_name=kernel)
    try:
        return manager.format_kernel_cmd() if manager.can_be_forked else None
    except NoSuchKernel:
        return None


def memory_kills(statistics: Path = STATISTICS) -> int | None:
    """How many processes Linux has killed since its start because memory, all or a container's, was used up."""
    try:
        found = re.search(r"^oom_kill (\d+)$", statistics.read_text(encoding="ascii"), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) if found else None
