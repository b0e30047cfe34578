"""What papermill keeps in the metadata of a notebook that it executes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cellops.records.execution import ParameterValue
from cellops.records.parameter import BoundParameters

if TYPE_CHECKING:
    from nbformat import NotebookNode


def describe(
    notebook: "NotebookNode",
    defaults: Mapping[str, ParameterValue],
    bound: Mapping[str, ParameterValue],
    path: Path,
    output: Path,
) -> None:
    """Prepare the metadata as papermill does, and take out the marks of an earlier failure."""
    from papermill.execute import remove_error_markers
    from papermill.version import version

    remove_error_markers(notebook)
    for cell in notebook.cells:
        cell.metadata.setdefault("tags", [])
        cell.metadata["papermill"] = {}
    notebook.metadata["papermill"] = {
        "default_parameters": _strict_json(defaults),
        "parameters": _strict_json(bound),
        "environment_variables": {},
        "version": version,
        "input_path": str(path),
        "output_path": str(output),
    }


def tell_parameters(notebook: "NotebookNode", told: BoundParameters) -> None:
    """Say in the metadata where the value of each parameter comes from; papermill's part has the values."""
    known = notebook.metadata.get("cellops", {})
    notebook.metadata["cellops"] = {**known, "parameters": {one.name: one.place for one in told.parameters}}


def _strict_json(values: Mapping[str, ParameterValue]) -> object:
    """The values with NaN and infinities as strings: JavaScript refuses a notebook that has them bare."""
    return json.loads(json.dumps(values), parse_constant=str)
