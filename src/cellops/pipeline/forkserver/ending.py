"""The end of a forked process: all that Python does at its end, but for taking apart the memory that it shares.

Python clears each module when it ends. In a forked process that copies the pages of everything that was imported
before the fork, which costs a kernel more than it took to begin.
"""

import atexit
import gc
import io
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn, Self

WITH_BUFFERS = (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom)
SUCCESS, FAILURE = 0, 1
PATIENCE = 1.0
"""Seconds for the thread that was asked to end the kernel to leave that request behind."""


@dataclass(frozen=True)
class Ahead:
    """The modules that were imported before the fork: noted before it, as looking at each copies shared memory."""

    names: frozenset[str]
    last: str
    module: object
    """What has the last of the names."""

    @classmethod
    def now(cls) -> Self:
        last = next(reversed(sys.modules))
        return cls(frozenset(sys.modules), last, sys.modules[last])

    def later(self) -> list[str]:
        """The names of modules that came since, in their order."""
        found = []
        for name in reversed(sys.modules):
            if name == self.last and sys.modules[name] is self.module:
                break
            if name not in self.names:
                found.append(name)
        return found[::-1]


def end(kernel: Any, ahead: Ahead) -> NoReturn:
    """End this process: its threads are waited for, what is registered for the end is done, what is open is written.

    Parameters
    ----------
    kernel
        ipykernel's application, the names of whose shell are given up.
    ahead
        The modules that were imported before the fork; those that came later are given up, too.
    """
    shell = kernel.shell
    try:
        # It writes what was printed by way of a thread that the application ends, and would wait ten seconds for it.
        kernel.control_thread.join(PATIENCE)
        _do_what_is_registered()
        _whatever_it_raises(lambda: _give_up(shell, ahead))
        _whatever_it_raises(_write_what_is_open)
    finally:
        os._exit(SUCCESS)


def end_program(main: Callable[[], object]) -> NoReturn:
    """Do what a command line does, and end this process with its exit code."""
    code = FAILURE
    try:
        code = _code_of(main)
        _do_what_is_registered()
        _whatever_it_raises(_write_what_is_open)
    finally:
        os._exit(code)


def _code_of(main: Callable[[], object]) -> int:
    try:
        main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else FAILURE if ended.code else SUCCESS
    except BaseException as error:  # noqa: BLE001 - told as Python tells it
        sys.excepthook(type(error), error, error.__traceback__)
        return FAILURE
    return SUCCESS


def _do_what_is_registered() -> None:
    """In the order of Python itself; multiprocessing ends its forked processes by the first of them, too."""
    for act in (threading._shutdown, atexit._run_exitfuncs):  # type: ignore[attr-defined]
        _whatever_it_raises(act)


def _whatever_it_raises(act: Callable[[], object]) -> None:
    """Do one thing of several at the end, as Python does: none of them keeps the others from being done."""
    try:
        act()
    except BaseException as error:  # noqa: BLE001 - told as Python tells it
        sys.excepthook(type(error), error, error.__traceback__)


def _give_up(shell: Any, ahead: Ahead) -> None:
    """Let go of what the user's names stand for, so that files and archives are closed as by the end of a script."""
    shown = shell.user_ns.get("_oh", {})
    for names in (shown, shell.user_ns, vars(shell.user_module), shell.user_ns_hidden):
        names.clear()
    sys.last_value = sys.last_traceback = None
    for name in ahead.later():
        module = sys.modules.pop(name)
        with suppress(TypeError, AttributeError):
            vars(module).clear()
    gc.collect()


def _write_what_is_open() -> None:
    """What other objects still hold open is written, at least as far as it came."""
    for one in gc.get_objects():
        if issubclass(type(one), WITH_BUFFERS):
            with suppress(OSError, ValueError):
                one.flush()
