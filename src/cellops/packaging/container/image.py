"""The image of a package: what every file that builds or runs it has to agree on."""

import hashlib
import re
from dataclasses import dataclass

from cellops.packaging.environment.pins import names_of
from cellops.records.package import Provenance
from cellops.records.run import Environment

PACKAGE = "/package"
"""Where the package stands in the container."""
DATA = "/data"
"""Where the server keeps its logs, the only folder that it writes to."""
PORT = 8000
USER = 10001
"""A numeric user that no system has: Kubernetes refuses a name where it is told that nobody may be root."""
READY, LIVE, METRICS = "/v2/health/ready", "/v2/health/live", "/metrics"
TOKEN = "CELLOPS_SERVER_TOKEN"  # noqa: S105 - the name of the variable
GRACE = 40
"""Seconds from the signal to stop until it is no request any more: the server gives those under way 30."""
LONGEST_LABEL = 40
"""Kubernetes allows 63 characters, and KServe puts more behind a name before it makes a host of it."""
SYSTEM_LIBRARIES = {"lightgbm": "libgomp1"}
"""Debian's packages of what a distribution links to, does not bring itself, and slim images lack."""
MEBIBYTE = 2**20
STEP = 64 * MEBIBYTE
LEAST_MEMORY = 512
"""MiB that the server takes with a model of no size, and requests of usual ones."""
COPIES = 4
"""How many times its file a model takes in memory, at most, while it is loaded."""


@dataclass(frozen=True)
class Image:
    """How a package becomes an image."""

    model: str
    """The name of the package, by which clients ask."""
    label: str
    """The same as a DNS label (RFC 1035)."""
    tag: str
    python: str
    """Major and minor version."""
    cellops: str
    system: tuple[str, ...]
    """Debian's packages that it needs."""
    memory: int
    """In MiB, that it may need."""

    @property
    def name(self) -> str:
        return f"{self.label}:{self.tag}"


def image_of(size: int, serving: str, name: str, environment: Environment, provenance: Provenance) -> Image:
    """What is known of the image of a package before it is complete.

    Parameters
    ----------
    size
        Of its files together, without those that this makes.
    serving
        Its requirements for serving.

    Raises
    ------
    PackageError
        When these are more than names with versions.
    """
    needed = names_of(serving)
    return Image(
        model=name,
        label=dns_label(name),
        tag=re.sub(r"[^a-z0-9]", "", provenance.run[:8].lower()) or "latest",
        python=".".join(environment.python.split(".")[:2]),
        cellops=provenance.cellops,
        system=tuple(sorted({SYSTEM_LIBRARIES[name] for name in needed if name in SYSTEM_LIBRARIES})),
        memory=LEAST_MEMORY + -(-COPIES * size // STEP) * STEP // MEBIBYTE,
    )


def dns_label(name: str) -> str:
    """A name as Kubernetes takes it for any object: lower case, digits and hyphens, a letter first.

    Two names that differ stay different ones.

    Examples
    --------
    >>> dns_label("flights"), dns_label("7.Late_Flights")
    ('flights', 'model-7-late-flights-ec08d12e')
    """
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    plain = plain if plain[:1].isalpha() else f"model-{plain}".rstrip("-")
    if plain == name and len(plain) <= LONGEST_LABEL:
        return plain
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{plain[: LONGEST_LABEL - 9].rstrip('-')}-{digest}"
