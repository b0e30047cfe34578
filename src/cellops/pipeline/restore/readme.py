"""README.md of a restored run: what it is, how to build its environment and how to execute it."""

import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from cellops.records.file import FileUse
from cellops.records.recorded import RecordedRun

NOTEBOOK = "notebook.ipynb"
MEANINGS = {
    NOTEBOOK: "the cells, in the order in which they were executed",
    "lock.txt": "the versions of all distributions that were installed",
    "states.json": "where random generators stood that nobody had seeded",
    "expected-values.json": "what the cells left: parameters, metrics, values with their digests",
    "code.patch": "what had not been committed",
}
TEMPLATE = Path(__file__).parent / "templates" / "README.md"


def readme(
    run: RecordedRun,
    *,
    files: Sequence[str],
    data: Sequence[FileUse],
    working_folder: str,
    whole_trail: bool,
    notes: Sequence[str],
) -> str:
    """The page as Markdown.

    Parameters
    ----------
    files
        What stands beside it.
    data
        The files that the run has read, their paths seen from the folder where it worked.
    notes
        What may come out otherwise, or is not there.
    """
    from jinja2 import Environment, StrictUndefined

    page = Environment(undefined=StrictUndefined, keep_trailing_newline=True)  # noqa: S701 - it is no HTML
    page.filters |= {"moment": _moment, "quoted": shlex.quote}
    environment = run.closed.environment
    return page.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        run=run,
        files=[name for name in files if name in MEANINGS],
        modules=sum(name.startswith("modules/") for name in files),
        meanings=MEANINGS,
        environment=environment,
        local=[name for name in environment.local if name != "cellops"] if environment is not None else [],
        variables=environment.variables if environment is not None else {},
        notebook=NOTEBOOK,
        working_folder=working_folder,
        whole_trail=whole_trail,
        data=data,
        code=run.closed.code,
        notes=notes,
    )


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
