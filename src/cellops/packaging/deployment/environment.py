"""The environment of a test deployment: built from the package's requirements, found again by what it is made of."""

import contextlib
import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from filelock import FileLock

from cellops.capture.environment.distributions import installed, version_of
from cellops.capture.environment.installer import Installer, InstallerError
from cellops.errors import DeploymentError
from cellops.packaging.deployment import own_wheel, requirements
from cellops.packaging.deployment.requirements import Requirements
from cellops.packaging.layout import ENVIRONMENT, SERVING
from cellops.records.deployment import BuiltEnvironment, DeploymentStep
from cellops.records.run import Environment
from cellops.version import __version__

PLACE = "environments"
"""The folder of environments, below that of cellops."""
COMPLETE = "cellops-environment.json"
"""Written last: what an environment holds. One without it was left in the middle."""
DIGITS = 16
VERSION = "import platform; print(platform.python_version())"


@dataclass(frozen=True)
class Fresh:
    """An environment that is complete."""

    python: Path
    about: BuiltEnvironment


@dataclass(frozen=True)
class _Recipe:
    """What an environment is made of."""

    python: str
    identity: str
    needed: Requirements
    own: str
    """cellops: its wheel, or what an index is asked for."""
    said: str
    """The same for people."""

    @property
    def key(self) -> str:
        own = hashlib.sha256(Path(self.own).read_bytes()).hexdigest() if self.own.endswith(".whl") else self.own
        return hashlib.sha256(json.dumps([self.identity, self.needed.lines, own]).encode()).hexdigest()[:DIGITS]


@contextlib.contextmanager
def environment(
    content: Mapping[str, bytes],
    folder: Path,
    *,
    project: Path,
    python: str | None,
    keep: bool,
    on_stage: Callable[[str], None],
) -> Iterator[Fresh]:
    """An environment with what a package needs where it is served, for as long as the block lasts.

    Parameters
    ----------
    content
        Files of the package: its requirements and the environment of its run.
    folder
        The folder of environments. One that is there already is used again, and stays.
    project
        Where uv or pip is started.
    python
        A path, a command, or a version that uv finds; default is a Python of the version that the run had.
    keep
        Whether one that was built stays for the next call.
    on_stage
        Told what takes a while.

    Raises
    ------
    DeploymentError
        When it cannot be built. Nothing of it stays then.
    """
    installer = Installer.found(project)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        recipe = _recipe(content, installer, python, Path(temporary))
        target = folder / recipe.key
        with FileLock(f"{target}.lock"):  # also against `cellops clean`
            held = _complete(target)
            if held is None:
                remove(target)
            try:
                built = held or _build(recipe, target, installer, Path(temporary), on_stage)
                yield Fresh(_python(target), _about(recipe, built, installer, reused=held is not None))
            finally:
                if held is None and not (keep and _complete(target)):
                    remove(target)


def unused(folder: Path) -> list[Path]:
    """The environments that nobody works in."""
    return [path for path in folder.glob("*") if path.is_dir() and _is_free(path)]


def remove(target: Path) -> None:
    """Delete an environment; what is left when that is interrupted is not complete."""
    (target / COMPLETE).unlink(missing_ok=True)
    shutil.rmtree(target, ignore_errors=True)


def _is_free(path: Path) -> bool:
    lock = FileLock(f"{path}.lock")
    with contextlib.suppress(TimeoutError):
        lock.acquire(timeout=0)
        lock.release()
        return True
    return False


def _recipe(content: Mapping[str, bytes], installer: Installer, python: str | None, temporary: Path) -> _Recipe:
    needed = requirements.read(content)
    wanted = python or _of_the_run(content)
    with _failing(f"There is no Python {wanted}", "Name another, or its path, with --python"):
        interpreter = sys.executable if wanted is None else installer.interpreter(wanted)
        identity = installer.identity(interpreter)
    if own_wheel.is_needed():
        own, said = str(own_wheel.build(temporary)), f"{__version__}, from its files here"
    else:
        version = needed.cellops or __version__
        own, said = f"{own_wheel.OWN}=={version}", version
    return _Recipe(interpreter, identity, needed, own, said)


def _of_the_run(content: Mapping[str, bytes]) -> str | None:
    """The version of Python that the run had, without its last part; None where it is this one."""
    try:
        had = Environment.from_json(content.get(ENVIRONMENT, b"")).python.split(".")[:2]
    except msgspec.DecodeError as error:
        fact = f"{ENVIRONMENT} of the package cannot be read"
        remedy = "Build the package again: cellops package RUN"
        raise DeploymentError(fact, remedy=remedy, step=DeploymentStep.ENVIRONMENT) from error
    return None if had == list(map(str, sys.version_info[:2])) else ".".join(had)


def _build(
    recipe: _Recipe, target: Path, installer: Installer, temporary: Path, on_stage: Callable[[str], None]
) -> dict[str, Any]:
    hint = "" if installer.uv else " (with uv, where that is installed, it takes seconds)"
    on_stage(f"Making an environment with {installer.name}{hint}")
    with _failing("The environment cannot be made", "See whether Python can make one there: python -m venv"):
        python = installer.make(recipe.python, target)
    on_stage(f"Installing {len(recipe.needed.lines)} distributions of {SERVING}")
    lines = temporary / "requirements.txt"
    lines.write_text(recipe.needed.text(), encoding="utf-8")
    remedy = "Make the distributions available to uv or pip, or build the package where they are"
    with _failing("The lock of the package cannot be installed", remedy):
        installer.install(python, ["-r", str(lines)])
        on_stage(f"Installing cellops {recipe.said}")
        installer.install(python, [recipe.own])
        version = installer.run([str(python), "-I", "-c", VERSION]).strip()
    held = {"python": version, "installer": installer.name, "distributions": _distributions(target)}
    (target / COMPLETE).write_text(json.dumps(held), encoding="utf-8")
    return held


@contextlib.contextmanager
def _failing(fact: str, remedy: str) -> Iterator[None]:
    """Let an installer that fails be the failure of the step, with its last words."""
    try:
        yield
    except InstallerError as error:
        fact = f"{fact}: {error}"[:400]
        raise DeploymentError(fact, remedy=remedy, step=DeploymentStep.ENVIRONMENT, log=error.log) from error


def _complete(target: Path) -> dict[str, Any] | None:
    """What an environment holds; None where it is not complete, or not any more."""
    try:
        held: dict[str, Any] = json.loads((target / COMPLETE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return held if held.get("distributions") == _distributions(target) and _python(target).exists() else None


def _distributions(target: Path) -> dict[str, str]:
    sites = [
        str(path) for pattern in ("lib/python*/site-packages", "Lib/site-packages") for path in target.glob(pattern)
    ]
    return {name: version_of(at) for name, at in installed(sites).items()}


def _python(target: Path) -> Path:
    windows = target / "Scripts" / "python.exe"
    return windows if windows.exists() else target / "bin" / "python"


def _about(recipe: _Recipe, held: dict[str, Any], installer: Installer, *, reused: bool) -> BuiltEnvironment:
    return BuiltEnvironment(
        python=held["python"],
        installer=installer.name,
        distributions=len(held["distributions"]),
        cellops=recipe.said,
        key=recipe.key,
        reused=reused,
    )
