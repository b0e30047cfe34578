"""The code of features in a package: a file for a person to read, which has to be the code that the model holds."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cellops.data.features.restored import RESTORED, Restored
from cellops.errors import IntegrityError
from cellops.packaging.formats import Format, Trust
from cellops.packaging.layout import FEATURES
from cellops.packaging.manifest import plain_name
from cellops.records.package import Manifest
from cellops.settings import FEATURE_TYPE


def write_features(folder: Path, model: bytes, model_format: Format, trust: Trust) -> None:
    """Write the code that a model's features execute beside it; a model without features is not loaded.

    Raises
    ------
    TrustError
        When the model may not be loaded.
    """
    may_hold = FEATURE_TYPE in trust.types or trust.pickle  # any other model with features is refused when it is loaded
    if not may_hold or FEATURE_TYPE not in model_format.untrusted(model):
        return
    with collecting() as restored:
        model_format.load(model, trust)
    for number, (name, source) in enumerate(dict.fromkeys(restored)):
        (folder / FEATURES).mkdir(exist_ok=True)
        path = folder / FEATURES / f"{plain_name(name)}.py"
        path = path.with_stem(f"{path.stem}-{number}") if path.exists() else path
        path.write_bytes(source.encode())


@contextmanager
def collecting() -> Iterator[Restored]:
    """What features are restored meanwhile: their names and sources."""
    found: Restored = []
    token = RESTORED.set(found)
    try:
        yield found
    finally:
        RESTORED.reset(token)


def require_shown(restored: Iterable[tuple[str, str]], manifest: Manifest) -> None:
    """Refuse features whose code does not stand in the package for everybody to read.

    Raises
    ------
    IntegrityError
        When the model holds other code.
    """
    shown = {file.sha256 for file in manifest.files if file.path.startswith(f"{FEATURES}/")}
    for name, source in restored:
        if hashlib.sha256(source.encode()).hexdigest() not in shown:
            fact = f"The model holds features {name} whose code stands in no file of {FEATURES}/"
            raise IntegrityError(fact, remedy="Build the package again from its run", path=f"{FEATURES}/{name}.py")
