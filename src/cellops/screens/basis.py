"""What a run stands on, in a few lines: code, interpreter, cells, modules, tables and files."""

from collections.abc import Iterator

from cellops.records.cell import place
from cellops.records.file import FileUse
from cellops.records.recorded import RecordedRun, kernel_names, kernels
from cellops.records.run import CodeVersion, DataFingerprint, Environment
from cellops.records.split import SplitRecord
from cellops.screens.console import count, say

MOST = 8
"""Entries of a kind that are listed before the rest is only counted."""
UNITS = ("bytes", "kB", "MB", "GB", "TB")
THOUSAND = 1000


def basis(run: RecordedRun) -> None:
    """Show what a run stands on."""
    closed = run.closed
    lines = {
        "code": [_code(closed.code)],
        "python": [_environment(closed.environment)] if closed.environment is not None else [],
        "cells": list(_cells(run)),
        "modules": [", ".join(_few([module.path for module in closed.modules]))],
        "splits": _few([_split(split.made) for split in closed.splits if split.made is not None]),
        "tables": _few([_table(table) for table in closed.data]),
        "files": _few([_file(file) for file in closed.files]),
    }
    say("[bold]based on[/]")
    for name, texts in lines.items():
        for number, text in enumerate(filter(None, texts)):
            say(f"  {'' if number else name:<11}{text}", markup=False)


def _cells(run: RecordedRun) -> Iterator[str]:
    """The cells of each kernel, behind the step that it executed where there were several."""
    cells = run.slice()
    names = kernel_names(cells)
    for own in kernels(cells):
        listed = ", ".join(_few([place(cell.execution_count) for cell in own]))
        yield ": ".join(filter(None, [names[own[0].session], listed]))


def _code(code: CodeVersion | None) -> str:
    if code is None:
        return "in no git repository"
    where = f"commit {code.commit[:8]}" if code.commit else "no commit yet"
    changes = "with changes that are not committed, kept with the run" if code.patch_digest else ""
    untracked = f"{count(len(code.untracked), 'source file')} not tracked" if code.untracked else ""
    return ", ".join(filter(None, (f"{where} on {code.branch or 'no branch'}", changes, untracked)))


def _environment(found: Environment) -> str:
    locked = count(len(found.distributions), "distribution")
    return f"{found.implementation} {found.python} on {found.platform}, {locked} pinned"


def _table(table: DataFingerprint) -> str:
    came = f", read from {table.pointer}" if table.pointer else ""
    return f"{table.name} ({table.role}): {table.rows:,} x {table.columns:,}{came}, {_covered(table.method)}"


def _split(split: SplitRecord) -> str:
    sizes = ", ".join(f"{name} {content.rows:,}" for name, content in split.parts.items())
    return f"{split.told()}: {sizes} rows"


def _file(file: FileUse) -> str:
    size = "" if file.size is None else f", {_size(file.size)}"
    return f"{file.path}{size}, {_covered(file.method)}"


def _covered(method: str) -> str:
    return {"full": "hashed", "metadata-only": "not hashed"}.get(method, method)


def _size(number: float) -> str:
    """A number of bytes with three digits."""
    for unit in UNITS[:-1]:
        if number < THOUSAND:
            return f"{number:.3g} {unit}"
        number /= THOUSAND
    return f"{number:.3g} {UNITS[-1]}"


def _few(texts: list[str]) -> list[str]:
    rest = [f"and {len(texts) - MOST} more"] if len(texts) > MOST else []
    return texts[:MOST] + rest
