"""The drift report as one page of HTML and one file of JSON; aggregates only, no row of any table."""

import json
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cellops.data.bins import LONGEST_NAME
from cellops.errors import visible
from cellops.monitoring import charts
from cellops.monitoring.aspects import MAJOR_PSI, MODERATE_PSI
from cellops.monitoring.column_view import by_consequence, column_view, output_view, relations_view, worst_of
from cellops.monitoring.findings import by_code, places
from cellops.monitoring.headline import headline, main_measure, measure_name, measure_of, promised_by
from cellops.monitoring.performance import shown
from cellops.monitoring.ranking import is_known
from cellops.monitoring.statistics import KNOWN
from cellops.monitoring.verdict import FALSE_DISCOVERY_RATE, LEAST_ROWS, all_columns
from cellops.monitoring.words import effect_of, p_value_of
from cellops.records.contract import Contract, Measure
from cellops.records.drift import ColumnDrift, DriftReport, WindowDrift
from cellops.records.profile import Bins

MOST_COLUMNS = 50
MOST_WINDOWS = 12
"""The page shows the columns that moved most and the latest windows, and stays below 1 MB; drift.json has all."""
NAMES = MappingProxyType(
    {
        "psi": "PSI",
        "chi_squared": "χ²",
        "g_test": "G",
        "total_variation": "total variation",
        "cramer_von_mises": "Cramér-von Mises",
        "normalised_wasserstein": "Wasserstein, deviations",
        "energy_distance": "energy distance",
        "missing": "missing",
        "text_length": "text length",
        "vocabulary": "words",
        "out_of_vocabulary": "unknown words",
    }
)
"""Of statistics that are not called after persons."""
MOST_FINDINGS = 50
"""Of one code."""
UNUSUAL = re.compile(r"[^ -~]")


def write(report: DriftReport, contract: Contract, folder: Path) -> tuple[Path, Path]:
    """Write `drift.html` and `drift.json` into `folder`, each at once or not at all.

    The page is self-contained: no script, no request to anywhere, light or dark as the reader's screen is.

    Returns
    -------
    tuple of Path
        The page and the JSON.

    Raises
    ------
    OSError
        When the folder cannot be written; a file that was there before stays as it is.
    """
    rendered = render(report, contract).encode(errors="backslashreplace")
    folder.mkdir(parents=True, exist_ok=True)
    page, data = folder / "drift.html", folder / "drift.json"
    _replace(data, _escaped(report.to_json()))
    _replace(page, rendered)
    return page, data


def render(report: DriftReport, contract: Contract) -> str:
    """The page."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("cellops.monitoring", "templates"),
        autoescape=True,
        finalize=_written_out,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    windows = report.windows[-MOST_WINDOWS:]
    columns = by_consequence(windows)
    return environment.get_template("report.html").render(
        report=report,
        target=contract.schema.target,
        headline=headline(report),
        windows=windows,
        columns=[column_view(cells, windows, _reference(report, cells)) for cells in columns[:MOST_COLUMNS]],
        left_out=(max(len(report.windows) - MOST_WINDOWS, 0), max(len(columns) - MOST_COLUMNS, 0)),
        output=output_view(windows, report.reference_output),
        relations=relations_view(windows, report.reference_relations),
        known=is_known(column for window in windows for column in window.columns),
        alarms=any(window.alarm for window in windows),
        statistics=_statistics(windows),
        verdicts=(MODERATE_PSI, MAJOR_PSI, FALSE_DISCOVERY_RATE),
        performance=_performance(report),
        measures=_measures(report),
        absent=_absent(report),
        least_rows=LEAST_ROWS,
        longest_name=LONGEST_NAME,
        rows=charts.row_chart(
            [window.label for window in report.windows],
            [window.rows for window in report.windows],
            [window.labelled_rows for window in report.windows],
        ),
        findings=by_code(report),
        most_findings=MOST_FINDINGS,
        shown=shown,
        effect_of=effect_of,
        p_value_of=p_value_of,
        charts=charts,
    )


def _written_out(value: Any) -> Any:
    """Text of others as a page may show it; what is markup already is left as it is."""
    return visible(value) if type(value) is str else value


def _escaped(content: bytes) -> bytes:
    """The same JSON, in which also such text is escaped as could move the cursor of a terminal, or turn its lines."""
    text = content.decode()
    if text.isprintable():
        return content
    return UNUSUAL.sub(lambda found: found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1], text).encode()


def _statistics(windows: Sequence[WindowDrift]) -> list[tuple[str, str]]:
    """The statistics that stand in the windows: their names, and what a person calls them."""
    present = {result.statistic for window in windows for column in all_columns(window) for result in column.results}
    ordered = [name for name in KNOWN if name in present]
    return [(name, NAMES.get(name, name.replace("_", "-").title())) for name in ordered]


def _reference(report: DriftReport, cells: Sequence[ColumnDrift | None]) -> Bins | None:
    return report.reference.get(worst_of(cells).column)


def _performance(report: DriftReport) -> tuple[str, charts.LineChart] | None:
    """The name of the main figure and its chart over all windows; None without labels."""
    name = main_measure(report)
    if name is None:
        return None
    promised = promised_by(report, name)
    figures = [measure_of(window, name) for window in report.windows]
    worse = [name in window.worse for window in report.windows]
    labels = [window.label for window in report.windows]
    return measure_name(name), charts.line_chart(labels, figures, promised, worse)


def _absent(report: DriftReport) -> list[str]:
    """Why the shown windows lack figures."""
    lacking: dict[tuple[str, str], list[str]] = {}
    for window in report.windows[-MOST_WINDOWS:]:
        for name, reason in window.performance.absent.items() if window.performance else ():
            lacking.setdefault((name, reason), []).append(window.label)
    return [f"{measure_name(name)} in {places(where)}: {reason}" for (name, reason), where in lacking.items()]


def _measures(report: DriftReport) -> list[tuple[str, Measure | None, list[tuple[Measure | None, bool]]]]:
    """Each figure: its name, what the package promises, what the shown windows gave and whether that is worse."""
    windows = report.windows[-MOST_WINDOWS:]
    names = dict.fromkeys(m.name for window in windows if window.performance for m in window.performance.measures)
    return [
        (measure_name(n), promised_by(report, n), [(measure_of(window, n), n in window.worse) for window in windows])
        for n in names
    ]


def _replace(path: Path, content: bytes) -> None:
    """Write beside the file and move it into place, so that nobody ever reads half of it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
