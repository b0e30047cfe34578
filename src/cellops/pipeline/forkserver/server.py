"""The program that forks kernels: started by its path with a kernel's own interpreter, it imports what they need.

Its standard input is a socket. It says there that it is ready, or why it cannot be; reads what to start, an object of
JSON a line; and answers with the number of each process, and with how that ended. It ends with the socket.
"""

import sys

if __name__ == "__main__":
    del sys.path[0]  # the folder of this file; the kernel itself puts the notebook's in front

import gc
import json
import os
import select
import signal
import socket
import warnings
from contextlib import suppress
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

if TYPE_CHECKING:
    from cellops.pipeline.forkserver.ending import Ahead


OTHERS = "other modules were imported than are needed"
"""The problem of a process that has guessed wrong; the next one is told."""
MOST_AT_ONCE = 1 << 16


class Lines:
    """The lines that come from a socket, of which one may be there with the one before."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._held = b""

    @property
    def is_there(self) -> bool:
        """Whether one can be read without waiting."""
        return b"\n" in self._held

    def read(self) -> bytes:
        """The next one; nothing when nobody will send any more."""
        while not self.is_there:
            more = self._channel.recv(MOST_AT_ONCE)
            if not more:
                return b""
            self._held += more
        line, _, self._held = self._held.partition(b"\n")
        return line


def serve(channel: socket.socket, orders: Lines) -> dict[str, Any] | None:
    """Fork a process for each order, until nobody listens.

    Returns
    -------
    dict or None
        In a forked process, the order that it is there for; None in this one, at the end.
    """
    woken, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    # What is not looked at again stays shared, and costs nothing when a kernel ends; looking for garbage among it would
    # take longer than all of it is worth.
    gc.freeze()
    gc.enable()
    while True:
        ready = [channel.fileno()] if orders.is_there else select.select([channel.fileno(), woken], [], [])[0]
        if woken in ready:
            os.read(woken, 4096)
            for ended in _ended():
                _say(channel, ended)
        if channel.fileno() in ready:
            line = orders.read()
            if not line:
                return None
            try:
                process = _fork()
            except OSError:  # too many processes, or too little memory: it may be had by other means
                _say(channel, {"process": None})
                continue
            if not process:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for number in (woken, wakes, channel.detach()):
                    os.close(number)
                order: dict[str, Any] = json.loads(line)
                return order
            _say(channel, {"process": process})


def _fork() -> int:
    """Fork; Python warns where there are threads, and those of the libraries are known to allow it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _ended() -> list[dict[str, int]]:
    """The processes that have ended by now, with their exit codes; below zero it is a signal's."""
    found: list[dict[str, int]] = []
    while True:
        try:
            process, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if not process:
            return found
        found.append({"ended": process, "code": os.waitstatus_to_exitcode(status)})


def _say(channel: socket.socket, what: dict[str, Any]) -> None:
    with suppress(OSError):  # nobody listens any more, and the next line that is read says so
        channel.sendall(json.dumps(what).encode() + b"\n")


class WithoutModules:
    """Stands for `sys` where ipykernel lists the files of all modules, for a debugger that these kernels do not have.

    Looking at each module copies the memory that it shares with the other kernels.
    """

    modules: ClassVar[dict[str, Any]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(sys, name)


def become_a_program(order: dict[str, Any]) -> NoReturn:
    """Be what the command line `cellops` of an order would have started; what it says goes to a file."""
    import runpy

    from cellops.pipeline.forkserver.ending import end_program

    _stand_alone(order)
    with Path(order["log"]).open("ab") as log:
        for number in (1, 2):
            os.dup2(log.fileno(), number)
    # Those that are open already remember what kind of file stood there.
    sys.stdout = os.fdopen(1, "w", encoding=sys.stdout.encoding, closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, encoding=sys.stderr.encoding, errors=sys.stderr.errors, closefd=False)
    sys.path.insert(0, order["folder"])  # as for any module that is run
    sys.argv = ["cellops", *order["arguments"]]
    end_program(lambda: runpy.run_module("cellops", run_name="__main__", alter_sys=True))


def _stand_alone(order: dict[str, Any]) -> None:
    """Begin a session, in the folder of an order and with its environment."""
    os.setsid()
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["folder"])


def become_a_kernel(order: dict[str, Any], ahead: "Ahead") -> NoReturn:
    """Be what the command line of an order would have started."""
    import ipykernel.ipkernel
    from ipykernel.kernelapp import IPKernelApp

    from cellops.pipeline.forkserver.command_line import read_plainly
    from cellops.pipeline.forkserver.ending import end

    parent = os.environ["JPY_PARENT_PID"]
    _stand_alone(order)
    os.environ["JPY_PARENT_PID"] = parent
    sys.argv = [str(sys.modules["__main__"].__file__), *order["arguments"]]
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()  # it was seeded when it was imported, and every kernel would draw the same numbers
    kernel = IPKernelApp.instance()
    read_plainly(kernel, order["arguments"])
    vars(ipykernel.ipkernel)["sys"] = WithoutModules()
    kernel.initialize()  # type: ignore[no-untyped-call]
    vars(ipykernel.ipkernel)["sys"] = sys
    if "__mp_main__" in sys.modules:  # multiprocessing remembers the main module that it is imported with
        sys.modules["__mp_main__"] = sys.modules["__main__"]
    kernel.start()  # type: ignore[no-untyped-call]
    end(kernel, ahead)


def main() -> NoReturn:
    """Import what is asked for, and fork."""
    gc.disable()  # imports leave next to no garbage, and looking for it would take a fifth of their time
    channel = socket.socket(fileno=os.dup(0))
    os.environ["JPY_PARENT_PID"] = str(os.getpid())  # ipykernel reads it when it is imported
    problem = _import_what_kernels_need()  # it may take a while until somebody knows what else
    orders = Lines(channel)
    told = json.loads(orders.read() or "null")
    guessed: tuple[list[str], str | None] | None = None
    if told and "notebook" in told:
        guessed = None if problem else _import_what_a_notebook_seems_to_need(Path(told["notebook"]))
        told = json.loads(orders.read() or "null")
    if not told:
        sys.exit()
    problem = problem or _import_what_a_notebook_needs(told, guessed)
    _say(channel, {"problem": problem})
    if problem is None:
        from cellops.pipeline.forkserver.ending import Ahead

        ahead = Ahead.now()
        order = serve(channel, orders)
        if order is not None and "log" in order:
            become_a_program(order)
        if order is not None:
            become_a_kernel(order, ahead)
    os._exit(0)  # what was imported need not be taken apart, and nothing is to be written


def _pass_for_the_launcher() -> None:
    """Let the main module be that of a kernel's command line, as what is imported ahead may see it."""
    found = find_spec("ipykernel_launcher")
    if found is None:
        fact = "ipykernel is not installed"
        raise ImportError(fact)
    main = module_from_spec(found)
    main.__name__ = "__main__"
    sys.modules["__main__"] = main


def _import_what_kernels_need() -> str | None:
    try:
        _pass_for_the_launcher()
        # Each kernel needs these.
        import cellops.pipeline.forkserver.command_line
        import cellops.pipeline.forkserver.ending  # noqa: F401
        from cellops.pipeline.forkserver.ahead import KERNEL, import_ahead

        # Nobody attaches a debugger to these kernels, and its import costs each of them a tenth of a second.
        sys.modules["debugpy"] = None  # type: ignore[assignment]  # what Python takes for: is not there
        try:
            return import_ahead(KERNEL, Path.cwd())
        finally:
            del sys.modules["debugpy"]
    except Exception as error:  # noqa: BLE001 - kernels can be started without this
        return f"{type(error).__name__}: {error}"


def _import_what_a_notebook_seems_to_need(notebook: Path) -> tuple[list[str], str | None]:
    """What it has imported, and what stood in the way."""
    from cellops.pipeline.forkserver.candidates import modules_of_file

    modules = [*modules_of_file(notebook)]
    return modules, _import_what_is_named(modules, notebook.parent)


def _import_what_a_notebook_needs(told: dict[str, Any], guessed: tuple[list[str], str | None] | None) -> str | None:
    if guessed is None or not guessed[0]:
        return _import_what_is_named(told["modules"], Path(told["folder"]))
    return guessed[1] if guessed[0] == told["modules"] else OTHERS


def _import_what_is_named(modules: list[str], folder: Path) -> str | None:
    from cellops.pipeline.forkserver.ahead import import_ahead

    try:
        return import_ahead(modules, folder)
    except Exception as error:  # noqa: BLE001 - kernels can be started without this
        return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    main()
