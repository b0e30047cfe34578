"""The server's OpenAPI document: every path, with requests and answers as the package's contract describes them.

The source is the OpenAPI Specification 3.1.0, whose schemas are JSON Schema 2020-12.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import orjson

from cellops.data.arrays import WANTED
from cellops.monitoring.label_log import LONGEST_REVIEWER
from cellops.records.contract import Action, Contract, Expectation, Field, Schema, Suite, Task
from cellops.records.profile import ColumnKind
from cellops.serving.limits import Limits
from cellops.serving.protocols.operation import ID, LABEL, SCHEMAS, JSONSchema, Operation, listed, record
from cellops.serving.protocols.protocol import ERROR, Document, Protocol
from cellops.version import __version__

PATH = "/openapi.json"
FEEDBACK = "/feedback"
TYPES: Mapping[ColumnKind, str] = {
    ColumnKind.NUMBER: "number",
    ColumnKind.INTEGER: "integer",
    ColumnKind.BOOLEAN: "boolean",
    ColumnKind.TEXT: "string",
    ColumnKind.DATETIME: "string",
}
ERRORS: Mapping[str, str] = {
    "400": "The request does not fit the contract; the sentence names column, rows and remedy",
    "401": "No token was sent",
    "403": "Another token was sent",
    "404": "There is no such path or model",
    "405": "The path takes another method",
    "408": "The body did not come in time",
    "413": "The body is too large, too deep, or has too many rows",
    "415": "The body is in a format that the path does not read",
    "429": "The client has sent as many requests as it may; Retry-After says when the next may come",
    "431": "The head of the request is too large",
    "500": "The model or the server failed; the error id stands in the server's log",
    "501": "A part of the protocol that this server does not speak",
    "503": "The server takes no more requests now",
    "504": "An explanation took longer than the server allows",
}
RESPONSES = "#/components/responses/"
OWN = "server"
"""Whose words errors are in on paths of no protocol."""
MOST_NAMED = 30
"""Categories that a description names."""


def document(
    contract: Contract,
    limits: Limits,
    *,
    name: str,
    version: str,
    protocols: Iterable[Protocol],
    readable: Mapping[str, Document],
    is_open: Iterable[str],
    feedback: Iterable[str] = (),
    more: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """The OpenAPI document of one version of a model.

    Parameters
    ----------
    contract
        What the package says of its rows.
    limits
        How much a request may ask for.
    name, version
        Of the model.
    protocols
        Those that the server speaks.
    readable
        What can be read besides what protocols have, by path.
    is_open
        Paths that need no token.
    feedback
        Paths that take labels.
    more
        Other paths, as they are described.
    """
    paths: dict[str, Any] = {path: {"get": _reading(value, OWN)} for path, value in readable.items()}
    errors = {OWN: ERROR}
    for protocol in protocols:
        tag = protocol.name
        errors[tag] = protocol.error_schema()
        for path, value in {**protocol.documents(), **protocol.probes()}.items():
            paths[path] = {"get": _reading(value, tag) | {"tags": [tag]}}
        for path, operation in protocol.operations().items():
            paths[path] = {"post": _asking(operation, tag) | {"tags": [tag]}}
    paths |= {path: {"post": _asking(_feedback(limits, LABEL), OWN)} for path in feedback}
    paths |= more
    for path in is_open:
        if path in paths:
            paths[path]["get"]["security"] = []
    return {
        "openapi": "3.1.0",
        "info": {
            "title": name,
            "version": version,
            "summary": f"Predicts {contract.schema.target}",
            "description": (
                f"The model {name} behind cellops {__version__}. A request may have {limits.max_rows} rows and "
                f"{limits.max_bytes} bytes. The header X-Prediction-Id of an answer is what labels speak of later."
            ),
        },
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": _tables(contract.schema, contract.suite, limits)
            | {f"Error.{words}": schema for words, schema in errors.items()},
            "responses": _refused(errors),
        },
    }


def merged(documents: Mapping[str, dict[str, Any]], limits: Limits) -> dict[str, Any]:
    """The OpenAPI document of a server, from those of its models by their names among its schemas."""
    if len(documents) == 1:
        return next(iter(documents.values()))
    named = [_prefixed(prefix, document) for prefix, document in documents.items()]
    paths = {path: item for document in named for path, item in document["paths"].items()}
    schemas = {name: schema for document in named for name, schema in document["components"]["schemas"].items()}
    if FEEDBACK not in paths:
        labels = [{"$ref": f"{SCHEMAS}{prefix}.Label"} for prefix in documents]
        paths[FEEDBACK] = {"post": _asking(_feedback(limits, {"anyOf": labels}), OWN)}
    titles = dict.fromkeys(document["info"]["title"] for document in named)
    info = {
        "title": ", ".join(titles),
        "version": __version__,
        "description": "\n\n".join(dict.fromkeys(document["info"]["description"] for document in named)),
    }
    components = named[0]["components"] | {"schemas": schemas}
    return named[0] | {"info": info, "paths": paths, "components": components}


def _prefixed(prefix: str, document: dict[str, Any]) -> dict[str, Any]:
    """The same document with other names for its schemas."""
    text = orjson.dumps(document).replace(f'"{SCHEMAS}'.encode(), f'"{SCHEMAS}{prefix}.'.encode())
    renamed: dict[str, Any] = orjson.loads(text)
    schemas = renamed["components"]["schemas"]
    renamed["components"]["schemas"] = {f"{prefix}.{name}": schema for name, schema in schemas.items()}
    return renamed


def _tables(schema: Schema, suite: Suite | None, limits: Limits) -> dict[str, JSONSchema]:
    cells = {field.name: cell(field, suite) for field in schema.inputs}
    needed = [field.name for field in schema.inputs if not field.nullable]
    values = list(cells.values())
    columns: dict[str, JSONSchema] = {
        name: listed(one, minItems=1, maxItems=limits.max_rows) for name, one in cells.items()
    }
    return {
        "Row": record(cells, *needed),
        "RowInOrder": {"type": "array", "prefixItems": values, "minItems": len(values), "maxItems": len(values)},
        "Columns": record(columns, *needed, description="Lists of one length"),
        "Label": _label(schema),
        "Explanation": _explanation(schema),
    }


def _label(schema: Schema) -> JSONSchema:
    if schema.task is Task.REGRESSION:
        return {"type": "number", "description": schema.target}
    return {"enum": list(schema.classes), "description": schema.target}


def _explanation(schema: Schema) -> JSONSchema:
    each = record({field.name: {"type": "number"} for field in schema.inputs})
    count = {"type": "integer", "minimum": 1}
    fields: dict[str, JSONSchema] = {
        "unit": {"type": "string", "description": "Of the numbers here: what is explained"},
        "value": {
            "type": "number",
            "description": "What the model gives for the row: base plus contributions",
        },
        "base": {"type": "number", "description": "The mean of what it gives for the background"},
        "contributions": {**each, "description": "The Shapley value of each input"},
        "method": {"enum": ["exact", "sampled"]},
        "background_rows": count,
        "evaluations": {**count, "description": "How many rows the model answered for this"},
    }
    optional = {"standard_errors": {**each, "description": "Of the contributions, where they are sampled"}}
    if schema.task is Task.REGRESSION:
        return record(fields | optional, *fields)
    fields["class"] = {**LABEL, "description": "The class whose probability is explained"}
    return record(fields | optional, *fields)


def cell(field: Field, suite: Suite | None) -> JSONSchema:
    """What may stand in a column: its kind, and the rules whose breach is refused row for row."""
    kind = TYPES[field.kind]
    described: dict[str, Any] = {"type": [kind, "null"] if field.nullable else kind, "description": _described(field)}
    if field.kind is ColumnKind.DATETIME:
        described["format"] = "date-time"
    for rule in suite.expectations if suite else ():
        if rule.columns == (field.name,) and rule.on_breach is Action.REJECT:
            described |= _of_rule(rule, nullable=field.nullable)
    return described


def _of_rule(rule: Expectation, *, nullable: bool) -> dict[str, Any]:
    given = rule.arguments
    if rule.rule == "expect_column_values_to_be_between":
        words = {
            ("min_value", False): "minimum",
            ("min_value", True): "exclusiveMinimum",
            ("max_value", False): "maximum",
            ("max_value", True): "exclusiveMaximum",
        }
        return {
            words[bound, bool(given.get(f"strict_{bound[:3]}"))]: given[bound]
            for bound in ("min_value", "max_value")
            if isinstance(given.get(bound), int | float)
        }
    if rule.rule == "expect_column_values_to_be_in_set" and isinstance(given.get("value_set"), list):
        values = given["value_set"]
        return {"enum": [*values, None] if nullable and isinstance(values, list) else values}
    return {}


def _described(field: Field) -> str:
    parts = [f"{WANTED[field.kind].capitalize()}{', or null' if field.nullable else ''}"]
    if field.personal is not None:
        return parts[0]
    if field.minimum is not None and field.maximum is not None:
        parts.append(f"in training {field.minimum:g} to {field.maximum:g}")
    if field.categories is not None:
        more = len(field.categories) - MOST_NAMED
        named = ", ".join(field.categories[:MOST_NAMED])
        parts.append(f"in training {named}{f' and {more} more' if more > 0 else ''}")
    return "; ".join(parts)


def _asking(operation: Operation, words: str) -> dict[str, Any]:
    headers = {
        "X-Request-Id": {**ID, "description": "Comes back with the answer, and stands in the log"},
        **operation.headers,
    }
    described = {name: {"description": "Of this answer", "schema": ID} for name in ("X-Prediction-Id", "X-Request-Id")}
    described["X-Model"] = {"description": "MODEL/versions/VERSION, who answered", "schema": {"type": "string"}}
    content: dict[str, Any] = {"application/json": {"schema": operation.answer}}
    if operation.binary_answer:
        content["application/octet-stream"] = {}
    return {
        "summary": operation.summary,
        "parameters": [{"name": name, "in": "header", "schema": schema} for name, schema in headers.items()],
        "requestBody": {
            "required": True,
            "content": {media: {"schema": schema} for media, schema in operation.requests.items()},
        },
        "responses": {
            "200": {"description": "The answer", "headers": described, "content": content},
            **refusals(words),
        },
    }


def _reading(value: Document, words: str) -> dict[str, Any]:
    media, schema = ("text/plain", {"type": "string"}) if isinstance(value, str) else ("application/json", _like(value))
    return {
        "summary": "Read",
        "responses": {
            "200": {"description": "What stands there", "content": {media: {"schema": schema}}},
            **refusals(words),
        },
    }


def _like(value: object) -> JSONSchema:
    """What describes a document that is always the same."""
    if isinstance(value, dict) and value:
        return record({name: _like(inner) for name, inner in value.items()}, *value)
    return {"const": value} if not isinstance(value, dict) else {"type": "object"}


def refusals(words: str = OWN) -> dict[str, Any]:
    """The answers of a path that are errors, by status, in the words of a protocol or the server's own."""
    return {status: {"$ref": f"{RESPONSES}{words}.{status}"} for status in ERRORS}


def _refused(spoken: Iterable[str]) -> dict[str, Any]:
    """What `refusals` names: written once, as paths are many."""
    contents = {words: {"application/json": {"schema": {"$ref": f"{SCHEMAS}Error.{words}"}}} for words in spoken}
    return {
        f"{words}.{status}": {"description": described, "content": content}
        for words, content in contents.items()
        for status, described in ERRORS.items()
    }


def _feedback(limits: Limits, value: JSONSchema) -> Operation:
    label = record(
        {
            "prediction_id": {"type": "string", "pattern": "^[!-~]{1,160}$", "description": "ANSWER:ROW, rows from 0"},
            "label": value,
            "observed": {"type": ["string", "null"], "format": "date-time", "description": "When it was known"},
            "reviewer": {
                "type": ["string", "null"],
                "maxLength": LONGEST_REVIEWER,
                "description": "Who has looked at the row",
            },
        },
        "prediction_id",
        "label",
    )
    count = {"type": "integer", "minimum": 0}
    return Operation(
        summary="Say what has turned out to be true",
        requests={
            "application/json": record(
                {
                    "labels": listed(label, minItems=1, maxItems=limits.max_rows),
                    "foreign": {
                        "type": "boolean",
                        "default": False,
                        "description": "Take labels of predictions that other servers have made, too",
                    },
                },
                "labels",
            )
        },
        answer=record({"accepted": count, "unknown": count}, "accepted", "unknown"),
        headers={},
    )
