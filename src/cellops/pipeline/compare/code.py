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


def code_differences(before: CodeVersion | None, after: CodeVersion | None) -> Iterator[Difference]:
    """The commits, and what had not been committed."""
    then, now = _commit(before), _commit(after)
    if then != now:
        yield Difference(kind="commit", name="commit", before=then, after=now)
    then, now = _uncommitted(before), _uncommitted(after)
    if then != now:
        yield Difference(kind="uncommitted", name="uncommitted changes", before=then, after=now)
    untracked = before.untracked if before is not None else {}
    others = after.untracked if after is not None else {}
    for path in sorted(untracked.keys() | others.keys()):
        then, now = untracked.get(path, "")[:SHORT], others.get(path, "")[:SHORT]
        if then != now:
            yield Difference(kind="uncommitted", name=path, before=then, after=now, note="no commit holds it")


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
