"""From a JSON body to a question, as all protocols do it."""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import numpy as np
import orjson

from cellops.errors import InputError
from cellops.serving.errors import MediaTypeError
from cellops.serving.limits import check_nesting
from cellops.serving.protocols.protocol import Body, Question, Served

JSON = "application/json"
NOT_NUMBERS = ("NaN", "nan", "Inf", "inf", "-In", "-in")
NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
COLON = b":"
CONTAINERS = (dict, list)
FEW = 100
"""Values of a row that is decoded at once."""
LONG = 2000
"""Bytes of a body for which it pays to see whether it holds nothing but numbers, and to count by numpy."""
LONGEST_FIELD = len('{"instances"')
NAMED_ROWS = msgspec.json.Decoder(dict[str, list[list[float]]])


def parse_object(body: Body, *, media_type_needed: bool = False) -> dict[str, Any]:
    """The JSON object in a body.

    Raises
    ------
    MediaTypeError
        When it is said to be something else.
    LimitError
        When it is nested too deeply.
    InputError
        When it is not JSON, or not an object.
    """
    if body.media_type != JSON and (body.media_type is not None or media_type_needed):
        fact = "The body is not announced as JSON"
        raise MediaTypeError(fact, remedy=f"Send the header Content-Type: {JSON}")
    content = bytes(body.content)
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        check_nesting(content)
        raise _not_json(error) from error
    if not isinstance(document, dict):
        fact = "The body is not a JSON object"
        raise InputError(fact, remedy="Send an object with the fields of the protocol")
    _refuse_duplicates(content, document)
    return document


def parse_numbers(body: Body, names: Iterable[str]) -> list[list[float]] | None:
    """The rows of a long body that is nothing but `{"NAME": [[number, ...], ...]}`; any other is to be parsed as JSON.

    What every number is need not be asked of each then, which takes as long as to read it.
    """
    content = body.content
    if len(content) < LONG or body.media_type not in (None, JSON):
        return None
    content = bytes(content)
    # One name, and no null for which all would have been read in vain; one letter is found in a tenth of the time.
    colon = content.find(COLON)
    if colon < 0 or content.find(COLON, colon + 1) >= 0 or content.find(b"u", LONGEST_FIELD) >= 0:
        return None
    try:
        ((name, rows),) = NAMED_ROWS.decode(content).items()
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return rows if name in names else None


def _not_json(error: orjson.JSONDecodeError) -> InputError:
    where = f"at character {error.pos}"
    number = NUMBER.match(error.doc, error.pos)
    if number and math.isinf(float(number[0])):
        fact = f"The body has a number {where} that is too large"
        return InputError(fact, remedy="Send numbers between -1.7e308 and 1.7e308")
    if error.doc[error.pos : error.pos + 3] in NOT_NUMBERS:
        remedy = "JSON has neither NaN nor infinity: send null for a missing value"
        return InputError(f"The body is not JSON: NaN or infinity {where}", remedy=remedy)
    return InputError(f"The body is not JSON: an error {where}", remedy="Send a JSON object")


def _refuse_duplicates(content: bytes, document: dict[str, Any]) -> None:
    """Two values under one name: parsers differ in which of them they take, and so may what stands before the server.

    There is one colon for each name, besides those in strings; names that stand twice are one in the document.
    """
    colons = _colons(content)
    if colons == len(document) or colons == _some_names(document):
        return
    if STRING.sub(b"", content).count(b":") != _names(document):
        fact = "The body has an object that names a field twice"
        raise InputError(fact, remedy="Send each field of an object once")


def _colons(content: bytes) -> int:
    if len(content) < LONG:
        return content.count(COLON)
    # A tenth of the time.
    return int(np.count_nonzero(np.frombuffer(content, np.uint8) == COLON[0]))


def _some_names(document: dict[str, Any]) -> int:
    """The names of the document and of objects in its lists; there may be more."""
    lists = [value for value in document.values() if type(value) is list and value and type(value[0]) is dict]
    return len(document) + sum(len(value) for values in lists for value in values if type(value) is dict)


def _names(document: dict[str, Any]) -> int:
    names, waiting = 0, [document]
    while waiting:
        part: Any = waiting.pop()
        inner = part
        if type(part) is dict:
            names += len(part)
            inner = part.values()
        waiting.extend(value for value in inner if type(value) in CONTAINERS)
    return names


def refuse_unknown(document: Mapping[str, Any], known: Iterable[str], where: str = "The body") -> None:
    """Refuse fields that would otherwise be ignored.

    Raises
    ------
    InputError
        When there are any.
    """
    if not set(document).issubset(known):
        unknown = set(document).difference(known)
        fact = f"{where} has {len(unknown)} unknown fields" if len(unknown) > 1 else f"{where} has an unknown field"
        raise InputError(fact, remedy=f"It may have {', '.join(known)}")


def count_rows(table: object) -> int:
    """Rows of a table of either form, before it is decoded."""
    if isinstance(table, dict):
        return max((len(values) for values in table.values() if isinstance(values, list | np.ndarray)), default=0)
    return len(table) if isinstance(table, list | np.ndarray) else 0


def _count_columns(table: object) -> int:
    """Columns of a table of either form; of rows, those of the first, since others may have no more of them."""
    first = table[0] if isinstance(table, list) and table else table
    return len(first) if isinstance(first, dict | list) else 0


def decode_table(served: Served, table: object) -> Question:
    """Decode a table of rows (a list), of columns (an object), or of all inputs in their order (an array).

    Raises
    ------
    LimitError
        When it has too many rows, or would take far more memory than bytes of the body.
    InputError
        When it does not fit the contract.
    """
    if type(table) is list and len(table) == 1 and type(table[0]) is list and len(table[0]) <= FEW:
        # A row that fits is within every limit.
        matrix = served.decoder.matrix(table)
        if matrix is not None:
            return Question(matrix)
    rows = count_rows(table)
    served.limits.check_rows(rows)
    served.limits.check_cells(rows, len(served.decoder.fields))
    if isinstance(table, np.ndarray):
        return Question(served.decoder.table(table))
    served.limits.check_columns(_count_columns(table))
    if isinstance(table, dict):
        return Question(served.decoder.columns(table), absent=tuple(set(served.decoder.fields).difference(table)))
    columns = served.decoder.rows(table)
    return Question(columns, absent=_absent(served, table))


def decode_numbers(served: Served, rows: list[list[float]]) -> Question:
    """Decode rows of numbers; it raises as `decode_table`."""
    served.limits.check_rows(len(rows))
    served.limits.check_cells(len(rows), len(served.decoder.fields))
    columns = served.decoder.numbers(rows)
    return decode_table(served, rows) if columns is None else Question(columns)


def _absent(served: Served, rows: Any) -> tuple[str, ...]:
    """Inputs that no row names."""
    if not rows or not isinstance(rows[0], dict) or len(rows[0]) == len(served.decoder.fields):
        return ()
    return tuple(set(served.decoder.fields).difference(*rows))
