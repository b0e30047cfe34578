"""What builds environments: uv where it is there, else venv and pip, each as the person has configured it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cellops.capture.environment.processes import SHOWN, started, surroundings
from cellops.settings import without_credentials

LONGEST = 3600
"""Seconds that an installer may take."""
IDENTITY = "import sys, platform; print(sys.executable, sys.version, platform.machine(), sys.base_prefix)"
SITE = "import sysconfig; print(sysconfig.get_path('purelib'))"


class InstallerError(Exception):
    """What an installer says when it fails: the first line, and in `log` the last ones."""

    def __init__(self, said: str, log: Sequence[str] = ()) -> None:
        super().__init__(said)
        self.log = tuple(log)


@dataclass(frozen=True)
class Installer:
    """Makes an environment and installs into it. Every method raises `InstallerError`."""

    uv: str | None
    folder: Path
    """Where it is started, so that it reads the settings that hold there."""

    @classmethod
    def found(cls, folder: Path) -> "Installer":
        beside = str(Path(sys.executable).parent)
        return cls(shutil.which("uv") or shutil.which("uv", path=beside), folder)

    @property
    def name(self) -> str:
        return "uv" if self.uv else "pip"

    def interpreter(self, wanted: str) -> str:
        """The Python that is meant: a path, a command, or for uv a version."""
        if self.uv:
            return self.run([self.uv, "python", "find", wanted]).strip()
        found = shutil.which(wanted) or shutil.which(f"python{wanted}")
        if found is None:
            fact = "there is no such command"
            raise InstallerError(fact)
        return found

    def identity(self, python: str) -> str:
        """What tells one Python from another."""
        return self.run([python, "-I", "-c", IDENTITY]).strip()

    def make(self, python: str, folder: Path) -> Path:
        """Make an empty environment, and give its Python."""
        uv = [self.uv or "", "venv", "--quiet", "--no-project", "--python", python, str(folder)]
        self.run(uv if self.uv else [python, "-m", "venv", str(folder)])
        return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def install(self, python: Path, what: Sequence[str]) -> None:
        """Install without what these would require today: offline where the cache has all of it."""
        if not self.uv:
            pip = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check"]
            self.run([*pip, *what])
            return
        pip = [self.uv, "pip", "install", "--quiet", "--no-deps", "--python", str(python)]
        try:
            self.run([*pip, "--offline", *what])
        except InstallerError:
            self.run([*pip, *what])

    def site(self, python: Path) -> Path:
        """Where an environment keeps what is installed."""
        return Path(self.run([str(python), "-c", SITE]).strip())

    def run(self, command: Sequence[str]) -> str:
        """What a command prints."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        try:
            with started(command, cwd=self.folder, env=surroundings(), **pipes) as process:
                out, err = process.communicate(timeout=LONGEST)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise InstallerError(without_credentials(str(error))) from error
        if process.returncode:
            # The address of an index can hold a password.
            said = [without_credentials(line.strip()) for line in (err or out).splitlines() if line.strip()]
            first = said[0] if said else f"{command[0]} ends with exit code {process.returncode}"
            raise InstallerError(first, said[-SHOWN:])
        return out
