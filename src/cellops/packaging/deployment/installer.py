"""uv where it is there, else Python's own venv and pip, each as the person has configured it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cellops.errors import DeploymentError
from cellops.packaging.deployment.processes import SHOWN, started, surroundings
from cellops.records.deployment import DeploymentStep

LONGEST = 3600
"""Seconds that an installer may take."""
MAKE_AVAILABLE = "Make the distributions available to uv or pip, or build the package where they are"
IDENTITY = "import sys, platform; print(sys.executable, sys.version, platform.machine(), sys.base_prefix)"


@dataclass(frozen=True)
class Installer:
    """What makes an environment and installs into it."""

    uv: str | None
    folder: Path
    """Where it is started, so that it reads the settings of the project."""

    @classmethod
    def found(cls, folder: Path) -> "Installer":
        beside = str(Path(sys.executable).parent)
        return cls(shutil.which("uv") or shutil.which("uv", path=beside), folder)

    @property
    def name(self) -> str:
        return "uv" if self.uv else "pip"

    def interpreter(self, wanted: str) -> str:
        """The Python that is meant: a path, a command, or for uv a version.

        Raises
        ------
        DeploymentError
            When there is none.
        """
        if self.uv:
            find = [self.uv, "python", "find", wanted]
            return self.run(find, f"There is no Python {wanted}", "Name another, or its path, with --python").strip()
        found = shutil.which(wanted) or shutil.which(f"python{wanted}")
        if found is None:
            fact = f"There is no Python {wanted}"
            raise _error(fact, "Install it, or uv, which brings it; or give its path")
        return found

    def identity(self, python: str) -> str:
        """What tells one Python from another."""
        return self.run([python, "-I", "-c", IDENTITY], f"{python} does not run").strip()

    def make(self, python: str, folder: Path) -> Path:
        """Make an empty environment, and give its Python."""
        uv = [self.uv or "", "venv", "--quiet", "--no-project", "--python", python, str(folder)]
        self.run(uv if self.uv else [python, "-m", "venv", str(folder)], "The environment cannot be made")
        return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def install(self, python: Path, what: Sequence[str]) -> None:
        """Install without what these would require today: offline where the cache has all of it.

        Raises
        ------
        DeploymentError
            When something cannot be had.
        """
        failed = "The lock of the package cannot be installed"
        if not self.uv:
            pip = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check"]
            self.run([*pip, *what], failed)
            return
        pip = [self.uv, "pip", "install", "--quiet", "--no-deps", "--python", str(python)]
        try:
            self.run([*pip, "--offline", *what], failed)
        except DeploymentError:
            self.run([*pip, *what], failed)

    def run(self, command: Sequence[str], failed: str, remedy: str = MAKE_AVAILABLE) -> str:
        """What a command prints.

        Raises
        ------
        DeploymentError
            When it fails, with its last words.
        """
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        try:
            with started(command, cwd=self.folder, env=surroundings(), **pipes) as process:
                out, err = process.communicate(timeout=LONGEST)
        except (OSError, subprocess.TimeoutExpired) as error:
            fact = f"{failed}: {error}"
            raise _error(fact, "See whether it can be started by hand") from error
        if process.returncode:
            said = [line.strip() for line in (err or out).splitlines() if line.strip()]
            fact = f"{failed}: {said[0] if said else process.returncode}"
            raise _error(fact, remedy, said[-SHOWN:])
        return out


def _error(fact: str, remedy: str, log: Sequence[str] = ()) -> DeploymentError:
    return DeploymentError(fact[:400], remedy=remedy, step=DeploymentStep.ENVIRONMENT, log=tuple(log))
