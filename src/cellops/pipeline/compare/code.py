"""The project's code beside the cells: its modules and its commit."""

from collections.abc import Callable, Iterator

from cellops.pipeline.compare.cells import source_lines
from cellops.records.module import ModuleSource
from cellops.records.run import CodeVersion, RunClosed
from cellops.records.run_comparison import Change, Difference, SourceChange

Sources = Callable[[ModuleSource], str | None]
"""Gives the source of a module that was kept."""
SHORT = 12
"""Digits of a digest that are shown."""


def module_changes(
    before: RunClosed, after: RunClosed, of_before: Sources, of_after: Sources
) -> Iterator[SourceChange]:
    """The modules of the project whose content is not the same."""
    then = {module.path: module for module in before.modules}
    now = {module.path: module for module in after.modules}
    for path in sorted(then.keys() | now.keys()):
        one, other = then.get(path), now.get(path)
        if one is None or other is None:
            change = Change.ADDED if one is None else Change.REMOVED
            yield SourceChange(
                change=change, before=path if one else None, after=path if other else None, note="it was not imported"
            )
        elif one.digest != other.digest:
            yield _edited(path, of_before(one), of_after(other))


def code_differences(before: RunClosed, after: RunClosed) -> Iterator[Difference]:
    """The commits, and what had not been committed; of files that git does not know, those that the runs have used."""
    then, now = _commit(before.code), _commit(after.code)
    if then != now:
        yield Difference(kind="commit", name="commit", before=then, after=now)
    then, now = _uncommitted(before.code), _uncommitted(after.code)
    if then != now:
        yield Difference(kind="uncommitted", name="uncommitted changes", before=then, after=now)
    used = _used(before) | _used(after)
    for path, then, now in _untracked(before.code, after.code):
        if _is_one_of(path, used):
            yield Difference(kind="uncommitted", name=path, before=then, after=now, note="no commit holds it")


def others(before: RunClosed, after: RunClosed) -> int:
    """How many files differ that git does not know and that neither run has used."""
    used = _used(before) | _used(after)
    return sum(not _is_one_of(path, used) for path, _, _ in _untracked(before.code, after.code))


def _untracked(before: CodeVersion | None, after: CodeVersion | None) -> Iterator[tuple[str, str, str]]:
    """The files that git does not know and that are not the same, with their digests then and now."""
    untracked = before.untracked if before is not None else {}
    others = after.untracked if after is not None else {}
    for path in sorted(untracked.keys() | others.keys()):
        then, now = untracked.get(path, "")[:SHORT], others.get(path, "")[:SHORT]
        if then != now:
            yield path, then, now


def _used(run: RunClosed) -> set[str]:
    """The modules and files of a run, by their paths from the project."""
    return {*(module.path for module in run.modules), *(use.path for use in run.files)}


def _is_one_of(path: str, used: set[str]) -> bool:
    """Whether a path from the top of the repository is among those from the project, which may lie below it."""
    parts = path.split("/")
    return any("/".join(parts[start:]) in used for start in range(len(parts)))


def _edited(path: str, before: str | None, after: str | None) -> SourceChange:
    if before is None or after is None:
        return SourceChange(change=Change.EDITED, before=path, after=path, note="its source was not kept")
    lines = source_lines(before, after)
    note = "" if lines else "in what stands redacted, or in blanks"
    return SourceChange(change=Change.EDITED, before=path, after=path, lines=lines, note=note)


def _commit(code: CodeVersion | None) -> str:
    return "" if code is None or code.commit is None else code.commit[:SHORT]


def _uncommitted(code: CodeVersion | None) -> str:
    return "" if code is None or code.patch_digest is None else f"patch {code.patch_digest[:SHORT]}"
