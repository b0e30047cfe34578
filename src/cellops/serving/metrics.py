"""What Prometheus reads at /metrics: histograms in base units, named as the field names them."""

from collections.abc import Callable
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REQUEST_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
ROW_BUCKETS = (1, 10, 100, 1_000, 10_000, 100_000)
SERVED = ("model", "version")
"""Labels of every metric."""
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The metrics of one server, in a registry of their own."""

    def __init__(self, model: str, version: str) -> None:
        self.registry = CollectorRegistry()
        self._names = (model, version)
        served = list(SERVED)
        self._requests = Histogram(
            "cellops_request_seconds",
            "Time from the first byte of a request to its answer",
            [*served, "route", "protocol", "code"],
            registry=self.registry,
            buckets=REQUEST_BUCKETS,
        )
        self._predictions = Histogram(
            "cellops_predict_seconds",
            "Time in the model",
            served,
            registry=self.registry,
            buckets=REQUEST_BUCKETS,
        )
        self._rows = Histogram(
            "cellops_request_rows", "Rows in a request", served, registry=self.registry, buckets=ROW_BUCKETS
        )
        self._unseen = Counter(
            "cellops_unseen_category_rows",
            "Rows with a category that the training data never had",
            [*served, "column"],
            registry=self.registry,
        )
        self._rules = Counter(
            "cellops_rule_failed_rows",
            "Rows that break an expectation of the contract",
            [*served, "rule", "column", "severity"],
            registry=self.registry,
        )
        self._labels = Counter("cellops_labels", "Labels that arrived", served, registry=self.registry)
        self._unknown_labels = Counter(
            "cellops_unknown_labels",
            "Labels that arrived for predictions that no server of this model has made",
            served,
            registry=self.registry,
        )
        self._in_progress = Gauge(
            "cellops_requests_in_progress", "Requests that are being answered", served, registry=self.registry
        )
        self._lost = Gauge(
            "cellops_log_lost_rows", "Rows that could not be logged", [*served, "log"], registry=self.registry
        )
        self._to_upload = Gauge(
            "cellops_log_waiting_segments",
            "Closed segments of the logs that are not at their address yet",
            served,
            registry=self.registry,
        )
        self.in_progress = self._in_progress.labels(*self._names)
        self.predict_seconds = self._predictions.labels(*self._names)
        self.rows = self._rows.labels(*self._names)
        self.labels = self._labels.labels(*self._names)
        self.unknown_labels = self._unknown_labels.labels(*self._names)
        self.request_seconds = lru_cache(maxsize=256)(self._request_seconds)

    def _request_seconds(self, route: str, protocol: str, code: int) -> Histogram:
        return self._requests.labels(*self._names, route, protocol, str(code))

    def count_unseen(self, column: str, rows: int) -> None:
        self._unseen.labels(*self._names, column).inc(rows)

    def count_failures(self, rule: str, column: str, severity: str, rows: int) -> None:
        self._rules.labels(*self._names, rule, column, severity).inc(rows)

    def watch_losses(self, log: str, lost: Callable[[], float]) -> None:
        """Read the rows that a log has lost whenever the metrics are read."""
        self._lost.labels(*self._names, log).set_function(lost)

    def watch_uploads(self, waiting: Callable[[], float]) -> None:
        """Count the segments that wait for their upload whenever the metrics are read."""
        self._to_upload.labels(*self._names).set_function(waiting)

    def total(self, sample: str) -> int:
        """What a sample that has no labels of its own says now."""
        value = self.registry.get_sample_value(sample, dict(zip(SERVED, self._names, strict=True)))
        return int(value or 0)

    def text(self) -> bytes:
        return generate_latest(self.registry)
