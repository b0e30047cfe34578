"""One parameter: an assignment of the parameters cell, with its type, its default and its comment."""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from cellops.capture.redaction import redact_value
from cellops.pipeline.parameters import containers, kinds
from cellops.pipeline.parameters.annotations import kind, kind_of
from cellops.pipeline.parameters.kinds import Kind, Mismatch
from cellops.pipeline.parameters.limits import description
from cellops.pipeline.parameters.literals import kind_name, value
from cellops.pipeline.parameters.names import Names


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One assignment of the parameters cell.

    A default gives a parameter without annotation its type. A computed default stays as the notebook computes it; only
    an annotation makes such a parameter open to values from outside.
    """

    name: str
    kind: Kind | None = None
    """None when no value can be given."""
    written: str | None = None
    """The type as it is written, `list[int]`."""
    default: object = None
    source: str = ""
    """The default as it is written; empty where there is none, and for a Secret, which is not read out."""
    required: bool = False
    """Whether the cell only declares the name (`limit: int`), so that a value must be given."""
    computed: bool = False
    """Whether the default is an expression that only the kernel can evaluate, or a Secret."""
    help: str = ""
    """The comment that ends the assignment, else what `Annotated` says of it."""


def assigned(statement: ast.stmt) -> str | None:
    """The name that a statement declares as a parameter, None for another statement."""
    match statement:
        case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
            return name
    return None


def read_parameter(statement: ast.stmt, comments: Mapping[int, str], names: Names) -> Parameter | None:
    """The parameter that an assignment to one name declares, None for another statement.

    Parameters
    ----------
    comments
        The comments of the cell by their lines, from 1.
    """
    comment = comments.get(statement.end_lineno or 0, "")
    match statement:
        case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=default):
            inner, parts = _unwrapped(annotation, names)
            says = comment or next((text for part in parts if (text := description(part))), "")
            known = Parameter(name=name, kind=_kind(annotation, names), written=_written(inner), help=says)
        case ast.Assign(targets=[ast.Name(id=name)], value=default):
            if isinstance(default, ast.Subscript | ast.BinOp) and _kind(default, names) is not None:
                return None  # it names a type
            known = Parameter(name=name, help=comment)
        case _:
            return None
    if default is None:
        return replace(known, required=True)
    return replace(known, computed=True) if _is_secret(known) else _with_default(known, default, names)


def _with_default(parameter: Parameter, node: ast.expr, names: Names) -> Parameter:
    """The parameter with its default, which gives it a type where it has no annotation."""
    source = str(redact_value(parameter.name, ast.unparse(node)))
    try:
        default = value(node, names)
    except (ValueError, RecursionError):
        return replace(parameter, source=source, computed=True)
    known = replace(parameter, default=default, source=source)
    if parameter.written is None and (implied := kind_name(default)) is not None:
        return replace(known, written=implied, kind=kind_of(implied, names))
    if default is None and parameter.kind is not None:
        # As type checkers once took it: a default of None makes the type an optional one.
        return replace(known, kind=containers.AnyOf((parameter.kind, kinds.NONE)))
    return known


def wrong_default(parameter: Parameter) -> str | None:
    """Why a default does not fit its own type, None when it does."""
    if parameter.kind is None or parameter.required or parameter.computed:
        return None
    try:
        parameter.kind.check(parameter.default)
    except Mismatch:
        return f"its default {parameter.source} is no {parameter.written}"
    except ValueError as error:
        return f"its default {error}"
    return None


def _written(annotation: ast.expr) -> str:
    """The annotation as text; one in quotes is taken as what stands in them."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return annotation.value
    return ast.unparse(annotation)


def _is_secret(parameter: Parameter) -> bool:
    """Whether its type names `Secret`, alone or as a part of another."""
    return parameter.written is not None and re.search(r"\bSecret\b", parameter.written) is not None


def _kind(annotation: ast.expr, names: Names) -> Kind | None:
    try:
        return kind(annotation, names)
    except (LookupError, RecursionError):
        return None


def _unwrapped(annotation: ast.expr, names: Names) -> tuple[ast.expr, list[ast.expr]]:
    """The type in `Annotated[type, part, ...]` and the parts; what they limit is told beside the type."""
    match annotation:
        case ast.Subscript(value=generic, slice=ast.Tuple(elts=[inner, *parts])):
            return (inner, parts) if names.well_known(generic) == "Annotated" else (annotation, [])
    return annotation, []
