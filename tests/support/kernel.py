"""A real kernel, driven cell by cell as a front end does."""

import contextlib
import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from typing import Any

import zmq
from jupyter_client.manager import KernelManager

from cellops.capture.journal import Event, read
from cellops.records.cell import CellRecord
from cellops.records.run import RunClosed, RunOpened

TIMEOUT = 120


@dataclass
class Executed:
    """What a cell sent back."""

    status: str
    streams: str = ""
    results: list[str] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    displays: list[dict[str, Any]] = field(default_factory=list)
    execution_count: int | None = None

    @property
    def traceback(self) -> str:
        return "\n".join(line for error in self.errors for line in error["traceback"])


class Kernel:
    """A kernel that is driven cell by cell, as a front end does."""

    def __init__(self, project: Path, environment: dict[str, str]) -> None:
        self.project = project
        self.manager = KernelManager(kernel_name="python3", transport="ipc" if os.name == "posix" else "tcp")
        self.manager.ip = str(project / "k") if os.name == "posix" else "127.0.0.1"
        self.manager.start_kernel(cwd=str(project), env={**os.environ, **environment})
        self.client = self.manager.blocking_client()
        self.client.context.setsockopt(zmq.RECONNECT_IVL, 10)  # milliseconds
        self.client.start_channels()
        self._wait_for_ready()

    def _wait_for_ready(self) -> None:
        """Wait until all channels are heard, and no longer: there are many hundred kernels to be started."""
        for _ in range(2 * TIMEOUT):
            asked = self.client.kernel_info()
            with contextlib.suppress(Empty):
                while self.client.get_shell_msg(timeout=0.5)["parent_header"].get("msg_id") != asked:
                    pass  # an answer to an earlier question
                while True:
                    heard = self.client.get_iopub_msg(timeout=0.5)
                    is_its_own = heard["parent_header"].get("msg_id") == asked
                    if is_its_own and heard["content"].get("execution_state") == "idle":
                        return
        fact = "the kernel does not answer"
        raise TimeoutError(fact)

    def send(
        self, source: str, cell_id: str | None = None, *, history: bool = True, subshell: str | None = None
    ) -> str:
        """Send a cell without waiting for it."""
        content = {
            "code": source,
            "silent": False,
            "store_history": history,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": False,
        }
        message = self.client.session.msg("execute_request", content)
        message["metadata"]["cellId"] = cell_id
        if subshell is not None:
            message["header"]["subshell_id"] = subshell
        self.client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def run(self, source: str, cell_id: str | None = None) -> Executed:
        return self.wait(self.send(source, cell_id))

    def wait(self, message_id: str) -> Executed:
        """What a sent cell gave, once the kernel is idle again."""
        done = Executed("")
        while True:
            message = self.client.get_iopub_msg(timeout=TIMEOUT)
            if message["parent_header"].get("msg_id") != message_id:
                continue
            content = message["content"]
            match message["msg_type"]:
                case "stream":
                    done.streams += content["text"]
                case "execute_result":
                    done.results.append(content["data"]["text/plain"])
                case "display_data":
                    done.displays.append(content["data"])
                case "error":
                    done.errors.append(content)
                case "status" if content["execution_state"] == "idle":
                    break
                case _:
                    pass
        while True:
            reply = self.client.get_shell_msg(timeout=TIMEOUT)
            if reply["parent_header"].get("msg_id") == message_id:
                done.status = reply["content"]["status"]
                done.execution_count = reply["content"].get("execution_count")
                return done

    def tell(self, widget: str, content: dict[str, Any]) -> list[dict[str, Any]]:
        """Send a widget what its page would; what it sends back, once the kernel is idle again."""
        data = {"method": "custom", "content": content}
        message = self.client.session.msg("comm_msg", {"comm_id": widget, "data": data})
        self.client.shell_channel.send(message)
        heard = []
        while True:
            said = self.client.get_iopub_msg(timeout=TIMEOUT)
            if said["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            if said["msg_type"] == "comm_msg":
                heard.append(said["content"]["data"])
            if said["content"].get("execution_state") == "idle":
                return heard

    def wait_for_all(self, message_ids: Iterable[str]) -> None:
        """Wait until cells that run beside each other have ended, in whatever order."""
        running, unanswered = set(message_ids), set(message_ids)
        while running:
            message = self.client.get_iopub_msg(timeout=TIMEOUT)
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                running.discard(message["parent_header"].get("msg_id"))
        while unanswered:
            unanswered.discard(self.client.get_shell_msg(timeout=TIMEOUT)["parent_header"].get("msg_id"))

    @property
    def pid(self) -> int:
        return int(self.manager.provisioner.pid)  # type: ignore[union-attr]

    def new_subshell(self) -> str:
        """A thread of the kernel that executes cells while the main one is busy."""
        request = self.client.session.msg("create_subshell_request", {})
        self.client.control_channel.send(request)
        reply = self.client.get_control_msg(timeout=TIMEOUT)
        return str(reply["content"]["subshell_id"])

    def kill(self) -> None:
        """End the kernel as the system does when memory is short."""
        self.manager.provisioner.process.send_signal(signal.SIGKILL)  # type: ignore[union-attr]
        self.manager.provisioner.process.wait()  # type: ignore[union-attr]

    def wait_for_output(self, text: str) -> None:
        """Wait until a running cell has printed `text`."""
        seen = ""
        while text not in seen:
            message = self.client.get_iopub_msg(timeout=TIMEOUT)
            if message["msg_type"] == "stream":
                seen += message["content"]["text"]

    def events(self) -> list[Event]:
        """What the journals of the project hold now."""
        paths = sorted((self.project / ".cellops" / "journal").glob("*.jsonl"))
        return [event for path in paths for event, _ in read(path)]

    def cells(self) -> list[CellRecord]:
        return [event for event in self.events() if isinstance(event, CellRecord)]

    def opened(self) -> list[RunOpened]:
        return [event for event in self.events() if isinstance(event, RunOpened)]

    def closed(self) -> list[RunClosed]:
        return [event for event in self.events() if isinstance(event, RunClosed)]

    def stop(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()
