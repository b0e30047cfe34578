"""One package at work: it answers, logs what it answers and takes labels, from its load to its last request."""

import gc
import time
from collections.abc import Callable

from cellops.data.decoder import Decoder, decode_columns
from cellops.packaging.formats import FORMATS
from cellops.packaging.load import LoadedPackage
from cellops.serving.backlog import Backlog
from cellops.serving.batching import Gather
from cellops.serving.dataplane import DataPlane
from cellops.serving.feedback import Feedback
from cellops.serving.limits import Limits
from cellops.serving.logs import Logs
from cellops.serving.metrics import Metrics
from cellops.serving.operated import operated
from cellops.serving.policies import NOTHING, Declared
from cellops.serving.prediction_ids import PredictionIds
from cellops.serving.sameness import answers_alike
from cellops.settings import Batching

VERSION_LENGTH = 12


def version_of(digest: str) -> str:
    """The version that a package of some digest is."""
    return digest[:VERSION_LENGTH]


class Model:
    """A version of a model, which is a package: its name is the manifest's, its version the digest's beginning.

    Parameters
    ----------
    package
        The package with its model.
    limits
        How much a request may ask for.
    metrics
        Those of the server.
    logs
        Without them it forgets what it answers.
    declared
        What the operator wants done with rows that cannot simply be answered.
    batching
        `auto` lets one call answer several requests where the model gives each row the same answer as alone; `always`
        also where the last bits differ; `off` never.

    Raises
    ------
    UsageError, SettingsError
        When what is declared does not fit the package.
    """

    def __init__(
        self,
        package: LoadedPackage,
        limits: Limits,
        metrics: Metrics,
        logs: Logs | None,
        *,
        declared: Declared = NOTHING,
        batching: Batching = "off",
    ) -> None:
        package = operated(package, declared)
        self.package = package
        self.name = package.manifest.name
        self.digest = package.digest
        self.version = version_of(package.digest)
        self.platform = FORMATS[package.provenance.model_format].platform
        self.limits = limits
        self.metrics = metrics.of(self.name, self.version)
        self.ids = PredictionIds(self.name)
        self.backlog = Backlog()
        self.logs = logs
        self.since = time.time()
        schema, gather = package.contract.schema, _gathers(batching, package)
        if logs is None:
            self.plane = DataPlane(package, self.metrics, limits, declared=declared, gather=gather)
            self.feedback = Feedback(schema, limits, self.ids, lambda _labels, _rows: True)
        else:
            self.plane = DataPlane(
                package,
                self.metrics,
                limits,
                logs.recorder.take,
                declared=declared,
                admit=logs.recorder.admit,
                gather=gather,
            )
            self.feedback = Feedback(schema, limits, self.ids, logs.take_labels)
            self.metrics.watch_losses("predictions", lambda: logs.predictions.lost_rows)
            self.metrics.watch_losses("labels", lambda: logs.labels.lost_rows)
            self.metrics.watch_uploads(logs.waiting)
        self.decoder = Decoder(self.plane.contract.schema)
        self._under_way = 0
        self._then: Callable[[], object] | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.name, self.version

    def require_ready(self) -> None:
        """Tell those who ask whether it answers; `NotReadyError` while what it answers could not be logged."""
        if self.logs is not None:
            self.logs.recorder.admit()

    def begin(self) -> None:
        """A request begins that may need this model; called in the thread of the event loop, as `end` and `retire`."""
        self._under_way += 1

    def end(self) -> None:
        self._under_way -= 1
        if self._then is not None and not self._under_way:
            self._then()

    def retire(self, then: Callable[[], object]) -> None:
        """Have `then` called once no request under way needs this model; no new one may begin."""
        self._then = then
        if not self._under_way:
            then()

    def close(self) -> None:
        """Close the logs, and let go of the package: tables that have been replaced may hold this for a while.

        What the logs have lost stays in the metrics.
        """
        # Else what refers to itself in the package would never be found, as it was there when the server began.
        gc.unfreeze()
        self.plane.close()
        del self.plane, self.package, self.decoder
        if self.logs is not None:
            self.logs.close()
            self.metrics.keep_losses()


def _gathers(batching: Batching, package: LoadedPackage) -> Gather:
    if batching != "auto":
        return batching == "always"
    contract, predictor = package.contract, package.predictor
    return lambda: answers_alike(predictor, decode_columns(contract.schema, contract.parity.inputs))
