"""A new environment, built from the lock of a run."""

import contextlib
import shutil
import sys
import sysconfig
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

from cellops.capture.environment.installer import Installer, InstallerError
from cellops.errors import VerificationError
from cellops.records.run import Environment

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
    installer = Installer.found(Path.cwd())
    on_stage("Making an environment")
    with _failing("The environment of the run cannot be built", "Verify in this environment: --env same"):
        python = installer.make(sys.executable, folder)
    on_stage(f"Installing {len(environment.distributions) - len(local)} distributions of the lock")
    remedy = "Make its distributions available, or verify with --env same"
    with _failing("The lock of the run cannot be rebuilt", remedy):
        installer.install(python, ["-r", str(lock)])
        site = installer.site(python)
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


@contextlib.contextmanager
def _failing(fact: str, remedy: str) -> Iterator[None]:
    """Let what an installer says when it fails be the error's fact."""
    try:
        yield
    except InstallerError as error:
        fact = f"{fact}: {' '.join((str(error), *error.log[1:]))[-SAID:]}"
        raise VerificationError(fact, remedy=remedy) from error
