"""What a report has found, each thing once: a finding that returns in window after window is one line."""

from collections.abc import Iterable, Sequence

from cellops.monitoring.headline import measure_name, measure_of
from cellops.monitoring.performance import WORSE, shown
from cellops.monitoring.ranking import distance
from cellops.monitoring.verdict import all_columns
from cellops.monitoring.words import place
from cellops.records.drift import ColumnDrift, DriftReport
from cellops.records.finding import Finding, Severity
from cellops.stats.performance import SMALLER_IS_BETTER

GRAVEST_FIRST = (Severity.ERROR, Severity.WARNING, Severity.INFO)
MOST_PLACES = 3


def by_code(report: DriftReport) -> dict[str, list[Finding]]:
    """All findings of a report by their code, the gravest first, those on one column together."""
    in_windows = [finding for window in report.windows for finding in window.findings]
    worse = [finding for finding in in_windows if finding.code == WORSE]
    others = [finding for finding in (*report.findings, *in_windows) if finding.code != WORSE]
    found = [*_merged(others), *_on_figures(report, worse), *_on_columns(report)]
    groups: dict[str, list[Finding]] = {}
    for finding in sorted(found, key=lambda finding: GRAVEST_FIRST.index(finding.severity)):
        groups.setdefault(finding.code, []).append(finding)
    return groups


def _merged(found: Iterable[Finding]) -> list[Finding]:
    """Findings that differ in nothing but their place as one, at all these places."""
    same: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in found:
        same.setdefault((finding.code, finding.seen, finding.remedy), []).append(finding)
    return [group[0].replace(where=places([f.where for f in group])) for group in same.values()]


def _on_figures(report: DriftReport, worse: Sequence[Finding]) -> list[Finding]:
    """Where performance is worse in several windows, one finding for each figure: that of its worst window."""
    if len(worse) <= 1 or report.reference_performance is None:
        return list(worse)
    found = []
    for promised in report.reference_performance.measures:
        windows = [window for window in report.windows if promised.name in window.worse]
        pairs = [(window.label, measure_of(window, promised.name)) for window in windows]
        bad = [(label, figure) for label, figure in pairs if figure]
        if bad:
            sign = 1 if promised.name in SMALLER_IS_BETTER else -1
            label, worst = max(bad, key=lambda pair: sign * pair[1].value)
            where = f"{measure_name(promised.name)}, windows {places([label for label, _ in bad])}"
            seen = f"most in {label}: {shown(worst)}, promised {shown(promised)}"
            found.append(worse[0].replace(where=where, seen=seen))
    return found


def _on_columns(report: DriftReport) -> list[Finding]:
    """One finding for each code and column: the one of the window in which the column moved most."""
    same: dict[tuple[str, str], list[tuple[str, ColumnDrift, Finding]]] = {}
    for window in report.windows:
        for column in all_columns(window):
            if column.finding is not None:
                key = column.finding.code, column.column
                same.setdefault(key, []).append((window.label, column, column.finding))
    return [_one_of(name, cells) for (_, name), cells in same.items()]


def _one_of(name: str, cells: Sequence[tuple[str, ColumnDrift, Finding]]) -> Finding:
    label, _, worst = max(cells, key=lambda cell: distance(cell[1]))
    if len(cells) == 1:
        return worst
    windows = f"{place(name)}, windows {places([label for label, _, _ in cells])}"
    alike = len({finding.seen for _, _, finding in cells}) == 1
    return worst.replace(where=windows, seen=worst.seen if alike else f"most in {label}: {worst.seen}")


def places(places: Sequence[str]) -> str:
    """A few places, and how many more there are."""
    more = f" and {len(places) - MOST_PLACES} more" if len(places) > MOST_PLACES else ""
    return ", ".join(places[:MOST_PLACES]) + more
