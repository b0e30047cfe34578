"""The format in which a package keeps its model, when another one is asked for than the run has kept it in."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.errors import PackageError, UsageError
from cellops.records.contract import Contract
from cellops.records.finding import Finding, Severity
from cellops.records.package import Provenance
from cellops.records.run import Environment
from cellops.settings import Settings

if TYPE_CHECKING:
    from cellops.packaging.formats import Trust

ASKED_FOR = ("onnx", "pmml")
PRECISIONS = ("int8", "float16")


@dataclass(frozen=True)
class Source:
    """What a package is built from."""

    folder: Path
    """The MLflow model."""
    contract: Contract
    environment: Environment
    provenance: Provenance


def require_known(wanted: str | None, quantise: str | None) -> None:
    """Refuse a format or precision that nobody can ask for.

    Raises
    ------
    UsageError
        Naming those that one can.
    """
    if quantise is not None and quantise not in PRECISIONS:
        fact = "There is no such precision to quantise a model to"
        raise UsageError(fact, received=quantise, remedy=f"Choose one of: {', '.join(PRECISIONS)}")
    if quantise is not None and wanted != "onnx":
        fact = "Only a model in ONNX can be quantised"
        raise UsageError(fact, remedy="Add --format onnx")
    if wanted is not None and wanted not in ASKED_FOR:
        fact = "There is no such format to convert a model to"
        raise UsageError(fact, received=wanted, remedy=f"Choose one of: {', '.join(ASKED_FOR)}; or none")


def in_format(
    source: Source,
    wanted: str | None,
    output: Path,
    settings: Settings,
    *,
    quantise: str | None = None,
    strict: bool = False,
) -> tuple[Source, tuple[Finding, ...]]:
    """The same model in the format that is asked for, if it answers the same there; else as it was, with a finding.

    Raises
    ------
    PackageError
        When it does not go into the format, and `strict`, has nothing to quantise, or an extra is not installed.
    """
    from cellops.packaging.conversion.convert import convert, requantised, require_onnx, with_runtime
    from cellops.packaging.conversion.pmml import require_pmml
    from cellops.packaging.formats import Trust

    if wanted is None:
        return source, ()
    (require_pmml if wanted == "pmml" else require_onnx)()
    trust = Trust(frozenset(settings.trusted), pickle=settings.allow_pickle)
    try:
        if wanted == "pmml":
            return _with_pmml(source, output, trust), ()
        conversion = convert(source.folder, source.contract, output, trust, quantise=quantise)
    except PackageError as error:
        if strict or quantise is not None:  # who wants a smaller model is not served with the larger one
            raise
        return source, (_stays(wanted, error),)
    provenance = source.provenance.replace(conversion=conversion)
    contract = source.contract if quantise is None else requantised(source.contract, output)
    return Source(output, contract, with_runtime(source.environment), provenance), ()


def _with_pmml(source: Source, output: Path, trust: "Trust") -> Source:
    from cellops.packaging.conversion.pmml import FILE, add_pmml

    exported = add_pmml(source.folder, source.contract, output, trust)
    return replace(source, folder=output, provenance=source.provenance.replace(exports={FILE: exported}))


def _stays(wanted: str, error: PackageError) -> Finding:
    return Finding(
        code="format-refused",
        severity=Severity.WARNING,
        where=f"--format {wanted}",
        seen=f"The package keeps the model as the run has it. {error.fact}",
        remedy=error.remedy,
    )
