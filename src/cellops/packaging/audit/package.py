"""The audit of a package: all its parts, and the verdict."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import msgspec

from cellops.errors import CellopsError, IntegrityError, PackageError
from cellops.packaging.audit.arrays import require_plain_arrays
from cellops.packaging.audit.deployment import deployment_files
from cellops.packaging.audit.features import feature_code, require_shown_in_file
from cellops.packaging.audit.files import Found, find, several
from cellops.packaging.audit.mlflow_loader import mlflow_pieces
from cellops.packaging.audit.model import is_model, model_pieces, require_trusted
from cellops.packaging.audit.requirements import FILES, requirements
from cellops.packaging.container.files import is_container_file
from cellops.packaging.formats import FORMATS, Format, Trust
from cellops.packaging.formats.skops import Skops
from cellops.packaging.layout import CONTRACT, ENVIRONMENT, FEATURES, MLMODEL, PROVENANCE
from cellops.packaging.load import open_verified
from cellops.packaging.manifest import Verified
from cellops.packaging.signature import holds, public_text
from cellops.records.audit import Audit, DeploymentFile, Piece, Requirement, SignedBy, Trusted
from cellops.records.finding import Finding, Severity
from cellops.records.package import Provenance
from cellops.settings import FEATURE_TYPE
from cellops.version import __version__

SHOWN = 4
"""Files that a finding names."""


def audit_package(package: Path, trust: Trust, trusted_keys: Collection[bytes] = ()) -> Audit:
    """Say what loading a package would run, without loading it.

    What is not what the manifest says is named first and not looked into; where keys are trusted and none of them has
    signed, nothing is.

    Parameters
    ----------
    package
        Its folder or its archive.
    trust, trusted_keys
        What whoever would load it trusts.

    Raises
    ------
    NotFoundError
        When there is no such package.
    PackageError
        When it is neither a folder nor an archive.
    """
    found = find(package, _is_wanted, trusted_keys)
    problems = list(several(found.problems))
    model_format = _format(found, problems)
    pieces = _pieces(model_format, found.content, trust, problems)
    problems += [] if problems else _contract_problems(package, found)
    mlflow, requested = _mlflow(found.content, trust), tuple(requirements(found.content))
    manifest = found.manifest
    deployment = tuple(deployment_files(manifest, found.content))
    findings = (*map(_finding, problems), *_warnings(mlflow, requested), *_foreign(deployment))
    return Audit(
        path=str(package),
        name=manifest.name if manifest else None,
        digest=found.digest,
        files=len(manifest.files) if manifest else 0,
        size=sum(file.size for file in manifest.files) if manifest else 0,
        signatures=tuple(_signatures(found, trusted_keys)),
        keys_wanted=len(trusted_keys),
        model_format=model_format.name if model_format else None,
        model=pieces,
        features=tuple(feature_code(found.content)),
        mlflow=mlflow,
        requirements=requested,
        deployment=deployment,
        findings=findings,
        runs_code=_runs_code(pieces),
        verdict=_verdict(problems, pieces),
    )


def _is_wanted(path: str) -> bool:
    ours = path.startswith((f"{CONTRACT}/", f"{FEATURES}/")) or path in {PROVENANCE, MLMODEL, ENVIRONMENT, *FILES}
    return ours or is_model(path) or is_container_file(path)


def _format(found: Found, problems: list[CellopsError]) -> Format | None:
    """The format in which loading would look for the model."""
    if PROVENANCE not in found.content:
        return None
    try:
        name = Provenance.from_json(found.content[PROVENANCE]).model_format
    except (msgspec.DecodeError, RecursionError) as error:
        fact = f"{PROVENANCE} cannot be read: {error}"
        problems.append(IntegrityError(fact, remedy="Build the package again", path=PROVENANCE))
        return None
    known = FORMATS.get(name)
    if known is None or (known.file not in found.content and not problems):
        fact = f"The package has no model in the format {name}"
        problems.append(PackageError(fact, remedy=f"Build it again; the formats are: {', '.join(FORMATS)}"))
    return known


def _pieces(
    model_format: Format | None, content: Mapping[str, bytes], trust: Trust, problems: list[CellopsError]
) -> tuple[Piece, ...]:
    """What the model's file names; what stands in the way of loading it is added to the problems."""
    if model_format is None or model_format.file not in content:
        return ()
    model = content[model_format.file]
    pieces: tuple[Piece, ...] = ()
    try:
        pieces = tuple(model_pieces(model_format, model, trust))
        require_trusted(model_format, model, pieces, trust)
        if isinstance(model_format, Skops):
            require_plain_arrays(model)
            require_shown_in_file(model, content)
    except PackageError as error:
        problems.append(error)
    return pieces


def _contract_problems(package: Path, found: Found) -> Iterator[CellopsError]:
    assert found.manifest is not None  # noqa: S101 - else there is a problem already
    try:
        open_verified(package, Verified(found.manifest, str(found.digest), found.content))
    except PackageError as error:
        yield error


def _mlflow(content: Mapping[str, bytes], trust: Trust) -> tuple[Piece, ...]:
    try:
        return tuple(mlflow_pieces(content[MLMODEL], trust.types)) if MLMODEL in content else ()
    except ValueError as error:
        note = f"cannot be read: {error}"
        return (Piece(kind="loader", name=MLMODEL, path=MLMODEL, trusted=Trusted.NOBODY, note=note),)


def _finding(error: CellopsError) -> Finding:
    where = str(error.data.get("path", "the package"))
    return Finding(code=error.code, severity=Severity.ERROR, where=where, seen=error.fact, remedy=error.remedy)


def _warnings(mlflow: tuple[Piece, ...], requested: tuple[Requirement, ...]) -> Iterator[Finding]:
    foreign = [piece for piece in mlflow if piece.trusted is Trusted.NOBODY]
    for piece in foreign:
        yield Finding(
            code="mlflow-runs-code",
            severity=Severity.WARNING,
            where=MLMODEL,
            seen=f"mlflow.pyfunc.load_model would take {piece.kind} {piece.name}: {piece.note}",
            remedy="Do not load it by MLflow, nor by servers that use it, unless you trust its origin",
        )
    for line in requested:
        if line.foreign:
            yield Finding(
                code="foreign-requirement",
                severity=Severity.WARNING,
                where=line.path,
                seen=f"{line.line[:200]} is {line.foreign}, not a version of an index",
                remedy="Read it before you build an environment of the package",
            )


def _foreign(deployment: tuple[DeploymentFile, ...]) -> Iterator[Finding]:
    paths = [file.path for file in deployment if not file.own]
    if paths:
        more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
        yield Finding(
            code="foreign-deployment",
            severity=Severity.WARNING,
            where=paths[0],
            seen=f"Not what cellops {__version__} writes for this package: {', '.join(paths[:SHOWN])}{more}",
            remedy="Read them before you build or start anything by them, or package the run anew",
        )


def _signatures(found: Found, trusted_keys: Collection[bytes]) -> Iterator[SignedBy]:
    trusted = set(map(public_text, trusted_keys))
    for one in found.signatures.signatures if found.signatures else ():
        yield SignedBy(key=one.key, holds=holds(str(found.digest), one), trusted=one.key in trusted)


def _runs_code(pieces: tuple[Piece, ...]) -> bool:
    return any(piece.kind == "global" or piece.name == FEATURE_TYPE for piece in pieces)


def _verdict(problems: list[CellopsError], pieces: tuple[Piece, ...]) -> str:
    if problems:
        more = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
        return f"Refused before anything is loaded: {problems[0].fact}{more}"
    if any(piece.kind == "global" for piece in pieces):
        return "Loading can run any code, which the settings allow: the model is a pickle"
    if _runs_code(pieces):
        return "Loading runs no code of the package, answering does, which the settings allow: its features"
    trusted = sum(piece.trusted is Trusted.SETTINGS for piece in pieces)
    by = f"; {trusted} of its types are trusted by the settings alone" if trusted else ""
    return f"Loading runs no code of the package{by}"
