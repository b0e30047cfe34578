"""Build a package from the MLflow model of a run."""

import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cellops.capture.temporary import temporary_folder
from cellops.capture.turn import turn
from cellops.errors import CellopsError, NotFoundError, PackageError, TrustError
from cellops.packaging.archive import SUFFIX
from cellops.packaging.container.files import write_container
from cellops.packaging.copying import pack
from cellops.packaging.environment.files import write_environment
from cellops.packaging.features import write_features
from cellops.packaging.formats import FORMATS, Format, Trust
from cellops.packaging.layout import (
    CONTRACT_PARTS,
    MANIFEST,
    MLMODEL,
    MODEL_SETTINGS,
    PROVENANCE,
    contract_part,
)
from cellops.packaging.load import load_package
from cellops.packaging.manifest import verify, write
from cellops.packaging.mlmodel import normalised
from cellops.packaging.mlserver import model_settings
from cellops.packaging.parity import replay
from cellops.records.base import Record, pretty_json
from cellops.records.contract import Contract
from cellops.records.package import Provenance
from cellops.records.run import Environment
from cellops.settings import BUILT_IN_TRUSTED_TYPES, FEATURE_TYPE

OTHER_ARCHIVES = frozenset({".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst", ".7z", ".rar"})
"""Endings of what a package is not: a folder of such a name would mislead."""
LEFT_OUT = frozenset({"registered_model_meta"})
"""What MLflow writes into a model that it gives back: which registry it was asked of, and under what name."""


def build_package(
    model_folder: Path,
    contract: Contract,
    environment: Environment,
    provenance: Provenance,
    output: Path,
    *,
    name: str,
    trusted_types: Collection[str] = (),
    allow_pickle: bool = False,
) -> Path:
    """Copy an MLflow model, add what cellops knows of it, and prove that the copy answers as the model did.

    The package appears under its name when it is complete and has been loaded once; the same arguments give the
    same bytes.

    Parameters
    ----------
    model_folder
        The MLflow model directory of a run.
    contract, environment, provenance
        What goes with it. The provenance's `model_format` is set to what the folder holds.
    output
        The folder to make, or, where its name ends with `.zip`, the archive; one that is already there must be this
        very package.
    name
        The name of the package, for its manifest.
    trusted_types, allow_pickle
        As for `load_package`.

    Returns
    -------
    Path
        The folder of the package.

    Raises
    ------
    NotFoundError
        When the folder holds no MLflow model.
    TrustError
        When its model needs more trust than is given.
    PackageError
        When the output is there and is another one, cannot be written, or the model answers otherwise than in training.
    """
    model_format = _format(model_folder)
    if not allow_pickle and model_format.name == "pickle":
        fact = "The run keeps its model as a pickle, since skops cannot hold all types in it"
        remedy = "Name harmless ones in CELLOPS_TRUSTED_TYPES and run again, or set CELLOPS_ALLOW_PICKLE=true"
        raise TrustError(
            fact, remedy=remedy, types=model_format.untrusted((model_folder / model_format.file).read_bytes())
        )
    require_free(output)
    with _room_for(output) as folder:
        _copy(model_folder, folder)
        described = normalised((folder / MLMODEL).read_bytes(), provenance.created)
        (folder / MLMODEL).write_bytes(described)
        provenance = provenance.replace(model_format=model_format.name)
        _add_records(folder, contract, provenance)
        trust = Trust(frozenset((*BUILT_IN_TRUSTED_TYPES, *trusted_types)), pickle=allow_pickle)
        write_environment(folder, environment, provenance, _needing_trust(folder, model_format, trust))
        (folder / MODEL_SETTINGS).write_bytes(model_settings())
        write_features(folder, (folder / model_format.file).read_bytes(), model_format, trust)
        write_container(folder, name, environment, provenance)
        write(folder, name, provenance.run)
        loaded = load_package(folder, trusted_types=trusted_types, allow_pickle=allow_pickle)
        replay(contract, loaded.predictor)
        with turn(output.parent):
            _put(folder, output, loaded.digest)
    return output


def _put(folder: Path, output: Path, digest: str) -> None:
    """Let the package appear under its name, which somebody else can have taken since it was looked at."""
    if _is_empty(output):
        output.rmdir()
    if not output.exists():
        if output.suffix == SUFFIX:
            pack(folder, output)
        else:
            folder.rename(output)
    elif not _is_same(output, digest):
        fact = f"{output} is already there, and is not this package"
        raise PackageError(fact, remedy="Choose another folder, or remove it")


def require_free(output: Path) -> None:
    """Refuse at once an output that could only be refused when the package is complete.

    Raises
    ------
    PackageError
        When it is there already and holds something else, names no folder, or is called like another kind of archive.
    """
    if output.name in {"", ".."}:
        fact = "The output names no folder that could be made"
        raise PackageError(fact, received=str(output), remedy="Give the path of a new folder")
    if output.suffix.lower() in OTHER_ARCHIVES and not output.is_dir():
        fact = "A package is a folder or a zip archive, and this is called like another archive"
        raise PackageError(fact, received=output.name, remedy="Let the name end with .zip, or with no such ending")
    try:
        held = output.is_file() if output.suffix == SUFFIX else _is_empty(output) or (output / MANIFEST).is_file()
        free = not output.is_symlink() and (not output.exists() or held)
    except OSError as error:
        raise _unwritable(output, error) from error
    if not free:
        fact = f"{output} is already there, and is not this package"
        raise PackageError(fact, remedy="Choose another folder, or remove it")


def _unwritable(output: Path, error: OSError) -> PackageError:
    fact = f"The package cannot be written to {output.parent}: {error.strerror or error}"
    return PackageError(fact, remedy="Choose a folder on a disk with room where you may write")


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


@contextmanager
def _room_for(output: Path) -> Iterator[Path]:
    """A folder beside the output to work in; whatever goes wrong, nothing of it is left."""
    made = [folder for folder in output.parents if not folder.exists()]
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with temporary_folder(output.parent) as temporary:
            yield temporary / "package"
    except OSError as error:
        raise _unwritable(output, error) from error
    finally:
        for folder in made:  # those that hold the package stay
            with suppress(OSError):
                folder.rmdir()


def _format(model_folder: Path) -> Format:
    found = [known for known in FORMATS.values() if (model_folder / known.file).is_file()]
    if not (model_folder / MLMODEL).is_file() or len(found) != 1:
        fact = f"{model_folder} holds no MLflow model in a format that a package keeps: {', '.join(FORMATS)}"
        raise NotFoundError(fact, remedy="Package a run that has logged its model")
    return found[0]


def _copy(source: Path, target: Path) -> None:
    """Contents only: times and permissions of the download say nothing of the package."""
    target.mkdir(mode=0o755)
    for entry in sorted(path for path in source.iterdir() if path.name not in LEFT_OUT):
        if entry.is_symlink():
            fact = f"{entry.name} in the MLflow model is a link"
            raise PackageError(fact, remedy="Replace it by the file itself", path=entry.name)
        if entry.is_dir():
            _copy(entry, target / entry.name)
        else:
            shutil.copyfile(entry, target / entry.name)


def _needing_trust(folder: Path, model_format: Format, trust: Trust) -> list[str]:
    """The types of the model that are foreign; none are looked for where none could be loaded."""
    if trust.pickle or trust.types - {*BUILT_IN_TRUSTED_TYPES, FEATURE_TYPE}:
        return model_format.untrusted((folder / model_format.file).read_bytes())
    return []


def _add_records(folder: Path, contract: Contract, provenance: Provenance) -> None:
    files: dict[str, Record | dict[str, float] | tuple[Record, ...] | None]
    files = {contract_part(part): getattr(contract, part) for part in CONTRACT_PARTS}
    files[PROVENANCE] = provenance
    for path, held in files.items():
        if held:
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_bytes(pretty_json(held))


def _is_same(output: Path, digest: str) -> bool:
    try:
        return verify(output).digest == digest
    except CellopsError:
        return False
