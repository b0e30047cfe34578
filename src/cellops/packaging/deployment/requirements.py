"""What a package says is to be installed where it is served."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cellops.capture.environment.distributions import normalise
from cellops.errors import DeploymentError
from cellops.packaging.layout import SERVING
from cellops.records.deployment import DeploymentStep

OWN = "cellops"
LINE = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]*)(?:\[[\w,. -]*\])?\s*==\s*(?P<version>[\w.!+-]+)"
    r"(?P<marker>\s*;[^\n]*?)?(?:\s+--hash=sha256:[0-9a-f]{64})*"
)
"""One distribution in one version. No address, path, option or second file: these would name what to run."""


@dataclass(frozen=True)
class Requirements:
    """Distributions that an index brings, each in its version."""

    lines: tuple[str, ...]
    """Without cellops itself."""
    cellops: str | None
    """The version of cellops among them."""

    def text(self) -> str:
        return "\n".join(self.lines) + "\n"


def read(content: Mapping[str, bytes]) -> Requirements:
    """The requirements for serving.

    Parameters
    ----------
    content
        What the files of the package hold.

    Raises
    ------
    DeploymentError
        When there are none, or a line is anything else than a distribution with its version.
    """
    lines: list[str] = []
    version = None
    for text in content.get(SERVING, b"").decode(errors="replace").replace("\\\n", " ").splitlines():
        line = re.split(r"(?:^|\s)#", text, maxsplit=1)[0].strip()
        match = LINE.fullmatch(line)
        if match is None and line:
            fact = f"{SERVING} of the package holds what is no distribution with its version"
            remedy = "Build the package again: cellops package RUN"
            raise DeploymentError(fact, received=line, remedy=remedy, step=DeploymentStep.ENVIRONMENT)
        if match is not None and normalise(match["name"]) == OWN:
            version = match["version"]
        elif match is not None:
            lines.append(line)
    if not lines:
        fact = f"The package names no distributions in {SERVING}"
        remedy = "Build it again: cellops package RUN"
        raise DeploymentError(fact, remedy=remedy, step=DeploymentStep.ENVIRONMENT)
    return Requirements(tuple(lines), version)
