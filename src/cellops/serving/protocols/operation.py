"""How a protocol describes its questions and answers, for the OpenAPI document."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

JSONSchema = Mapping[str, Any]
SCHEMAS = "#/components/schemas/"
ROW: JSONSchema = {"$ref": f"{SCHEMAS}Row"}
"""One row as an object of its columns."""
ROW_IN_ORDER: JSONSchema = {"$ref": f"{SCHEMAS}RowInOrder"}
"""One row as a list of values in the order of the columns."""
COLUMNS: JSONSchema = {"$ref": f"{SCHEMAS}Columns"}
"""A table as an object of lists."""
LABEL: JSONSchema = {"$ref": f"{SCHEMAS}Label"}
EXPLANATION: JSONSchema = {"$ref": f"{SCHEMAS}Explanation"}
ID: JSONSchema = {"type": "string", "pattern": "^[A-Za-z0-9._~:/+=@-]{1,128}$"}
"""What tells requests and answers apart."""
WHEN: Mapping[str, JSONSchema] = {
    "X-Event-Time": {"type": "string", "format": "date-time", "description": "When the rows happened"}
}
"""The header of questions that the log needs."""
TABLE_IN_ROWS: JSONSchema = {"anyOf": [{"type": "array", "items": row, "minItems": 1} for row in (ROW, ROW_IN_ORDER)]}
SAYING: Mapping[str, JSONSchema] = {
    "code": {"type": "string", "description": "What kind of error it is"},
    "column": {"type": "string"},
    "rows": {"type": "array", "items": {"type": "integer"}, "description": "The first rows that it speaks of"},
    "rule": {"type": "string", "description": "The expectation that is broken"},
    "reason": {"type": "string", "description": "Why there is such a rule"},
    "problems": {
        "type": "array",
        "description": "All that is wrong with the rows, field by field",
        "items": {
            "type": "object",
            "properties": {
                "column": {"type": "string"},
                "rows": {"type": "array", "items": {"type": "integer"}},
                "message": {"type": "string", "description": "What is wrong, and the remedy"},
            },
            "required": ["message"],
        },
    },
    "error_id": {"type": "string", "description": "By which those who run the server find the cause in its log"},
}
"""What an error says besides its sentence."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A question that a protocol takes, and its answer."""

    summary: str
    requests: Mapping[str, JSONSchema]
    """What bodies look like, by media type."""
    answer: JSONSchema
    headers: Mapping[str, JSONSchema]
    """Headers of the request, besides its id and its token."""
    binary_answer: bool = False
    """Whether an answer may have bytes behind it."""


def listed(items: JSONSchema, **more: Any) -> JSONSchema:
    """A list of what a schema describes."""
    return {"type": "array", "items": items, **more}


def record(properties: Mapping[str, JSONSchema], *required: str, **more: Any) -> JSONSchema:
    """An object with these fields and no others."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
        **more,
    }
