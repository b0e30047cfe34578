"""The format in which a package keeps its model, when another one is asked for than the run has kept it in."""

from dataclasses import dataclass, replace
from pathlib import Path

from cellops.errors import PackageError, UsageError
from cellops.records.contract import Contract
from cellops.records.finding import Finding, Severity
from cellops.records.package import Provenance
from cellops.records.run import Environment
from cellops.settings import Settings

ASKED_FOR = ("onnx",)


@dataclass(frozen=True)
class Source:
    """What a package is built from."""

    folder: Path
    """The MLflow model."""
    contract: Contract
    environment: Environment
    provenance: Provenance


def require_known(wanted: str | None) -> None:
    """Refuse a format that nobody can ask for.

    Raises
    ------
    UsageError
        Naming those that one can.
    """
    if wanted is not None and wanted not in ASKED_FOR:
        fact = "There is no such format to convert a model to"
        raise UsageError(fact, received=wanted, remedy=f"Choose one of: {', '.join(ASKED_FOR)}; or none")


def in_format(
    source: Source, wanted: str | None, output: Path, settings: Settings, *, strict: bool
) -> tuple[Source, tuple[Finding, ...]]:
    """The same model in the format that is asked for, if it answers the same there; else as it was, with a finding.

    Raises
    ------
    PackageError
        When it does not go into the format, and `strict`.
    """
    from cellops.packaging.conversion.convert import convert, with_runtime
    from cellops.packaging.formats import Trust

    if wanted is None:
        return source, ()
    trust = Trust(frozenset(settings.trusted), pickle=settings.allow_pickle)
    try:
        conversion = convert(source.folder, source.contract, output, trust)
    except PackageError as error:
        if strict:
            raise
        return source, (_stays(wanted, error),)
    provenance = source.provenance.replace(conversion=conversion)
    return replace(source, folder=output, environment=with_runtime(source.environment), provenance=provenance), ()


def _stays(wanted: str, error: PackageError) -> Finding:
    return Finding(
        code="format-refused",
        severity=Severity.WARNING,
        where=f"--format {wanted}",
        seen=f"The package keeps the model as the run has it. {error.fact}",
        remedy=error.remedy,
    )
