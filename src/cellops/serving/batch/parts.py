"""The folder of a batch until it is done: what it is about, and the chunks that it has scored, each in whole or not."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import msgspec
from filelock import FileLock, Timeout

from cellops.data.batch.target import writing
from cellops.errors import OutputError, UsageError
from cellops.records.base import Record
from cellops.records.batch import OnBad
from cellops.serving.batch.part import PackedPart, Part
from cellops.serving.batch.scorer import Wishes

PLAN, LOCK, SUFFIX = "batch.json", ".lock", ".part"
OWN = re.compile(r"\.lock|batch\.json\.new|\d{8,}\.part(\.new)?")
"""What a batch that was killed at its begin or its end may leave without a plan."""


class Plan(Record, frozen=True, kw_only=True):
    """What a batch is about; an attempt that goes on with another must be about the same."""

    version: str
    """Of cellops."""
    package: str
    """The digest of its manifest."""
    source: str
    output: str
    chunk_rows: int | None
    wishes: Wishes
    declared: str = ""
    """The operator's own word on rows that cannot simply be answered."""


class Parts:
    """Scored chunks in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    @contextmanager
    def opened(cls, folder: Path, plan: Plan, *, resume: bool, force: bool, stands: bool) -> "Iterator[Self]":
        """The folder of a batch, which nobody else has as long as this is open.

        Parameters
        ----------
        folder
            Made where it is not there.
        plan
            Of this attempt.
        resume
            Whether to go on where an earlier attempt was stopped.
        force
            Whether to begin anew, and to replace what stands at the output.
        stands
            Whether something stands there.

        Raises
        ------
        UsageError
            When something stands there, or an earlier attempt does, and it was not said what to do with it; when that
            was about something else.
        OutputError
            When another process scores to this output, or the folder cannot be made.
        """
        _refuse_foreign(folder)
        begun = _begun(folder, force=force)
        if stands and not force and (begun is None or not resume):
            if begun is None:
                _take_away_rests(folder)
            fact = f"{plan.output} is there already"
            raise UsageError(fact, remedy="Give another output, or replace it with --force")
        if begun is not None and not force and not resume:
            fact = f"A batch to {plan.output} was begun and did not come to its end"
            raise UsageError(fact, remedy="Go on with --resume, or begin anew with --force")
        if begun is not None and not force and not _goes_on(begun, plan):
            fact = f"The batch to {plan.output} was begun otherwise: {_difference(begun, plan)}"
            raise UsageError(fact, remedy="Give what was given then, or begin anew with --force")
        with writing(str(folder)):
            folder.mkdir(exist_ok=True, parents=True)
        with _locked(folder, plan.output):
            if _begun(folder, force=force) != begun:  # it was begun, or came to its end, since we looked
                raise _taken(plan.output)
            parts = cls(folder)
            if force or begun is None:
                parts._clear()
            parts._write(PLAN, plan.to_pretty_json())
            yield parts

    def keep(self, packed: PackedPart) -> None:
        """Keep what a chunk has come to; raises `OutputError` where there is no room."""
        self._write(_name(packed.part.number), packed.content)

    def part(self, number: int) -> Part | None:
        """What was kept of a chunk; None where nothing was, or not in whole."""
        try:
            return Part.from_bytes((self.folder / _name(number)).read_bytes())
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def kept(self, count: int) -> Iterator[Part]:
        """Those of the first so many chunks that are kept, in their order."""
        return (part for number in range(count) if (part := self.part(number)) is not None)

    def done(self) -> int:
        """How many chunks are kept."""
        return sum(1 for _ in self.folder.glob(f"*{SUFFIX}"))

    def remove(self) -> None:
        """Leave nothing behind: the plan goes first, so that a batch killed meanwhile is known to be over."""
        with suppress(OSError):
            (self.folder / PLAN).unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _clear(self) -> None:
        for path in self.folder.iterdir():
            if path.name != LOCK and not path.is_dir():
                path.unlink()

    def _write(self, name: str, content: bytes) -> None:
        path = self.folder / f"{name}.new"
        try:
            with writing(str(self.folder)):
                path.write_bytes(content)
                os.replace(path, self.folder / name)  # noqa: PTH105 - over what is there, on Windows too
        except OutputError:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            raise


def _refuse_foreign(folder: Path) -> None:
    """Refuse what stands there and is no folder of a batch, which we would empty."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        fact = f"{folder} is no folder of a batch"
        raise UsageError(fact, remedy="Move it away, or give another output")
    if folder.is_dir() and not (folder / PLAN).exists():
        strange = [each.name for each in folder.iterdir() if not OWN.fullmatch(each.name)]
        if strange:
            fact = f"{folder} is no folder of a batch, and holds {strange[0]}"
            raise UsageError(fact, remedy="Move it away, or give another output")


def _take_away_rests(folder: Path) -> None:
    """Let go of what a batch that was killed behind its end has left, unless another process has it by now."""
    if folder.exists():
        with suppress(OutputError), _locked(folder, str(folder)):
            if not (folder / PLAN).exists():
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(folder: Path, output: str) -> Iterator[None]:
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except (Timeout, FileNotFoundError) as error:  # a batch that ends takes its folder away
        raise _taken(output) from error
    try:
        yield
    finally:
        lock.release()


def _taken(output: str) -> OutputError:
    fact = f"Another process scores to {output}"
    return OutputError(fact, remedy="Wait for it, or give another output")


def _begun(folder: Path, *, force: bool) -> Plan | None:
    """What an earlier attempt was about."""
    try:
        return Plan.from_file(folder / PLAN)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        if force:
            return None
        fact = f"{folder / PLAN} is damaged"
        raise UsageError(fact, remedy="Begin anew with --force") from error


def _goes_on(begun: Plan, now: Plan) -> bool:
    """Whether what was done then would be done alike now: chunks without a bad row are the same either way."""
    if begun.wishes.on_bad is OnBad.REFUSE:
        begun = begun.replace(wishes=begun.wishes.replace(on_bad=now.wishes.on_bad))
    return begun == now


def _name(number: int) -> str:
    return f"{number:08}{SUFFIX}"


def _difference(before: Plan, now: Plan) -> str:
    then, given = before.to_dict(), now.to_dict()
    flat = [(name, then[name], given[name]) for name in given if name != "wishes"]
    flat += [(name, then["wishes"][name], given["wishes"][name]) for name in given["wishes"]]
    return ", ".join(f"{name} was {a}, and is {b}" for name, a, b in flat if a != b)
