"""The command line of a kernel, read without ipykernel's parser: making that takes a quarter of a kernel's start."""

import re
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from traitlets.config.loader import Config, DeferredConfigString

SETTING = re.compile(r"--(HistoryManager)\.(\w+)=(.*)", re.DOTALL)
LEVEL = re.compile(r"--IPKernelApp\.log_level=(\d+)")
CONNECTION_FILE = "-f"


def read_plainly(kernel: Any, arguments: Sequence[str]) -> None:
    """Let an application of ipykernel find on its command line what stands there, where that is plain."""
    found = config_of(arguments)
    if found is not None:
        kernel.argv = [*arguments]
        kernel.parse_command_line = lambda _=None: _configure(kernel, found)


def config_of(arguments: Sequence[str]) -> Config | None:
    """What arguments set; None where there are others than those that cellops gives to a kernel."""
    found = Config()
    own = found.IPKernelApp
    rest = [*arguments]
    while rest:
        one = rest.pop(0)
        setting, level = SETTING.fullmatch(one), LEVEL.fullmatch(one)
        if one == CONNECTION_FILE and rest and "connection_file" not in own:
            own.connection_file = rest.pop(0)
        elif level is not None and "log_level" not in own:
            own.log_level = int(level[1])
        elif setting is not None and setting[2] not in found[setting[1]]:
            # ipykernel's application does not know of this class, which itself makes of it what it is.
            found[setting[1]][setting[2]] = DeferredConfigString(setting[3])
        else:
            return None
    return found


def _configure(kernel: Any, found: Config) -> None:
    kernel.cli_config = deepcopy(found)
    kernel.update_config(kernel.cli_config)
    kernel.extra_args = []
