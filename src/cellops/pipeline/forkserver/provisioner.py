"""How a kernel manager starts kernels that are forked."""

import asyncio
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from cellops.pipeline.forkserver.forkserver import ForkServer


class ForkProvisioner(LocalProvisioner):
    """Forks kernels where that can be done, and starts the others."""

    forkserver: ForkServer

    async def launch_kernel(self, cmd: list[str], **options: Any) -> KernelConnectionInfo:
        """Start a kernel with a command."""
        try:
            forked = await asyncio.to_thread(self.forkserver.start, cmd, options["env"], str(options["cwd"]))
        except asyncio.CancelledError:
            self.forkserver.give_up()
            raise
        if forked is None:
            return await super().launch_kernel(cmd, **options)
        self.process = forked  # type: ignore[assignment]  # used as one
        self.pid = self.pgid = forked.pid  # it begins a session of its own
        self.cwd = options["cwd"]
        return self.connection_info
