"""The interpreter that a kernel would be started with now, asked without starting the kernel."""

import os
import platform
import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from cellops.pipeline.cache.variables import hidden

OWN_NAMES = ("python", f"python{sys.version_info[0]}", f"python{sys.version_info[0]}.{sys.version_info[1]}")
"""What jupyter_client replaces by the interpreter that it runs in."""
ASK = """
import json, platform, sys
print(json.dumps([f"{platform.python_implementation()} {platform.python_version()}", sys.prefix, sys.path]))
"""
LONGEST = 60


class Interpreter(NamedTuple):
    """What there is to know of an interpreter."""

    version: str
    """Implementation and version."""
    prefix: str
    folders: tuple[str, ...]
    """Where it looks for modules."""


def interpreter_of(kernel: str) -> Interpreter | None:
    """The interpreter of an installed kernel; None where it does not answer, or is no Python."""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        spec = KernelSpecManager().get_kernel_spec(kernel)
    except NoSuchKernel:
        return None
    before_module = spec.argv[: spec.argv.index("-m")] if "-m" in spec.argv else spec.argv[:1]
    command = [sys.executable if part in OWN_NAMES else part for part in before_module]
    if command == [sys.executable] and not spec.env:
        return Interpreter(_version(), sys.prefix, tuple(sys.path))
    found = shutil.which(command[0]) if command else None
    if found is None:
        return None
    return _ask(tuple(command), tuple(sorted(spec.env.items())), Path(found).stat().st_mtime_ns)


def with_variables(kernel: str) -> str:
    """The name of an installed kernel, with what tells of the variables that it sets, if any."""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        given = KernelSpecManager().get_kernel_spec(kernel).env
    except NoSuchKernel:
        return kernel
    return f"{kernel} {hidden(repr(sorted(given.items())))}" if given else kernel


@lru_cache(maxsize=16)
def _ask(command: tuple[str, ...], variables: tuple[tuple[str, str], ...], _changed: int) -> Interpreter | None:
    """What an interpreter says; it is asked again when its file has changed."""
    try:
        answer = subprocess.run(  # noqa: S603 - the command of an installed kernel
            [*command, "-c", ASK],
            env=os.environ | dict(variables),
            capture_output=True,
            timeout=LONGEST,
            check=True,
        ).stdout
        return Interpreter(*msgspec.json.decode(answer, type=tuple[str, str, tuple[str, ...]]))
    except (OSError, subprocess.SubprocessError, msgspec.MsgspecError):
        return None


def _version() -> str:
    return f"{platform.python_implementation()} {platform.python_version()}"
