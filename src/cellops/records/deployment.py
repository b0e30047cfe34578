"""What a test deployment of a package has shown."""

from enum import StrEnum

from cellops.records.base import Record


class DeploymentStep(StrEnum):
    """The steps of a test deployment, in their order."""

    PACKAGE = "package"
    ENVIRONMENT = "environment"
    START = "start"
    PARITY = "parity"
    LOAD = "load"
    STOP = "stop"


class StepReport(Record, frozen=True, kw_only=True):
    """How one step went."""

    step: DeploymentStep
    passed: bool
    seconds: float
    said: str
    """What was seen, in one line."""
    remedy: str = ""
    """What to do about it, where it has failed."""
    log: tuple[str, ...] = ()
    """The last lines of what the installer or the server has said, where the step has failed."""


class BuiltEnvironment(Record, frozen=True, kw_only=True):
    """The environment that was built for the test."""

    python: str
    installer: str
    """`uv` or `pip`."""
    distributions: int
    cellops: str
    """Its version, and where it came from."""
    key: str
    """What stands for the environment: the same requirements, Python and cellops give the same one."""
    reused: bool


class WireParity(Record, frozen=True, kw_only=True):
    """The parity rows, asked over one protocol."""

    protocol: str
    rows: int
    different: tuple[int, ...] = ()
    """The first rows that were answered otherwise than in training."""
    largest: float = 0.0
    """The largest distance of a number from the one in training."""


class LoadFigures(Record, frozen=True, kw_only=True):
    """How many requests of single rows the server answered, asked from this machine: indicative."""

    connections: int
    seconds: float
    requests: int
    errors: int
    requests_per_second: float
    p50_ms: float
    p99_ms: float


class DeploymentReport(Record, frozen=True, kw_only=True):
    """A test deployment, from the package to the stopped server."""

    package: str
    """Its name."""
    digest: str
    """SHA-256 of its manifest."""
    run: str | None
    model_format: str
    cellops: str
    """The version that tested."""
    platform: str
    started: str
    """ISO 8601, UTC."""
    seconds: float
    steps: tuple[StepReport, ...] = ()
    environment: BuiltEnvironment | None = None
    parity: tuple[WireParity, ...] = ()
    load: LoadFigures | None = None

    @property
    def passed(self) -> bool:
        """Whether every step was taken, and went well."""
        return [one.step for one in self.steps] == list(DeploymentStep) and all(one.passed for one in self.steps)

    @property
    def failed(self) -> StepReport | None:
        return next((one for one in self.steps if not one.passed), None)
