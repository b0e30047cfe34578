"""What goes wrong of ours, told as a finding: the user's cell knows nothing of it."""

from cellops.capture.redaction import redact
from cellops.records.finding import Finding, Severity

LONGEST = 300
"""Characters of an error that are shown."""


def fault(error: BaseException, where: str) -> Finding:
    """The finding for an error of ours."""
    return Finding(
        code="capture-fault",
        severity=Severity.WARNING,
        where=where,
        seen=f"capture failed: {type(error).__name__}: {redact(str(error))[:LONGEST]}",
        remedy="The cell itself was not touched; please report this",
    )
