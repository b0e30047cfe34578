"""What distributions require, and what these require in turn, by the metadata of those that are installed here."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import PathDistribution
from pathlib import Path
from typing import NamedTuple

from packaging.markers import default_environment
from packaging.requirements import InvalidRequirement, Requirement

from cellops.capture.environment.distributions import installed, normalise
from cellops.records.run import Environment

SYSTEMS = {"macOS": ("posix", "darwin", "Darwin"), "Windows": ("nt", "win32", "Windows")}
"""What markers call a system, by the beginning of its platform; every other one is taken for Linux."""
REQUIRES = re.compile(r"^Requires-Dist:[ \t]*(.+)$", re.MULTILINE)
OF_AN_EXTRA = re.compile(r";(?!.*\bor\b).*\bextra\s*==")
"""A marker that holds with an extra only: most requirements have one, and to read them all takes its time."""
LINUX = ("posix", "linux", "Linux")


class Closure(NamedTuple):
    """All that some distributions need, themselves among it, by normalised names."""

    names: frozenset[str]
    unknown: frozenset[str]
    """Those that are not installed here: they may need more."""


def closure(roots: Iterable[str], environment: Environment) -> Closure:
    """What distributions need on the machine of a run.

    Parameters
    ----------
    roots
        Their names.
    environment
        The run's: its Python and its system decide which requirements apply.
    """
    markers, here = _markers(environment), installed()
    waiting = [Requirement(root) for root in roots]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        required = waiting.pop()
        one = (normalise(required.name), frozenset(required.extras))
        if one not in seen:
            seen.add(one)
            waiting += _required(here.get(one[0]), one[1], markers)
    names = frozenset(name for name, _ in seen)
    return Closure(names, names - here.keys())


def _required(metadata: Path | None, extras: frozenset[str], markers: Mapping[str, str]) -> Iterator[Requirement]:
    """What an installed distribution requires with these extras."""
    for text in _told(metadata) if metadata is not None else ():
        if not extras and OF_AN_EXTRA.search(text):
            continue
        try:
            required = Requirement(text)
        except InvalidRequirement:  # of a distribution that was built before requirements had a grammar
            continue
        marker = required.marker
        if marker is None or any(marker.evaluate({**markers, "extra": extra}) for extra in ("", *extras)):
            yield required


def _told(metadata: Path) -> Sequence[str]:
    """The lines that name requirements. The library's own reader parses the whole description too: ten times slower."""
    try:
        head = (metadata / "METADATA").read_text(encoding="utf-8", errors="replace").partition("\n\n")[0]
    except OSError:
        return PathDistribution(metadata).requires or ()  # an egg has them elsewhere
    return REQUIRES.findall(head)


def _markers(environment: Environment) -> dict[str, str]:
    os_name, sys_platform, system = SYSTEMS.get(environment.platform.partition("-")[0], LINUX)
    here = {name: str(value) for name, value in default_environment().items()}
    return here | {
        "os_name": os_name,
        "sys_platform": sys_platform,
        "platform_system": system,
        "platform_machine": environment.machine,
        "implementation_name": environment.implementation.lower(),
        "platform_python_implementation": environment.implementation,
        "python_full_version": environment.python,
        "python_version": ".".join(environment.python.split(".")[:2]),
    }
