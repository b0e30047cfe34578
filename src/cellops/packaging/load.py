"""Open a package: digests first, then JSON, then types, and the model last."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from cellops.errors import IntegrityError, PackageError
from cellops.packaging.consistency import require_consistent
from cellops.packaging.features import collecting, require_shown
from cellops.packaging.formats import FORMATS, Trust
from cellops.packaging.layout import CONTRACT, CONTRACT_PARTS, ENVIRONMENT, PROVENANCE, contract_part
from cellops.packaging.manifest import Verified, verify
from cellops.packaging.predictor import Predictor
from cellops.packaging.versions import explained, read_environment, require_same_python
from cellops.records.base import Record
from cellops.records.contract import Contract
from cellops.records.package import Manifest, Provenance
from cellops.records.run import Environment
from cellops.settings import BUILT_IN_TRUSTED_TYPES

R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class OpenedPackage:
    """A package whose files are those of its manifest, without its model."""

    path: Path
    manifest: Manifest
    digest: str
    """SHA-256 of the manifest, which stands for the whole package."""
    contract: Contract
    provenance: Provenance


@dataclass(frozen=True)
class LoadedPackage(OpenedPackage):
    """A package with its model."""

    predictor: Predictor
    environment: Environment | None = None
    """What it was made with; None where the package does not say it."""


def read_contract(path: Path, *, trusted_keys: Collection[bytes] = ()) -> OpenedPackage:
    """Verify a package and read what it says, without loading its model.

    Raises
    ------
    NotFoundError
        When there is no such package.
    SignatureError
        When there are trusted keys and none of them has signed it.
    IntegrityError
        When its files are not those of its manifest, or do not hold what they should.
    """
    wanted = (PROVENANCE, *map(contract_part, CONTRACT_PARTS))
    return open_verified(path.resolve(), verify(path, wanted=wanted, trusted_keys=trusted_keys))


def load_package(
    path: Path,
    *,
    trusted_types: Collection[str] = (),
    allow_pickle: bool = False,
    trusted_keys: Collection[bytes] = (),
) -> LoadedPackage:
    """Verify a package and load its model.

    Parameters
    ----------
    path
        The folder of the package, or its archive.
    trusted_types
        Types that its model may be made of besides the built-in allow-list. What the package says of this is not read.
    allow_pickle
        Whether a model that is kept as a pickle may be loaded.
    trusted_keys
        Public keys, of which one must have signed it. Where there are none, nobody needs to have signed it.

    Raises
    ------
    NotFoundError
        When there is no such package.
    SignatureError
        When there are trusted keys and none of them has signed it, before anything of it is parsed.
    IntegrityError
        When its files are not those of its manifest, before anything of it is parsed.
    TrustError
        When its model needs more trust than is given, before any of it is loaded.
    PackageError
        When the model cannot be loaded, or is a pickle of another Python.
    """
    models = [known.file for known in FORMATS.values()]
    wanted = (PROVENANCE, ENVIRONMENT, *map(contract_part, CONTRACT_PARTS), *models)
    verified = verify(path, wanted=wanted, trusted_keys=trusted_keys)
    opened = open_verified(path.resolve(), verified)
    model_format = FORMATS.get(opened.provenance.model_format)
    if model_format is None or model_format.file not in verified.content:
        fact = f"The package has no model in the format {opened.provenance.model_format}"
        raise PackageError(fact, remedy=f"Build it again; the formats are: {', '.join(FORMATS)}")
    trust = Trust(frozenset((*BUILT_IN_TRUSTED_TYPES, *trusted_types)), pickle=allow_pickle)
    environment = read_environment(verified.content.get(ENVIRONMENT))
    if model_format.name == "pickle" and allow_pickle:
        require_same_python(environment)
    with collecting() as restored, explained(environment):
        model = model_format.load(verified.content[model_format.file], trust)
    require_shown(restored, verified.manifest)
    return LoadedPackage(
        opened.path,
        opened.manifest,
        opened.digest,
        opened.contract,
        opened.provenance,
        model_format.predictor(model, opened.contract.schema),
        environment,
    )


def open_verified(path: Path, verified: Verified) -> OpenedPackage:
    """What a verified package says of itself.

    Raises
    ------
    IntegrityError
        When it does not hold what it should, or contradicts itself.
    """
    content = verified.content
    parts = {part: contract_part(part) for part in CONTRACT_PARTS}
    present = {part: msgspec.Raw(content[name]) for part, name in parts.items() if name in content}
    contract = _read(Contract, msgspec.json.encode(present), CONTRACT)
    require_consistent(contract)
    provenance = _read(Provenance, content.get(PROVENANCE, b""), PROVENANCE)
    return OpenedPackage(path, verified.manifest, verified.digest, contract, provenance)


def _read(kind: type[R], content: bytes, path: str) -> R:
    try:
        return kind.from_json(content)
    except (msgspec.DecodeError, RecursionError) as error:
        fact = f"{path} cannot be read: {error}"
        raise IntegrityError(fact, remedy="Build the package again", path=path) from error
