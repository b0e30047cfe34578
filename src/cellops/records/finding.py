from collections.abc import Iterable
from enum import StrEnum

from cellops.records.base import Record


class Severity(StrEnum):
    """How much a finding matters; `ERROR` blocks what it concerns, `WARNING` should be looked at."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Finding(Record, frozen=True, kw_only=True):
    """One thing that a check noticed."""

    code: str
    """Stable, kebab-case: `hard-coded-path`, `unseeded-randomness` …"""
    severity: Severity
    where: str
    """The place, readable: `In [4]`, `column dep_hour`, `run 3f2a91c0`."""
    seen: str
    remedy: str


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """Findings that say the same of several places, once with the places: as every screen lists and counts them."""
    places: dict[Finding, dict[str, None]] = {}
    for finding in findings:
        places.setdefault(finding.replace(where=""), {})[finding.where] = None
    return [finding.replace(where=_listed(list(filter(None, where)))) for finding, where in places.items()]


def _listed(places: list[str]) -> str:
    """Places in one line; the word that all begin with stands there once."""
    if len(places) > 1 and all(place.startswith("column ") and "," not in place for place in places):
        return f"columns {', '.join(place.removeprefix('column ') for place in places)}"
    return ", ".join(places)


def serious(findings: Iterable[Finding]) -> int:
    """How many findings should be looked at."""
    return sum(finding.severity is not Severity.INFO for finding in merged(findings))
