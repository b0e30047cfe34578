"""Registered models: their versions, in which stage each is, and what was decided of it, by whom, on what evidence."""

from enum import StrEnum

from cellops.records.base import Record

CHAMPION = "champion"
CHALLENGER = "challenger"


class Stage(StrEnum):
    """How far a version has come."""

    DEVELOPMENT = "development"
    """It is registered; no package of it is known."""
    STAGING = "staging"
    """Its package is known by its digest."""
    PRODUCTION = "production"
    """It is the champion, and its package has passed its test deployment or somebody answers for it."""
    ARCHIVED = "archived"
    """Its package lies in the archive, and it is out of use."""


class DeploymentEvidence(Record, frozen=True, kw_only=True):
    """What the report of a test deployment has said of a package."""

    package: str
    """SHA-256 of the package's manifest."""
    passed: bool
    started: str
    """ISO 8601, UTC."""
    report: str
    """SHA-256 of the report."""


class Evidence(Record, frozen=True, kw_only=True):
    """On what a decision rests."""

    run: str | None = None
    mlflow_run_id: str | None = None
    package: str | None = None
    """SHA-256 of the package's manifest."""
    gates: dict[str, str] = {}
    """The gates that the run was held against, with what that has shown."""
    metrics: dict[str, float] = {}
    test: DeploymentEvidence | None = None
    archive: str | None = None
    """Where the archived package lies, without credentials."""


class Decision(Record, frozen=True, kw_only=True):
    """One step in the life of a version, with all that it changes, so that it can be carried out twice."""

    id: str
    """Begins with its time, so that decisions are in order by it."""
    verb: str
    model: str
    version: str
    time: str
    """ISO 8601, UTC."""
    who: str
    before: Stage | None
    stage: Stage
    aliases: dict[str, str | None] = {}
    """The version that each alias is given to; None where it is taken away."""
    others: dict[str, Stage] = {}
    """The stages of other versions that it changes: of the champion that is replaced."""
    evidence: Evidence = Evidence()
    overridden: tuple[str, ...] = ()
    """Requirements that were set aside, by their options."""
    reason: str = ""


class Underway(Record, frozen=True, kw_only=True):
    """A decision that somebody is carrying out, or was carrying out when their process ended."""

    decision: Decision
    machine: str
    """A digest of the machine's name."""
    process: int
    granted: bool = False
    """Whether nobody stood in its way: whoever comes next finishes it."""


class RegisteredVersion(Record, frozen=True, kw_only=True):
    """A version of a registered model."""

    model: str
    version: str
    stage: Stage
    aliases: tuple[str, ...] = ()
    source: str | None = None
    mlflow_run_id: str | None = None
    created: float
    """Seconds since the epoch."""
    package: str | None = None
    """SHA-256 of the manifest of its package."""
    archive: str | None = None
    decisions: tuple[Decision, ...] = ()
    """The first one first."""

    @property
    def test(self) -> DeploymentEvidence | None:
        """The newest test deployment of its package that a decision rests on."""
        known = [d.evidence.test for d in self.decisions if d.evidence.test is not None]
        return next((test for test in reversed(known) if test.package == self.package), None)


class RegisteredModel(Record, frozen=True, kw_only=True):
    """A registered model with all its versions."""

    name: str
    versions: tuple[RegisteredVersion, ...] = ()
    """The newest first."""
    aliases: dict[str, str] = {}
    """The version that each alias stands for."""
    underway: tuple[Underway, ...] = ()

    def version(self, number: str | None) -> RegisteredVersion | None:
        return next((one for one in self.versions if one.version == number), None)

    def of(self, alias: str) -> RegisteredVersion | None:
        """The version that has an alias."""
        return self.version(self.aliases.get(alias))


class Decided(Record, frozen=True, kw_only=True):
    """What a verb of the registry has come to."""

    version: RegisteredVersion
    decision: Decision | None
    """None where all was so already."""
    replaced: RegisteredVersion | None = None
    """The version whose place it took, as it was before."""
