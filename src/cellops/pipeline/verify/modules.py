"""The project's own modules, as a run imported them and as their files are."""

from collections.abc import Iterator
from pathlib import Path

from cellops.capture.blobs import digest
from cellops.pipeline.verify.causes import GONE
from cellops.records.proof import Comparison, Verdict
from cellops.records.recorded import RecordedRun


def module_comparisons(run: RecordedRun, project: Path) -> Iterator[Comparison]:
    """The modules of a run, held against their files in the project."""
    for module in run.closed.modules:
        now = _digest_of(project / module.path, project)
        same = now == module.digest
        yield Comparison(
            kind="module",
            name=module.path,
            verdict=Verdict.IDENTICAL if same else Verdict.DIVERGED,
            before=module.digest[:12],
            after=now[:12],
        )


def _digest_of(path: Path, project: Path) -> str:
    """The digest of a file of the project; a record may name anything."""
    try:
        found = path.resolve()
        return digest(found.read_bytes()) if found.is_relative_to(project.resolve()) else GONE
    except (OSError, ValueError):
        return GONE
