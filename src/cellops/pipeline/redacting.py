"""An executed notebook without secrets: in sources, outputs, tracebacks and the parameters that it was given."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from cellops.capture.redaction import redact, redact_source, redact_value, secrets_in, without_values

if TYPE_CHECKING:
    from nbformat import NotebookNode

ANSI = re.compile(r"\x1b\[[0-9;]*m")
Redact = Callable[[str], str]


def redact_notebook(notebook: "NotebookNode") -> "NotebookNode":
    """A copy of a notebook without secrets; what holds none is shared with the notebook.

    Secrets are those of a known shape, the values that stand beside the names of secrets, and these values again
    wherever an output repeats them.
    """
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    values = {value for source in sources for value in secrets_in(source)}
    without = partial(_without, values)
    unnamed = partial(_without, {value for value in values if not value.isidentifier()})
    copy = _with(notebook, cells=[_cell(cell, unnamed, without) for cell in notebook.cells])
    copy.metadata = _with(notebook.metadata, **_metadata(notebook.metadata, without))
    return copy


def _without(values: set[str], text: str) -> str:
    return redact(without_values(values, text))


def _cell(cell: "NotebookNode", unnamed: Redact, without: Redact) -> "NotebookNode":
    """A cell; a secret that could be a name of the code is taken out of its source only where it is bound."""
    if cell.cell_type != "code":
        return _with(cell, source=without(cell.source))
    outputs = [_output(output, without) for output in cell.get("outputs", [])]
    return _with(cell, source=unnamed(redact_source(cell.source)), outputs=outputs)


def _output(output: "NotebookNode", without: Redact) -> "NotebookNode":
    match output.output_type:
        case "stream":
            return _with(output, text=without("".join(output.text)))
        case "error":
            traceback = [_plain_where_needed(lines, without) for lines in output.traceback]
            return _with(output, evalue=without(output.evalue), traceback=traceback)
        case _:
            return _with(output, data={kind: _data(kind, data, without) for kind, data in output.data.items()})


def _plain_where_needed(lines: str, without: Redact) -> str:
    """Lines of a traceback; those that hold a secret lose their colours, which stand between a name and its value."""
    plain = ANSI.sub("", lines)
    clean = without(plain)
    return lines if clean == plain else clean


def _data(kind: str, data: Any, without: Redact) -> Any:
    is_binary = kind.startswith(("image/", "audio/", "video/", "application/pdf")) and kind != "image/svg+xml"
    return data if is_binary else _deep(data, without)


def _deep(value: Any, without: Redact) -> Any:
    match value:
        case str():
            return without(value)
        case list():
            return [_deep(item, without) for item in value]
        case Mapping():
            return {name: _deep(_named(name, item), without) for name, item in value.items()}
        case _:
            return value


def _named(name: str, value: Any) -> Any:
    return redact_value(name, value) if isinstance(value, str) else value


def _metadata(metadata: Mapping[str, Any], without: Redact) -> dict[str, Any]:
    return {name: _deep(metadata[name], without) for name in ("papermill", "widgets") if name in metadata}


def _with(node: "NotebookNode", **changes: Any) -> "NotebookNode":
    """The same node with other values for some of its keys."""
    from nbformat import from_dict

    changed: NotebookNode = type(node)(node)
    for name, value in changes.items():
        changed[name] = from_dict(value)  # type: ignore[no-untyped-call]
    return changed
