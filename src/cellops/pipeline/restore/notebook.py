"""The cells of a run as a notebook that a kernel without cellops executes."""

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cellops.pipeline.restore import standalone
from cellops.pipeline.restore.expected import expected_table
from cellops.pipeline.restore.handing import hand_over, take_over
from cellops.pipeline.restore.plain import imports_torch, plain, seed
from cellops.pipeline.verify.slice_notebook import MAY_FAIL, cell_id
from cellops.records.cell import CellRecord, Outcome
from cellops.records.file import FileUse
from cellops.records.recorded import RecordedRun, kernels

if TYPE_CHECKING:
    from nbformat import NotebookNode

SKIPPED = "skip-execution"
"""The tag of a cell that notebook runners pass over."""
IMPORT = re.compile(r"^\s*(?:from|import)\s+cellops\b", re.MULTILINE)
TO_CHECKERS = re.compile(r"  # (?:noqa|type: ignore).*")
States = Mapping[str, Mapping[str, Any]]
"""By the id of a cell, the states of shared generators that it began with."""


def restored_notebook(
    run: RecordedRun,
    cells: Sequence[CellRecord],
    *,
    states: States,
    working_folder: str,
    import_roots: Sequence[str],
    data: Sequence[FileUse],
) -> "NotebookNode":
    """A notebook with cells of the trail in the order in which they were executed.

    Parameters
    ----------
    working_folder
        Where the run worked, seen from the notebook's folder.
    import_roots
        Folders below the notebook's from which the project's modules are imported.
    data
        The files that the run has read, their paths seen from the folder where it worked.
    """
    from nbformat.v4 import new_notebook

    shown = [
        _markdown(_title(run, cells), "title"),
        _code(_preparation(cells, states, [".", working_folder], data, import_roots), "restore-states"),
        *_check(data),
        *(made for own in kernels(cells) for made in _of_kernel(own, cells, states)),
        *_results(run, cells),
    ]
    metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python"},
        "cellops": {"run": run.run},
    }
    notebook: NotebookNode = new_notebook(cells=shown, metadata=metadata)  # type: ignore[no-untyped-call]
    return notebook


def _title(run: RecordedRun, cells: Sequence[CellRecord]) -> str:
    origin = f" of {run.notebook}" if run.notebook else ""
    return (
        f"# Run {run.name} ({run.run[:8]}), restored\n\n"
        f"{len(cells)} cells{origin}, in the order in which they were executed. README.md says how to execute them. "
        "The first code cell prepares; no other needs more than the libraries of lock.txt."
    )


def _preparation(
    cells: Sequence[CellRecord],
    states: States,
    folders: Sequence[str],
    data: Sequence[FileUse],
    import_roots: Sequence[str],
) -> str:
    """The first code cell: what the others call, and where they work."""
    functions: list[Any] = [standalone.restored_begin]
    imports = any(IMPORT.search(record.source) for record in cells)
    functions += [standalone.restored_stand_in] if imports else []
    functions += [standalone.restored_put_back] if states else []
    functions += [standalone.restored_seed] if any(seed(record) is not None for record in cells) else []
    relative = [use.path for use in data if not use.path.startswith(("~", "/")) and not _is_remote(use)]
    begin = [
        "restored_states = restored_begin(",
        f"    folders={list(folders)!r},  # seen from this one; name another one where the data lie now",
        f"    files={relative!r},",
        f"    import_roots={list(import_roots)!r},",
        ")",
    ]
    calls = [*begin, *(["restored_stand_in()"] if imports else [])]
    return "\n\n\n".join([*map(_source, functions), "\n".join(calls)])


def _source(function: Any) -> str:
    """The source of a function without what it says to our own checkers."""
    return TO_CHECKERS.sub("", inspect.getsource(function).rstrip())


def _is_remote(use: FileUse) -> bool:
    return "://" in use.path


def _check(files: Sequence[FileUse]) -> "Iterator[NotebookNode]":
    """A cell that says whether the data are what they were."""
    listed = [
        (use.path, use.size, (use.digest or "").rpartition(":")[2] if use.method == "full" else "")
        for use in files
        if not _is_remote(use)
    ]
    if listed:
        pairs = "".join(f"    {one!r},\n" for one in listed)
        yield _code(f"{_source(standalone.restored_check_data)}\n\n\nrestored_check_data([\n{pairs}])", "check-data")


def _of_kernel(own: Sequence[CellRecord], cells: Sequence[CellRecord], states: States) -> "Iterator[NotebookNode]":
    """The cells of one kernel, and behind them what it hands on to others."""
    for record in own:
        yield from _cells(record, states)
    handed = hand_over(own, cells)
    if handed:
        yield _code(handed, f"handed-on-{own[-1].order}")


def _cells(record: CellRecord, states: States) -> "Iterator[NotebookNode]":
    """A cell, behind one that puts its generators where they stood, where that is needed."""
    before = [f"restored_put_back(restored_states[{cell_id(record)!r}])"] if cell_id(record) in states else []
    given = seed(record)
    before += [f"restored_seed({given}, with_torch={imports_torch(record)})"] if given is not None else []
    if before:
        yield _code("\n".join(before), f"before-{cell_id(record)}")
    tags = {Outcome.OK: [], Outcome.ERROR: [MAY_FAIL], Outcome.INTERRUPTED: [MAY_FAIL, SKIPPED]}[record.outcome]
    metadata = {"tags": tags, "cellops": {"order": record.order, "execution_count": record.execution_count}}
    yield _code(take_over(record) if record.taken else plain(record), cell_id(record), metadata)


def _results(run: RecordedRun, cells: Sequence[CellRecord]) -> "Iterator[NotebookNode]":
    if run.closed.metrics:
        metrics = "".join(f"    {name!r}: {value!r},\n" for name, value in sorted(run.closed.metrics.items()))
        yield _code(f"{_source(standalone.restored_compare)}\n\n\nrestored_compare({{\n{metrics}}})", "compare-metrics")
    yield _markdown(expected_table(run, cells), "expected-values")


def _code(source: str, name: str, metadata: Mapping[str, Any] | None = None) -> "NotebookNode":
    from nbformat.v4 import new_code_cell

    cell: NotebookNode = new_code_cell(source, id=name, metadata=metadata or {})  # type: ignore[no-untyped-call]
    return cell


def _markdown(source: str, name: str) -> "NotebookNode":
    from nbformat.v4 import new_markdown_cell

    cell: NotebookNode = new_markdown_cell(source, id=name)  # type: ignore[no-untyped-call]
    return cell
