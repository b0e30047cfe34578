"""Names and versions as they may stand in a file that an installer reads: nothing that it would take for an option."""

import re

from packaging.requirements import InvalidRequirement, Requirement

from cellops.errors import PackageError
from cellops.records.environment import is_pin
from cellops.records.run import Environment

PYTHON = re.compile(r"3\.\d{1,3}\.\d{1,3}[\w.+]{0,20}", re.ASCII)
COMMENT = "#"


def pinned(name: str, version: str | None) -> str:
    """The line that installs a version of a distribution, or any version where it is not known.

    Raises
    ------
    PackageError
        When the name or the version is none.
    """
    if not is_pin(name, "0" if version is None else version):
        fact = (
            f"The run's environment has {name[:80]!r} in version {str(version)[:80]!r}, which no installer could read"
        )
        raise PackageError(fact, remedy="Install a released version of it, and run again")
    return f"{name}=={version}" if version is not None else name


def names_of(text: str) -> dict[str, str | None]:
    """The distributions that a file of requirements names, with the versions to which it pins them.

    Raises
    ------
    PackageError
        When a line is anything but a name with versions: an option, an address, a path.
    """
    found: dict[str, str | None] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith(COMMENT):
            continue
        try:
            required = Requirement(line.partition(f" {COMMENT}")[0])
        except InvalidRequirement:
            required = None
        if required is None or required.url is not None:
            # The line is not shown: an address can hold a password.
            fact = f"Line {number} of the model's requirements.txt is more than the name of a distribution"
            raise PackageError(fact, remedy="Log the model with requirements of the form name==version")
        exact = [one.version for one in required.specifier if one.operator == "=="]
        found[required.name] = exact[0] if len(exact) == 1 and not exact[0].endswith("*") else None
    return found


def require_python(environment: Environment) -> None:
    """Refuse an environment whose Python no image and no installer could be asked for.

    Raises
    ------
    PackageError
        When its version is none of CPython 3.
    """
    if not PYTHON.fullmatch(environment.python):
        fact = "The run's environment does not say which Python it had"
        raise PackageError(fact, received=environment.python[:80], remedy="Run it again, so that it is recorded")
