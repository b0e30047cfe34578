"""The metrics of workers beside each other: each writes its own down every second, and any of them can say the sum.

What a worker has counted stays when it dies: Prometheus takes a counter that falls for one that began again.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from prometheus_client import Metric
from prometheus_client.samples import Sample

EVERY = 1.0
"""Seconds between two writings: as old may be what others are said to have counted."""
NOW = frozenset({"cellops_requests_in_progress"})
"""Samples of what is now, which end with their worker."""
Labels = tuple[tuple[str, str], ...]
logger = logging.getLogger(__name__)


class Counted(msgspec.Struct, frozen=True, array_like=True):
    """One sample."""

    metric: str
    name: str
    labels: Labels
    value: float


class Exchange:
    """One worker's part of a folder that all workers of a server share.

    Parameters
    ----------
    folder
        The folder.
    worker
        A name that no other worker has; the process that takes its place has another.
    """

    def __init__(self, folder: Path, worker: str) -> None:
        self._folder = folder
        self._file = folder / f"{worker}.json"

    @contextmanager
    def written(self, collect: Callable[[], Iterable[Metric]]) -> Iterator[None]:
        """Write down what is collected, again and again and a last time at the end."""
        ended = threading.Event()

        def write_on() -> None:
            while not ended.wait(EVERY):
                self.write(collect())

        thread = threading.Thread(target=write_on, name="cellops-exchange", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            self.write(collect())

    def write(self, metrics: Iterable[Metric]) -> None:
        samples = [
            Counted(metric.name, sample.name, tuple(sorted(sample.labels.items())), sample.value)
            for metric in metrics
            for sample in metric.samples
        ]
        beside = self._file.with_suffix(".new")
        try:
            beside.write_bytes(msgspec.json.encode(samples))
            beside.replace(self._file)
        except OSError as error:
            logger.error("The metrics of a worker were not written: %s", os.strerror(error.errno or 0))  # noqa: TRY400

    def with_others(self, metrics: Iterable[Metric]) -> list[Metric]:
        """These metrics and those of all other workers together."""
        return added(metrics, [path for path in self._folder.glob("*.json") if path != self._file])


def added(metrics: Iterable[Metric], files: Iterable[Path]) -> list[Metric]:
    """Metrics with the samples of some files added; a file that cannot be read adds nothing."""
    own = list(metrics)
    values: dict[str, dict[tuple[str, Labels], float]] = {
        metric.name: {(s.name, tuple(sorted(s.labels.items()))): s.value for s in metric.samples} for metric in own
    }
    for each in (counted for path in files for counted in _read(path)):
        known = values.get(each.metric)
        if known is not None:
            place = each.name, each.labels
            one = known.get(place)
            known[place] = each.value if one is None else _together(each.name, one, each.value)
    for metric in own:
        found = values[metric.name].items()
        metric.samples = [Sample(name, dict(labels), value) for (name, labels), value in found]
    return own


def _together(name: str, one: float, other: float) -> float:
    """A sample of two workers as one: their sum, and of times at which counting began the earlier one."""
    return min(one, other) if name.endswith("_created") else one + other


def total(folder: Path, sample: str) -> int:
    """What all workers have counted of a sample until they last wrote it down."""
    return int(
        sum(counted.value for path in folder.glob("*.json") for counted in _read(path) if counted.name == sample)
    )


def settle(folder: Path, worker: str) -> None:
    """Leave of a worker that has died what it has counted, and nothing of what it was doing."""
    path = folder / f"{worker}.json"
    kept = [counted for counted in _read(path) if counted.name not in NOW]
    if path.exists():
        path.write_bytes(msgspec.json.encode(kept))


def _read(path: Path) -> list[Counted]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Counted])
    except (OSError, msgspec.DecodeError):
        return []
