"""Grafana as it starts: where the metrics are, and the dashboard of the model."""

from collections.abc import Iterable
from typing import Any

from cellops.packaging.container.image import Image
from cellops.packaging.container.prometheus import INTERVAL

SOURCE = "prometheus"
"""The identifier of the data source, by which the dashboard knows it."""
OF_MODEL = '{model="$model", version=~"$version"}'
WIDTH, HEIGHT = 12, 8
"""Of a panel, in Grafana's grid of 24 columns."""
PERCENTILES = (50, 95, 99)
SECONDS, ROWS, REQUESTS = "s", "rowsps", "reqps"


def datasource() -> dict[str, Any]:
    source = {"name": "Prometheus", "uid": SOURCE, "type": SOURCE, "access": "proxy", "url": "http://prometheus:9090"}
    given = {"isDefault": True, "editable": False, "jsonData": {"timeInterval": INTERVAL}}
    return {"apiVersion": 1, "datasources": [{**source, **given}]}


def provider() -> dict[str, Any]:
    options = {"path": "/var/lib/grafana/dashboards"}
    return {"apiVersion": 1, "providers": [{"name": "cellops", "type": "file", "options": options}]}


def dashboard(image: Image) -> dict[str, Any]:
    """The dashboard of one model, over all its versions."""
    panels = [
        _panel("Requests", REQUESTS, {"{{code}}": _rate("cellops_request_seconds_count", "code")}),
        _panel("Share of requests that failed", "percentunit", {"5xx": _share("5.."), "4xx": _share("4..")}),
        _panel("Time of a request", SECONDS, _percentiles("cellops_request_seconds")),
        _panel("Time in the model", SECONDS, _percentiles("cellops_predict_seconds")),
        _panel("Rows", ROWS, {"rows": _rate("cellops_request_rows_sum")}),
        _panel("Requests in progress", "short", {"in progress": f"sum(cellops_requests_in_progress{OF_MODEL})"}),
        _panel("Categories never seen", ROWS, {"{{column}}": _rate("cellops_unseen_category_rows_total", "column")}),
        _panel(
            "Expectations that rows break",
            ROWS,
            {"{{rule}} {{column}}": _rate("cellops_rule_failed_rows_total", "rule, column")},
        ),
        _panel(
            "Labels",
            ROWS,
            {"labels": _rate("cellops_labels_total"), "of no prediction": _rate("cellops_unknown_labels_total")},
        ),
        _panel(
            "Rows that were not simply answered",
            ROWS,
            {"{{handling}} {{of}}": _rate("cellops_handled_rows_total", "handling, of")},
        ),
        _panel("Time in the operator's rules", SECONDS, _percentiles("cellops_rules_seconds")),
        _panel("Time of an explanation", SECONDS, _percentiles("cellops_explain_seconds")),
        _panel("Rows that explanations ask for", ROWS, {"rows": _rate("cellops_explain_evaluations_total")}),
        _panel("Rows that a log has lost", "short", {"{{log}}": f"sum by (log) (cellops_log_lost_rows{OF_MODEL})"}),
        _panel(
            "Segments that wait for the store", "short", {"segments": f"sum(cellops_log_waiting_segments{OF_MODEL})"}
        ),
        _panel("Requests by version", REQUESTS, {"{{version}}": _rate("cellops_request_seconds_count", "version")}),
        _panel(
            "Requests that were shown to a challenger",
            REQUESTS,
            {"{{outcome}}": _rate("cellops_shadow_requests_total", "outcome")},
        ),
        _panel("Answers for a reviewer", ROWS, {"rows": _rate("cellops_review_rows_total")}),
        _panel("Wrong tokens", REQUESTS, {"tokens": _rate("cellops_wrong_tokens_total")}),
    ]
    return {
        "uid": image.label,
        "title": f"{image.model}, served by cellops",
        "tags": ["cellops"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [_variable("model", image.model), _variable("version")]},
        "panels": list(_placed(panels)),
    }


def _variable(label: str, value: str | None = None) -> dict[str, Any]:
    """A choice among the values of a label: one of them, or at first all."""
    query = f"label_values(cellops_requests_in_progress, {label})"
    current = {"text": value, "value": value} if value else {"text": "All", "value": "$__all"}
    return {
        "name": label,
        "type": "query",
        "datasource": _source(),
        "query": query,
        "definition": query,
        "refresh": 2,
        "includeAll": value is None,
        "multi": value is None,
        "current": current,
    }


def _source() -> dict[str, str]:
    return {"type": SOURCE, "uid": SOURCE}


def _panel(title: str, unit: str, queries: dict[str, str]) -> dict[str, Any]:
    """Lines over time, by their legends."""
    return {
        "title": title,
        "type": "timeseries",
        "datasource": _source(),
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "options": {"legend": {"showLegend": True, "displayMode": "list", "placement": "bottom"}},
        "targets": [
            {"refId": chr(ord("A") + number), "datasource": _source(), "expr": query, "legendFormat": legend}
            for number, (legend, query) in enumerate(queries.items())
        ],
    }


def _placed(panels: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """Two beside each other."""
    for number, panel in enumerate(panels):
        place = {"x": number % 2 * WIDTH, "y": number // 2 * HEIGHT, "w": WIDTH, "h": HEIGHT}
        yield {"id": number + 1, **panel, "gridPos": place}


def _rate(metric: str, by: str = "") -> str:
    grouped = f" by ({by})" if by else ""
    return f"sum{grouped} (rate({metric}{OF_MODEL}[$__rate_interval]))"


def _share(code: str) -> str:
    of_code = OF_MODEL.replace("}", f', code=~"{code}"}}')
    failed = f"sum(rate(cellops_request_seconds_count{of_code}[$__rate_interval]))"
    return f"({failed} or vector(0)) / {_rate('cellops_request_seconds_count')}"


def _percentiles(metric: str) -> dict[str, str]:
    return {f"p{p}": f"histogram_quantile({p / 100}, {_rate(f'{metric}_bucket', 'le')})" for p in PERCENTILES}
