"""A new environment, built from the lock of a run."""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from cellops.errors import VerificationError
from cellops.records.run import Environment

LONGEST = 3600
"""Seconds that an installer may take."""
LOCK = "lock.txt"
OWN_FOLDER = Path(__file__).parents[3]
"""From where this process imports cellops."""
SAID = 400
"""Characters of an installer's last words that an error repeats."""


def build(environment: Environment, folder: Path, on_stage: Callable[[str], None]) -> Path:
    """Build the environment of a run, and give its Python.

    The distributions of the lock come from the index that uv or pip is configured with, without what they would
    require today. Those that no index has are copied from this environment, where they have to be installed.

    Raises
    ------
    VerificationError
        When the Python of the run is not this one, a distribution cannot be had, or an installer fails.
    """
    _require_python(environment)
    local = {name: _installed(name, environment.distributions[name]) for name in environment.local}
    lock = folder.parent / LOCK
    lock.write_text(environment.lock(), encoding="utf-8")
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    on_stage("Making an environment")
    make = [uv, "venv", "--quiet", "--python", sys.executable] if uv else [sys.executable, "-m", "venv"]
    _run([*make, str(folder)])
    pip = [uv, "pip", "install", "--python", str(python)] if uv else [str(python), "-m", "pip", "install"]
    on_stage(f"Installing {len(environment.distributions) - len(local)} distributions of the lock")
    _run([*pip, "--quiet", "--no-deps", "-r", str(lock)])
    site = _site(python)
    for held in local.values():
        _copy(held, site)
    if not any((site / "cellops").glob("__init__.py")):
        (site / "cellops-of-the-verifier.pth").write_text(f"{OWN_FOLDER}\n", encoding="utf-8")
    return python


def _require_python(environment: Environment) -> None:
    wanted, have = environment.python, ".".join(map(str, sys.version_info[:3]))
    if wanted.split(".")[:2] != have.split(".")[:2]:
        fact = f"The run was made with Python {wanted}, and this is {have}"
        short = ".".join(wanted.split(".")[:2])
        raise VerificationError(fact, remedy=f"Install cellops in an environment with Python {short}, and verify there")


def _installed(name: str, version: str) -> metadata.Distribution:
    """A distribution that no index can bring, as it is installed here."""
    remedy = "Install it here, then verify again; or verify in this environment: --env same"
    try:
        found = metadata.distribution(name)
    except metadata.PackageNotFoundError as error:
        fact = f"The run used {name} {version}, which no index has and which is not installed here"
        raise VerificationError(fact, remedy=remedy) from error
    if found.version != version:
        fact = f"The run used {name} {version}, which no index has, and {found.version} is installed here"
        raise VerificationError(fact, remedy=remedy)
    return found


def _copy(distribution: metadata.Distribution, site: Path) -> None:
    """Copy what a distribution has put into this environment; of an editable one, the link to its folder."""
    own = [Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")]
    for listed in distribution.files or []:
        source = Path(str(listed.locate()))
        root = next((folder for folder in own if source.is_relative_to(folder)), None)
        if root is not None and source.is_file() and "__pycache__" not in source.parts:
            target = site / source.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def _site(python: Path) -> Path:
    script = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return Path(_run([str(python), "-c", script]).strip())


def _run(command: list[str]) -> str:
    """Run an installer; what it says last is the error's fact.

    Raises
    ------
    VerificationError
        When it fails.
    """
    hidden = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    try:
        done = subprocess.run(  # noqa: S603 - our own command
            command, capture_output=True, text=True, timeout=LONGEST, check=False, env=environment
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        fact = f"The environment of the run cannot be built: {error}"
        raise VerificationError(fact, remedy="Verify in this environment: --env same") from error
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())[-SAID:]
        fact = f"The lock of the run cannot be rebuilt: {said}"
        raise VerificationError(fact, remedy="Make its distributions available, or verify with --env same")
    return done.stdout
