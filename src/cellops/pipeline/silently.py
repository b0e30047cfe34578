"""What a kernel executes between cells: it is no cell, shows nothing and counts nowhere."""

import contextlib
from queue import Empty
from typing import TYPE_CHECKING

from nbclient.exceptions import DeadKernelError

from cellops.errors import StepError

if TYPE_CHECKING:
    from cellops.pipeline.client import Client

IDLE_PATIENCE = 5
"""Seconds to wait for the kernel to say that it has nothing to do."""


async def execute_silently(client: "Client", code: str) -> None:
    """Let the kernel of a client execute what is no cell and shows nothing, and wait until it has left it behind.

    Raises
    ------
    StepError
        When it fails, or the kernel dies of it.
    """
    message = client.kc.execute(code, silent=True, store_history=False)
    try:
        reply = await client.async_wait_for_reply(message)
        await _until_idle(client, message)
    except DeadKernelError as error:
        fact = f"The kernel died while values were handed over: {await client.km.cause_of_death()}"
        raise StepError(fact, remedy="Hand on less between steps, or give the machine more memory") from error
    content = reply["content"]
    if content["status"] != "ok":
        fact = f"The kernel could not hand over values: {content['ename']}: {content['evalue']}"
        remedy = f"Is cellops installed for the kernel {client.kernel.name}? Its environment needs it too"
        raise StepError(fact, remedy=remedy)


async def _until_idle(client: "Client", message: str) -> None:
    """Wait until the kernel has left a request behind: the interrupt before its end would be an error in it."""
    with contextlib.suppress(Empty):  # what comes too fast is lost
        while True:
            heard = await client.kc.get_iopub_msg(timeout=IDLE_PATIENCE)
            if heard["parent_header"].get("msg_id") == message and heard["content"].get("execution_state") == "idle":
                return
