"""The cell that gives a notebook its parameters, behind the one that declares them."""

from collections.abc import Mapping
from copy import deepcopy
from typing import TYPE_CHECKING

from cellops.capture.secrets import Secret
from cellops.pipeline.parameters.declaration import HEADER, INJECTED_TAG, Declared
from cellops.pipeline.parameters.literals import written
from cellops.pipeline.parameters.names import Names

if TYPE_CHECKING:
    from nbformat import NotebookNode


def inject(notebook: "NotebookNode", declared: Declared, values: Mapping[str, object]) -> "NotebookNode":
    """A copy of the notebook with the values in a cell of their own behind the parameters cell.

    An injected cell of an earlier execution is replaced. Without values the notebook stays as it is, so a notebook
    that was executed before runs again with what it had then.
    """
    from nbformat import from_dict

    copied = deepcopy(notebook)
    if declared.index is None or not values:
        return copied
    cell: dict[str, object] = {
        "cell_type": "code",
        "id": INJECTED_TAG,
        "source": assignments(values, declared.names, with_header=declared.has_header),
        "metadata": {"tags": [INJECTED_TAG]},
        "outputs": [],
        "execution_count": None,
    }
    injected = from_dict(cell)  # type: ignore[no-untyped-call]
    before, behind = copied.cells[: declared.index + 1], copied.cells[declared.index + 1 :]
    copied.cells = [*_without_injected(before), injected, *_without_injected(behind)]
    return copied


def assignments(values: Mapping[str, object], names: Names, *, with_header: bool) -> str:
    r"""The source of the injected cell: one assignment a line, which gives back exactly the value.

    A Secret does not stand in it: the kernel takes that from where it was handed to.

    Examples
    --------
    >>> print(assignments({"seed": -7, "note": 'a="b"\n'}, Names(), with_header=True))
    %%mlops parameters
    seed = -7
    note = 'a="b"\n'
    """
    secret = any(type(value) is Secret for value in values.values())
    lines = ["from cellops import Secret"] if secret else []
    for name, value in values.items():
        source = f"Secret.given({name!r})" if type(value) is Secret else written(value, names)
        lines.append(f"{name} = {source}")
    return "\n".join([HEADER, *lines] if with_header else lines)


def _without_injected(cells: "list[NotebookNode]") -> "list[NotebookNode]":
    return [cell for cell in cells if INJECTED_TAG not in cell.metadata.get("tags", [])]
