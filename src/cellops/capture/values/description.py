"""What a name stands for, in one record: its digest, its parts, a few words, and the numbers to measure with."""

from collections.abc import Mapping
from types import BuiltinFunctionType, ModuleType
from typing import Any

from cellops.capture.content.fingerprint import (
    digest_of,
    digest_with_columns,
    digest_with_index,
    evenly,
    is_table_of_a_library,
    rows_of,
    size_in_bytes,
)
from cellops.capture.content.tokens import UnhashableError
from cellops.capture.names.kinds import FUNCTIONS, Kind, describe
from cellops.capture.redaction import is_secret, redact
from cellops.capture.secrets import KNOWN, REDACTED
from cellops.capture.values.allowance import Allowance, SpentError
from cellops.capture.values.apart import Apart
from cellops.capture.values.code import kept_beside, of_hidden_generator
from cellops.capture.values.content import Reader, hexadecimal, name_of
from cellops.capture.values.numbers import Room, holds_secrets, numbers_of, pack
from cellops.capture.values.objects import check_class
from cellops.capture.values.weight import weigh_table
from cellops.capture.values.words import number_of, show
from cellops.records.value import Covered, ValueSeen

FEW_ROWS = 1_000
"""Rows of a table that is too large to be read whole."""
MOST_PARTS = 100
MOST_NAMED = 5
PART_DIGITS = 16
MOST_VISITED = 300
"""Objects in a value whose numbers are kept: to tell them from the rest, each is read once more."""
EMPTY = len(b"[]\n")


def look_at(
    name: str, value: Any, allowance: Allowance, kept: Room | None = None, *, with_sample: bool = False
) -> ValueSeen:
    """Describe what a name stands for. No code of the value is run, and nothing is raised for what it is.

    Parameters
    ----------
    allowance
        How much may be read; of a larger table a thousand rows are, of another value nothing.
    kept
        Where numbers are kept that a difference can be measured with.
    with_sample
        Whether a large table is sampled as well as read whole.
    """
    seen = ValueSeen(name=name, type=name_of(value), covered=Covered.NOTHING)
    try:
        seen = _look_at(seen, value, allowance, kept, with_sample)
    except UnhashableError as error:
        seen = seen.replace(reason=str(error))
    except Exception as error:  # noqa: BLE001 - one odd value must not cost the record of the others
        seen = seen.replace(reason=f"reading it failed: {type(error).__name__}")
    return _without_secrets(seen)


def _look_at(seen: ValueSeen, value: Any, allowance: Allowance, kept: Room | None, with_sample: bool) -> ValueSeen:
    check_class(type(value))
    if issubclass(type(value), (*FUNCTIONS, ModuleType)) or of_hidden_generator(value):
        return _code(seen, value, allowance)
    if is_secret(seen.name) or value in KNOWN:
        return seen.replace(reason="it is a secret", shown=REDACTED)
    seen = seen.replace(shown=show(value), number=number_of(value))
    reader = Reader(allowance)
    try:
        seen = _read(seen, value, reader, allowance)
    except SpentError:
        return _sampled(seen, value, allowance)
    except UnhashableError as error:
        return seen.replace(reason=str(error))
    except Exception as error:  # noqa: BLE001 - a library refuses in its own ways
        return seen.replace(reason=f"reading it failed: {type(error).__name__}")
    if with_sample and _can_be_sampled(seen, value):
        seen = seen.replace(sample=_sampled(seen, value, allowance).digest)
    if seen.number is not None or reader.visited > MOST_VISITED:
        kept = None
    return seen if kept is None else _with_numbers(seen, value, allowance, kept)


def _without_secrets(seen: ValueSeen) -> ValueSeen:
    """The record with every text of it redacted; a number that is a secret is none."""
    texts = (seen.name, seen.type, seen.shown, seen.reason or "")
    together = "\n".join(texts)
    if REDACTED not in together and redact(together) == together:
        return seen
    name, kind, shown, reason = map(redact, texts)
    number = None if REDACTED in shown else seen.number
    return seen.replace(name=name, type=kind, shown=shown, reason=reason or None, number=number)


def _code(seen: ValueSeen, value: object, allowance: Allowance) -> ValueSeen:
    """A module, a function or a class: by its name, or by its source and what it keeps beside that."""
    found = describe(value)
    origin = found.origin if found.kind is Kind.LIBRARY else of_hidden_generator(value)
    if origin is not None:
        return seen.replace(covered=Covered.CODE, shown=origin, digest=hexadecimal(origin.encode()))
    seen = seen.replace(shown=_named(value))
    reader = Reader(allowance)
    kept = {name: held for name, held in kept_beside(value).items() if not (is_secret(name) or held in KNOWN)}
    try:
        parts = {name: reader.digest(held, (name,)) for name, held in sorted(kept.items())}
    except SpentError:
        return seen.replace(reason="what it keeps is too large to be read in passing")
    digest = hexadecimal(b"\0".join(name.encode() + part for name, part in parts.items())) if parts else None
    reason = _without(reader.skipped)
    covered = Covered.PARTIAL if reason else Covered.CODE
    return seen.replace(covered=covered, digest=digest, parts=_short(parts), reason=reason)


def _named(value: object) -> str:
    if issubclass(type(value), type):
        return "class of the notebook"
    return "method of a value" if type(value) is BuiltinFunctionType else "function of the notebook"


def _read(seen: ValueSeen, value: Any, reader: Reader, allowance: Allowance) -> ValueSeen:
    """The record with the digest of the whole value, and of its columns or attributes."""
    if seen.type in {"pandas.DataFrame", "pandas.Series", "pandas.core.frame.DataFrame", "pandas.core.series.Series"}:
        weigh_table(value, allowance)
        digest, parts = digest_with_columns(value) if value.ndim > 1 else digest_with_index(value)
        more = reader.beside(value)
        parts |= {"(beside)": more} if more else {}
        covered = Covered.PARTIAL if reader.skipped else Covered.FULL
        reason = _without(reader.skipped)
        return seen.replace(covered=covered, digest=hexadecimal(digest + more), parts=_short(parts), reason=reason)
    found = reader.parts(value)
    if found is None:
        digest, parts = reader.digest(value), {}
    else:
        digest, parts = b"\0".join(name.encode() + content for name, content in found.items()), found
    covered = Covered.PARTIAL if reader.skipped else Covered.FULL
    return seen.replace(
        covered=covered,
        digest=hexadecimal(seen.type.encode() + digest),
        parts=_short(parts),
        reason=_without(reader.skipped),
    )


def _short(parts: Mapping[str, bytes]) -> dict[str, str]:
    return {redact(name): hexadecimal(content)[:PART_DIGITS] for name, content in list(parts.items())[:MOST_PARTS]}


def _without(skipped: Mapping[str, str]) -> str | None:
    if not skipped:
        return None
    more = f" and {len(skipped) - MOST_NAMED} more" if len(skipped) > MOST_NAMED else ""
    first = next(iter(skipped.values()))
    return f"without {', '.join(list(skipped)[:MOST_NAMED])}{more}: {first}"


def _can_be_sampled(seen: ValueSeen, value: Any) -> bool:
    return is_table_of_a_library(value) and rows_of(value) > FEW_ROWS and not seen.type.startswith("scipy.")


def _sampled(seen: ValueSeen, value: Any, allowance: Allowance) -> ValueSeen:
    """Some rows of a table that is too large to be read whole; nothing where these are too much as well."""
    too_large = seen.replace(reason="it is too large to be read in passing")
    if not _can_be_sampled(seen, value):
        return too_large
    try:
        allowance.read(size_in_bytes(value) * FEW_ROWS // rows_of(value))
        rows = evenly(value, FEW_ROWS)
        weigh_table(rows, allowance)
        digest = digest_of(rows)
    except SpentError:
        return too_large
    except Exception as error:  # noqa: BLE001 - a library refuses in its own ways
        return seen.replace(reason=f"reading it failed: {type(error).__name__}")
    reason = f"{FEW_ROWS:,} of {rows_of(value):,} rows: it is too large to be read in passing"
    return seen.replace(covered=Covered.SAMPLED, digest=hexadecimal(digest), reason=reason)


def _with_numbers(seen: ValueSeen, value: Any, allowance: Allowance, kept: Room) -> ValueSeen:
    try:
        if is_table_of_a_library(value):
            numbers, rest = numbers_of(value), None
        else:
            reader = Apart(allowance)
            rest = hexadecimal(seen.type.encode() + reader.digest(value))
            numbers = reader.numbers
        content = pack(numbers)
        if len(content) <= EMPTY or holds_secrets(content) or not allowance.keep(len(content)):
            return seen
        return seen.replace(numbers=kept.keep(content), rest=rest)
    except Exception:  # noqa: BLE001 - a full disk, or a library's own way: the digest says enough
        return seen
