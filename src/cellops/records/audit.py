"""What loading a package would run, found without loading it."""

from enum import StrEnum

from cellops.records.base import Record
from cellops.records.finding import Finding, Severity


class Trusted(StrEnum):
    """By whom something is trusted that loading takes part in."""

    FORMAT = "format"
    """By the library that reads the format."""
    BUILT_IN = "cellops"
    """By the built-in allow-list, as its numbers are checked on loading."""
    SETTINGS = "settings"
    """By the settings of whoever loads, and by nobody else."""
    NOBODY = "nobody"


class Piece(Record, frozen=True, kw_only=True):
    """One thing that takes part in loading."""

    kind: str
    """`type`, `global`, `library`, `operator`, `code`, `loader`."""
    name: str
    path: str
    """The file of the package that asks for it."""
    trusted: Trusted
    note: str = ""


class FeatureCode(Record, frozen=True, kw_only=True):
    """A file of code that the model's features execute when they are computed."""

    path: str
    functions: tuple[str, ...]
    """What it defines."""
    imports: tuple[str, ...]
    source: str


class Requirement(Record, frozen=True, kw_only=True):
    """A line by which something would be installed, were the environment of the package built."""

    line: str
    path: str
    name: str | None = None
    version: str | None = None
    foreign: str = ""
    """Why it is no version of an index: an address, a path, an option."""


class DeploymentFile(Record, frozen=True, kw_only=True):
    """A file by which the package is built into an image, or started."""

    path: str
    own: bool
    """Whether it is, to the byte, what this cellops writes for such a package."""


class SignedBy(Record, frozen=True, kw_only=True):
    """A signature beside the manifest."""

    key: str
    holds: bool
    """Whether it is that of the key over this manifest."""
    trusted: bool
    """Whether the settings name the key."""


class Audit(Record, frozen=True, kw_only=True):
    """Everything that loading a package would run."""

    path: str
    name: str | None = None
    digest: str | None = None
    """SHA-256 of the manifest."""
    files: int = 0
    size: int = 0
    """Of all files together, in bytes."""
    signatures: tuple[SignedBy, ...] = ()
    keys_wanted: int = 0
    """How many keys the settings trust; without any nobody needs to have signed."""
    model_format: str | None = None
    model: tuple[Piece, ...] = ()
    """What `cellops serve` and the others would load."""
    features: tuple[FeatureCode, ...] = ()
    mlflow: tuple[Piece, ...] = ()
    """What `mlflow.pyfunc.load_model` would run, which takes the package's word."""
    requirements: tuple[Requirement, ...] = ()
    deployment: tuple[DeploymentFile, ...] = ()
    findings: tuple[Finding, ...] = ()
    """Errors are why loading is refused, the digests first; warnings concern other programs."""
    runs_code: bool = False
    """Whether loading, if it were not refused, would run code that comes with the package."""
    verdict: str
    """The answer in one line."""

    @property
    def refused(self) -> bool:
        """Whether these settings refuse to load it."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)
