"""What Prometheus reads at /metrics: histograms in base units, named as the field names them."""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Metric, generate_latest
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from cellops.serving.counting import Histogram, Level, Observed
from cellops.serving.exchange import Exchange

REQUEST_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
ROW_BUCKETS = (1, 10, 100, 1_000, 10_000, 100_000)
SERVED = ("model", "version")
"""Labels of every metric."""
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics(Collector):
    """The metrics of one server, in a registry of their own.

    Parameters
    ----------
    exchange
        Through which those of other workers are known.
    """

    def __init__(self, exchange: Exchange | None = None) -> None:
        self.registry = CollectorRegistry()
        self._exchange = exchange
        served = list(SERVED)
        self.requests = Histogram(
            "cellops_request_seconds",
            "Time from the first byte of a request to its answer",
            [*served, "route", "protocol", "code"],
            REQUEST_BUCKETS,
            self.registry,
        )
        self.predictions = Histogram(
            "cellops_predict_seconds",
            "Time in the model",
            served,
            REQUEST_BUCKETS,
            self.registry,
        )
        self.explanations = Histogram(
            "cellops_explain_seconds",
            "Time to explain the rows of a request",
            served,
            REQUEST_BUCKETS,
            self.registry,
        )
        self.evaluations = Counter(
            "cellops_explain_evaluations",
            "Rows that the model answered for explanations",
            served,
            registry=self.registry,
        )
        self.rows = Histogram("cellops_request_rows", "Rows in a request", served, ROW_BUCKETS, self.registry)
        self.unseen = Counter(
            "cellops_unseen_category_rows",
            "Rows with a category that the training data never had",
            [*served, "column"],
            registry=self.registry,
        )
        self.rules = Counter(
            "cellops_rule_failed_rows",
            "Rows that break an expectation of the contract",
            [*served, "rule", "column", "severity"],
            registry=self.registry,
        )
        self.handled = Counter(
            "cellops_handled_rows",
            "Rows that were not just answered: a value was imputed, a fallback stepped in, rules adjusted an answer",
            [*served, "handling", "of"],
            registry=self.registry,
        )
        self.rules_times = Histogram(
            "cellops_rules_seconds",
            "Time in the operator's rules",
            served,
            REQUEST_BUCKETS,
            self.registry,
        )
        self.labels = Counter("cellops_labels", "Labels that arrived", served, registry=self.registry)
        self.unknown_labels = Counter(
            "cellops_unknown_labels",
            "Labels that arrived for predictions that no server of this model has made",
            served,
            registry=self.registry,
        )
        self.wrong_tokens = Counter(
            "cellops_wrong_tokens",
            "Requests with a token that is none of those that the server takes",
            served,
            registry=self.registry,
        )
        self.shown = Counter(
            "cellops_shadow_requests",
            "Requests for a challenger in the shadow, by what became of them",
            [*served, "outcome"],
            registry=self.registry,
        )
        self.to_review = Counter(
            "cellops_review_rows",
            "Answers that cellops review puts before a person, as their confidence is low or the row was handled",
            served,
            registry=self.registry,
        )
        self.in_progress = Gauge(
            "cellops_requests_in_progress", "Requests that are being answered", served, registry=self.registry
        )
        self.to_upload = Gauge(
            "cellops_log_waiting_segments",
            "Closed segments of the logs that are not at their address yet",
            served,
            registry=self.registry,
        )
        self.lost = Gauge(
            "cellops_log_lost_rows", "Rows that could not be logged", [*served, "log"], registry=self.registry
        )

    def of(self, model: str, version: str) -> "ModelMetrics":
        """Those of one version of a model."""
        return ModelMetrics(self, model, version)

    def samples(self) -> Iterator[Sample]:
        """All that the metrics say now."""
        return (sample for metric in self.registry.collect() for sample in metric.samples)

    def total(self, sample: str) -> int:
        """What a sample says now, over all that was ever served."""
        return int(sum(each.value for each in self.samples() if each.name == sample))

    def text(self) -> bytes:
        return generate_latest(self)

    def collect(self) -> Iterable[Metric]:
        """Those of all workers."""
        return (
            self.registry.collect() if self._exchange is None else self._exchange.with_others(self.registry.collect())
        )


class ModelMetrics:
    """The metrics of one version of a model, among those of a server."""

    def __init__(self, metrics: Metrics, model: str, version: str) -> None:
        self._all = metrics
        self.names = (model, version)
        self._losses: dict[str, Callable[[], float]] = {}
        self._waiting: Callable[[], float] = float
        self.in_progress = Level()
        metrics.in_progress.labels(*self.names).set_function(self.in_progress)
        self.predict_seconds = metrics.predictions.labels(*self.names)
        self.explain_seconds = metrics.explanations.labels(*self.names)
        self.explain_evaluations = metrics.evaluations.labels(*self.names)
        self.rows = metrics.rows.labels(*self.names)
        self.rules_seconds = metrics.rules_times.labels(*self.names)
        self.labels = metrics.labels.labels(*self.names)
        self.unknown_labels = metrics.unknown_labels.labels(*self.names)
        self.wrong_tokens = metrics.wrong_tokens.labels(*self.names)
        self.request_seconds = lru_cache(maxsize=256)(self._request_seconds)
        # To look the labels up takes longer than to hand a request over.
        self._shown = lru_cache(partial(metrics.shown.labels, *self.names))

    def _request_seconds(self, route: str, protocol: str, code: int) -> Observed:
        return self._all.requests.labels(*self.names, route, protocol, str(code))

    def count_unseen(self, column: str, rows: int) -> None:
        self._all.unseen.labels(*self.names, column).inc(rows)

    def count_failures(self, rule: str, column: str, severity: str, rows: int) -> None:
        self._all.rules.labels(*self.names, rule, column, severity).inc(rows)

    def count_handled(self, handling: str, of: str, rows: int) -> None:
        self._all.handled.labels(*self.names, handling, of).inc(rows)

    def count_shown(self, outcome: str) -> None:
        self._shown(outcome).inc()

    def watch_losses(self, log: str, lost: Callable[[], float]) -> None:
        """Read the rows that a log has lost whenever the metrics are read."""
        self._losses[log] = lost
        self._all.lost.labels(*self.names, log).set_function(lost)

    def watch_uploads(self, waiting: Callable[[], float]) -> None:
        """Count the segments that wait for their upload whenever the metrics are read."""
        self._waiting = waiting
        self._all.to_upload.labels(*self.names).set_function(waiting)

    def keep_losses(self) -> None:
        """Read what the logs tell for the last time: the logs are closed, and nothing shall hold on to them."""
        for log, lost in self._losses.items():
            last = lost()
            self._all.lost.labels(*self.names, log).set_function(partial(float, last))
        self._losses = {}
        self._all.to_upload.labels(*self.names).set_function(partial(float, self._waiting()))
        self._waiting = float
