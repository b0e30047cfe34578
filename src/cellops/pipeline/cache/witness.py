"""What the kernel of a step does beside its cells: other threads, programs and processes, addresses of the network."""

import contextlib
import functools
import sys
import time
from types import FrameType
from typing import Any

from cellops.capture.files.audit import opens
from cellops.capture.files.doings import PROGRAMS, doing, program
from cellops.capture.files.recording import Recording
from cellops.pipeline.cache.imports import imports
from cellops.pipeline.cache.loaded import HEARD as LOADING
from cellops.pipeline.cache.loaded import loaded
from cellops.records.guarding import Heard

FORKS = frozenset({"os.fork", "os.forkpty"})
STARTERS = frozenset(
    {
        "joblib.externals.loky.backend.popen_loky_posix",
        "joblib.externals.loky.backend.popen_loky_win32",
        "loky.backend.popen_loky_posix",
        "loky.backend.popen_loky_win32",
        "multiprocessing.popen_forkserver",
        "multiprocessing.popen_spawn_posix",
        "multiprocessing.popen_spawn_win32",
    }
)
"""Modules that are imported when the first process is started that way: Python announces none of these processes."""
OF_THE_MACHINE = frozenset(
    {
        "cpuinfo",
        "fc-list",
        "file",
        "gcc",
        "ld",
        "ldconfig",
        "lscpu",
        "nproc",
        "nvidia-smi",
        "objdump",
        "sysctl",
        "uname",
    }
)
"""Programs that libraries start to find out about the machine."""
CONNECTING = "socket.connect"
HEARD = frozenset({*FORKS, *PROGRAMS, *LOADING, CONNECTING})
PROCESSES = "it starts processes"


class Witness:
    """Hears what happens from its start to the end of the process."""

    def __init__(self) -> None:
        self.began = time.time_ns()
        self.elsewhere: Recording = opens().begin(None)
        """What is opened and listed in other threads than those of cells."""
        self._before = STARTERS & sys.modules.keys()
        self._heard: dict[str, None] = {}
        self.imports = imports()
        """What its imports look for."""
        self._loaded: dict[str, None] = {}
        self.imports.begin()
        sys.addaudithook(self._hear)

    def unknown(self) -> tuple[str, ...]:
        """What was done of which nobody knows what that has read."""
        started = STARTERS & sys.modules.keys() - self._before
        missed = len(self.elsewhere.missed)
        more = ([PROCESSES] if started else []) + ([f"its threads open {missed} files more"] if missed else [])
        return tuple(dict.fromkeys((*self._heard, *more)))

    def loaded(self) -> tuple[str, ...]:
        """The files from which code was loaded that was not installed; none that this process has made."""
        return tuple(path for path in list(self._loaded) if not self.elsewhere.has_made(path))

    def _hear(self, event: str, given: tuple[Any, ...]) -> None:
        if event in HEARD:
            with contextlib.suppress(Exception):  # the user's own call must go on
                self._note(event, given, sys._getframe(1))

    def _note(self, event: str, given: tuple[Any, ...], caller: FrameType) -> None:
        if event in FORKS:
            self._heard[PROCESSES] = None
        elif event in PROGRAMS:
            self._note_program(program(event, given))
        elif event == CONNECTING:
            self._note_address(doing(event, given))
        else:
            path = loaded(event, given, caller)
            self._loaded.update({} if path is None else {path: None})

    def _note_program(self, heard: Heard | None) -> None:
        if heard is not None and (heard.refused or heard.name not in OF_THE_MACHINE):
            self._heard[f"it starts {heard.name}"] = None

    def _note_address(self, heard: Heard | None) -> None:
        if heard is not None:
            self._heard[f"it reaches {heard.name}"] = None


@functools.cache
def witness() -> Witness:
    """The one witness of this process: an audit hook stays until the process ends."""
    return Witness()
