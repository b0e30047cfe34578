"""Labels as they arrive, each with the answer that it is of: from the logs, whoever answered and whoever took it.

Memory is bounded: one segment is read at a time, and only so many labels wait for their answer.
"""

import logging
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cellops.monitoring import label_log, prediction_log
from cellops.monitoring.log_types import moment
from cellops.monitoring.segment_columns import SegmentFile, segments_since
from cellops.monitoring.uploading import HELD

if TYPE_CHECKING:
    import pyarrow as pa

AT_ONCE = 100_000
"""Labels after which their answers are looked for."""
MOST = 200_000
"""Labels that wait for their answers, and answers of a log that are joined; more are left out."""
PATIENCE = 60.0
"""Seconds that a label waits for an answer, which another process may just be writing."""
LABEL = ("prediction_id", "label")
ANSWER = ("prediction_id", "label", "package", "received")
Truths = dict[str, Any]
logger = logging.getLogger(__name__)


class Pair(NamedTuple):
    package: str
    """Digest of the package that answered."""
    answer: Any
    truth: Any


class LabelJoin:
    """Joins the labels of a log with answers that were asked for from some moment on; each answer once.

    Parameters
    ----------
    folder
        The log whose labels are read.
    answers
        Logs of answers, which may have the same prediction ids: that one and, of a shadow, its own.
    packages
        Digests of those whose answers matter.
    since
        When the first of them was asked for, seconds since 1970.
    """

    def __init__(self, folder: Path, answers: Sequence[Path], packages: Collection[str], since: float) -> None:
        self._labels = _Tail(folder, since)
        self._answers = [_Answers(each, packages, since) for each in answers]

    def new(self) -> Iterator[Pair]:
        """The pairs that were not there the last time, in the order in which labels came as far as that is known."""
        fresh: Truths = {}
        for name, truth in self._labels.new():
            # Of several labels of one answer the first counts: what is known already cannot be unlearnt.
            fresh.setdefault(name, truth)
            if len(fresh) >= AT_ONCE:
                yield from self._found(fresh)
                fresh = {}
        yield from self._found(fresh)

    def _found(self, fresh: Truths) -> Iterator[Pair]:
        for answers in self._answers:
            yield from answers.of(fresh)


class _Segments:
    """Those of one kind in a log, each looked at again only where it has grown."""

    def __init__(self, log: Path, kind: str, since: float) -> None:
        self._folders, self._since = (log / kind, log / HELD / kind), since
        self._seen: dict[str, SegmentFile] = {}
        self._broken: set[SegmentFile] = set()

    def files(self) -> Iterator[tuple[SegmentFile, bool]]:
        """Each with whether it is as it was at the last look."""
        for segment in segments_since(self._folders, self._since):
            yield segment, self._seen.get(segment.stem) == segment
            self._seen[segment.stem] = segment

    def columns(self, segment: SegmentFile, names: Sequence[str]) -> "pa.Table | None":
        """None where there are no rows, or they cannot be read: the others count all the same."""
        import pyarrow as pa

        if segment in self._broken:
            return None
        try:
            return segment.columns(names)
        except (OSError, pa.ArrowException, KeyError) as error:
            self._broken.add(segment)
            logger.error("%s cannot be read, and its rows are not joined: %s", segment.path, error)  # noqa: TRY400
            return None


class _Tail:
    """What has come to a log of labels since the last look."""

    def __init__(self, log: Path, since: float) -> None:
        self._segments = _Segments(log, label_log.FOLDER, since)
        self._rows: dict[str, int] = {}

    def new(self) -> Iterator[tuple[str, Any]]:
        for segment, is_known in self._segments.files():
            table = None if is_known else self._segments.columns(segment, LABEL)
            if table is not None:
                rows = table.slice(self._rows.get(segment.stem, 0))
                self._rows[segment.stem] = table.num_rows
                yield from zip(*(rows[name].to_pylist() for name in LABEL), strict=True)


class _Answers:
    """Those of one log, and the labels that have not found theirs."""

    def __init__(self, log: Path, packages: Collection[str], since: float) -> None:
        self._segments = _Segments(log, prediction_log.FOLDER, since)
        self._packages, self._since = list(packages), since
        self._waiting: dict[str, tuple[Any, float]] = {}
        self._joined: set[str] = set()

    def of(self, fresh: Mapping[str, Any]) -> Iterator[Pair]:
        """The answers of new labels and of those that wait; no segment is searched twice for one label."""
        now = time.monotonic()
        new = {
            name: (truth, now + PATIENCE)
            for name, truth in fresh.items()
            if name not in self._joined and name not in self._waiting
        }
        if len(self._joined) >= MOST or not (new or self._waiting):
            return
        waiting = self._waiting | new
        found = self._found(list(new), list(waiting))
        self._joined |= found.keys()
        left = {name: entry for name, entry in waiting.items() if name not in found and entry[1] > now}
        self._waiting = dict(list(left.items())[-MOST:])
        yield from (Pair(*found[name], truth) for name, (truth, _) in waiting.items() if name in found)

    def _found(self, new: Sequence[str], every: Sequence[str]) -> dict[str, tuple[str, Any]]:
        """Package and answer, by prediction id: of new labels anywhere, of others where something is new."""
        import pyarrow as pa

        wanted = {True: pa.array(new, pa.string()), False: pa.array(every, pa.string())}
        found: dict[str, tuple[str, Any]] = {}
        for segment, is_known in self._segments.files():
            table = self._segments.columns(segment, ANSWER) if len(wanted[is_known]) else None
            if table is not None:
                found |= self._searched(table, wanted[is_known])
        return found

    def _searched(self, table: "pa.Table", wanted: "pa.Array") -> dict[str, tuple[str, Any]]:
        import pyarrow as pa
        import pyarrow.compute as pc

        since = pa.scalar(int(self._since * 1e9), pa.int64()).cast(moment())
        rows = table.filter(
            (pc.field("received") >= since)
            & pc.field("package").isin(self._packages)
            & pc.field("label").is_valid()
            & pc.field("prediction_id").isin(wanted)
        )
        ids, labels, packages = (rows[name].to_pylist() for name in ANSWER[:3])
        return dict(zip(ids, zip(packages, labels, strict=True), strict=True))
