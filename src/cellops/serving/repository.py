"""The packages of a server: loaded and proven beside those at work, then put in their place in one step."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from cellops.packaging.load import LoadedPackage
from cellops.records.finding import Finding
from cellops.serving.limits import Limits
from cellops.serving.logs import Logs
from cellops.serving.metrics import Metrics
from cellops.serving.model import Model
from cellops.serving.models import Models
from cellops.settings import Settings


@dataclass(frozen=True)
class Source:
    """How packages come to work.

    Parameters
    ----------
    load
        Opens a package with its model.
    prove
        Replays its parity rows.
    log_folder
        Where a model of some name logs.
    """

    load: Callable[[Path], LoadedPackage]
    prove: Callable[[LoadedPackage], None]
    log_folder: Callable[[str], Path]


@dataclass(frozen=True)
class Placed:
    """A model at work, and where its package lies."""

    path: Path
    model: Model


class Repository:
    """Holds what a server answers with.

    Parameters
    ----------
    source
        How packages come to work.
    limits
        How much a request may ask for.
    settings
        The logs' rhythm.
    """

    def __init__(self, source: Source, limits: Limits, settings: Settings) -> None:
        self.metrics = Metrics()
        self._source = source
        self._limits = limits
        self._settings = settings
        self._placed: tuple[Placed, ...] = ()
        self._findings: list[Finding] = []

    def start(self, paths: Iterable[Path]) -> Models:
        """Load packages and prove each of them, before any logs.

        Raises
        ------
        CellopsError
            As loading a package does.
        PackageError
            When a model does not answer the parity rows as it did in training.
        UsageError
            When a package is given twice, or a log cannot be written.
        """
        packages = [(path, self._proven(path)) for path in paths]
        for path, package in packages:
            self._placed = (*self._placed, Placed(path, self._at_work(package)))
        return self._table(self._placed)

    def close(self) -> None:
        """Close all logs, when every request has been answered."""
        for placed in self._placed:
            self._end(placed.model)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the logs of all that have ended have lost, and what of them is damaged."""
        return tuple(dict.fromkeys(self._findings))

    def _proven(self, path: Path) -> LoadedPackage:
        package = self._source.load(path)
        self._source.prove(package)
        return package

    def _at_work(self, package: LoadedPackage) -> Model:
        folder = self._source.log_folder(package.manifest.name)
        logs = Logs.open(folder, package.contract.schema, self._settings)
        return Model(package, self._limits, self.metrics, logs, self._settings.server_batching)

    def _table(self, placed: Iterable[Placed]) -> Models:
        return Models([each.model for each in placed], self.metrics)

    def _end(self, model: Model) -> None:
        model.close()
        if model.logs is not None:
            self._findings += model.logs.findings()
