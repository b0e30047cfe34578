"""The queue as a file for a spreadsheet, and labels from one."""

import csv
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from cellops.errors import InputError, UsageError
from cellops.flows.review import SAMPLE
from cellops.flows.review_log import MISSING, ReviewLog, opened
from cellops.flows.whole_file import write_whole
from cellops.records.base import Value
from cellops.records.review import Reviewed, ReviewFile, ReviewInput, ReviewRow
from cellops.settings import Settings

ID, LABEL, ANSWER, CONFIDENCE, WHY, TIME = "prediction_id", "label", "answer", "confidence", "why", "time"
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would execute; such a text gets an apostrophe before it."""
SHOWN = 5


def export_queue(
    what: Path | str,
    output: Path,
    *,
    log: Path | str | None = None,
    below: float | None = None,
    sample: float = SAMPLE,
    reviewer: str | None = None,
    limit: int = 100,
    settings: Settings | None = None,
) -> ReviewFile:
    """Write the first rows of the queue as CSV with an empty column `label`, and keep them for this reviewer for a day.

    Parameters are those of `review`, besides:

    Parameters
    ----------
    output
        The file; what stands there is not replaced, as somebody may have begun to fill it in.
    limit
        Rows of the file.

    Raises
    ------
    UsageError
        When the file is there already, or cannot be written.
    """
    from cellops.monitoring.review_claims import IN_A_FILE

    if output.exists():
        fact = f"{output} is there already, and somebody may have filled it in"
        raise UsageError(fact, remedy="Give another name, or import it and delete it")
    with opened(what, log, reviewer, settings) as held:
        found = held.waiting(held.predictions(), below, sample)
        try:
            taken = held.claims.take(list(found[ID]), limit, IN_A_FILE)
        except OSError as error:
            fact = f"The rows cannot be kept for you in {held.folder}: {error.strerror or error}"
            raise UsageError(fact, remedy="Give a log in which files can be made") from error
        rows = held.rows(found.set_index(ID, drop=False).loc[taken])
        try:
            write_whole(output, lambda torn: _write_csv(torn, rows, held))
        except BaseException:
            held.claims.release(taken)
            raise
        return ReviewFile(path=str(output), rows=len(rows), notes=held.notes())


def import_labels(
    what: Path | str,
    file: Path,
    *,
    log: Path | str | None = None,
    server: str | None = None,
    reviewer: str | None = None,
    settings: Settings | None = None,
) -> Reviewed:
    """Take the labels of a CSV file with `prediction_id` and `label`, all or none; rows without a label are skipped.

    Labels that this reviewer has given before are not written again. Parameters and errors are those of `review`.

    Raises
    ------
    InputError
        When a label is no class of the model, or speaks of a prediction that is not in the log.
    """
    from cellops.monitoring.label_sinks import GivenLabel
    from cellops.monitoring.log_values import plain_value

    rows = list(_read_csv(file))
    with opened(what, log, reviewer, settings) as held:
        given = _checked(rows, held, file.name)
        labels = held.labels()
        own = labels[labels["reviewer"] == held.reviewer].drop_duplicates(ID, keep="last")
        before = {name: plain_value(label) for name, label in zip(own[ID], own["label"], strict=True)}
        new = {name: label for name, label in given.items() if name not in before or before[name] != label}
        sink = held.sink(server)
        now = time.time_ns()
        try:
            if new:
                sink.take([GivenLabel(name, label, held.reviewer, now) for name, label in new.items()])
        finally:
            sink.close()
        with suppress(OSError):  # who may only read the log has no claims
            held.claims.release(list(given))
        return Reviewed(
            reviewer=held.reviewer,
            labelled=len(new),
            skipped=sum(not label for _, _, label in rows),
            already=len(given) - len(new),
            place=sink.place,
            disagreements=held.disagreements(list(given), given),
        )


def _write_csv(path: Path, rows: tuple[ReviewRow, ...], held: ReviewLog) -> None:
    names = [field.name for field in held.contract.schema.inputs]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([ID, LABEL, ANSWER, CONFIDENCE, WHY, TIME, *map(_harmless, names)])
        for row in rows:
            cells = [_harmless(_cell(each)) for each in row.inputs]
            head = [row.prediction_id, "", _harmless(row.answer), row.confidence, row.why, row.time]
            writer.writerow([*head, *cells])


def _cell(given: ReviewInput) -> Value:
    """A value, or why it is not told; what is missing has an empty cell."""
    return given.note if given.value is None and given.note != MISSING else given.value


def _harmless(value: Value) -> Value:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _read_csv(path: Path) -> Iterator[tuple[int, str, str]]:
    """Line, prediction id and label of each row."""
    if not path.is_file():
        fact = f"There is no file {path}"
        raise UsageError(fact, remedy="Give one that cellops review --export has written")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            # A spreadsheet writes what divides cells where it was made.
            head = file.readline()
            file.seek(0)
            reader = csv.DictReader(file, delimiter=max(",;\t", key=head.count))
            if not {ID, LABEL} <= set(reader.fieldnames or ()):
                fact = f"{path.name} has no columns {ID} and {LABEL}"
                raise InputError(fact, remedy="Give a CSV file that cellops review --export has written")
            for row in reader:
                if row[ID] or row[LABEL]:
                    yield reader.line_num, (row[ID] or "").strip(), (row[LABEL] or "").strip()
    except (UnicodeDecodeError, csv.Error, OSError) as error:
        fact = f"{path.name} cannot be read: {error}"
        raise InputError(fact, remedy="Save it again as CSV, in UTF-8") from error


def _checked(rows: list[tuple[int, str, str]], held: ReviewLog, name: str) -> dict[str, Value]:
    """The labels by prediction id; an error that names the lines where one cannot be taken."""
    from cellops.monitoring.log_values import label_of

    known = set(held.predictions()[ID])
    given: dict[str, Value] = {}
    wrong: list[tuple[int, str]] = []
    for line, prediction, text in rows:
        if not text:
            continue
        if prediction not in known:
            wrong.append((line, f"{prediction or 'no id'} is no prediction of {held.name} in this log"))
            continue
        try:
            label = label_of(text.removeprefix("'"), held.contract.schema)
        except InputError as error:
            wrong.append((line, f"{error.fact}: {text}"))
            continue
        if given.setdefault(prediction, label) != label:
            wrong.append((line, f"{prediction} has two labels"))
    if wrong:
        said = "; ".join(f"line {line}: {why}" for line, why in wrong[:SHOWN])
        more = f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        fact = f"{name} was not taken, and nothing of it: {said}{more}"
        raise InputError(fact, remedy="Correct these lines and import it again", rows=[line for line, _ in wrong])
    return given
