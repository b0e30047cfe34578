"""The model of a run that is to be converted."""

from pathlib import Path
from typing import Any

from cellops.errors import PackageError
from cellops.packaging.formats import FORMATS, Format, Trust

SCIKIT_LEARN = ("skops", "pickle")


def loaded(folder: Path, trust: Trust, wanted: str) -> tuple[Format, Any]:
    """The estimator in an MLflow folder, and the format that keeps it.

    Raises
    ------
    PackageError
        When the folder holds none of scikit-learn.
    TrustError
        When loading it needs more trust than is given.
    """
    found = [known for known in FORMATS.values() if (folder / known.file).is_file()]
    if len(found) != 1:
        fact = "The run keeps no model in a format that a package knows"
        raise PackageError(fact, remedy="Package a run that has logged its model")
    known = found[0]
    if known.name not in SCIKIT_LEARN:
        fact = f"A model in the format {known.name} is not converted to {wanted}"
        raise PackageError(fact, remedy=f"Package it in {known.name}, which is served as safely")
    return known, known.load((folder / known.file).read_bytes(), trust)
