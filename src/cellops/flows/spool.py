"""Fitted models on their way to the tracking store: pickled beside the journal, from where the writer takes them."""

import hashlib
import os
from pathlib import Path

from cellops.capture.environment.import_paths import project_paths
from cellops.capture.redaction import redact, redact_scalar
from cellops.capture.results.results import FittedModel, scalar_parameters
from cellops.capture.secrets import KNOWN
from cellops.capture.token_shapes import token_in
from cellops.errors import UsageError
from cellops.records.run import ModelSpool
from cellops.settings import Settings


def spool(model: FittedModel, run: str, settings: Settings) -> ModelSpool:
    """Write an estimator to the spool, readable by its owner only, from where the writer takes it.

    Raises
    ------
    UsageError
        When the estimator holds a value that is known as a secret, or a token: whoever has the model could read it.
    """
    import cloudpickle

    content = cloudpickle.dumps(model.estimator)
    if KNOWN.are_in(content):
        fact = f"{model.name} was not kept: the value of a Secret stands in it"
        raise UsageError(fact, remedy="Give the estimator no secret; read it where it is used")
    if token_in(content):
        fact = f"{model.name} was not kept: a text in it has the shape of an access token or a private key"
        raise UsageError(fact, remedy="Look at its parameters and at the names of the columns that it was fitted on")
    folder = settings.folder / "spool" / run
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(model.name.encode()).hexdigest()[:16]}.pkl"
    _write_private(path, content)
    kind = type(model.estimator)
    return ModelSpool(
        name=model.name,
        type=f"{kind.__module__}.{kind.__qualname__}",
        path=str(path),
        digest=hashlib.sha256(content).hexdigest(),
        parameters={redact(n): redact_scalar(n, v) for n, v in scalar_parameters(model.estimator).items()},
        import_paths=project_paths(),
    )


def _write_private(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
