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


def serious(findings: Iterable[Finding]) -> int:
    """How many findings every screen counts: those that should be looked at."""
    return sum(finding.severity is not Severity.INFO for finding in findings)
