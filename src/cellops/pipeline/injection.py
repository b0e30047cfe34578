"""The cell that gives a notebook its parameters, behind the one that declares them."""

from collections.abc import Mapping
from copy import deepcopy
from typing import TYPE_CHECKING

from cellops.capture.secrets import Secret
from cellops.pipeline import kinds
from cellops.pipeline.parameters import HEADER, INJECTED_TAG, Declared
from cellops.records.execution import ParameterValue

if TYPE_CHECKING:
    from nbformat import NotebookNode


def inject(notebook: "NotebookNode", declared: Declared, values: Mapping[str, ParameterValue]) -> "NotebookNode":
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
        "source": assignments(values, with_header=declared.has_header),
        "metadata": {"tags": [INJECTED_TAG]},
        "outputs": [],
        "execution_count": None,
    }
    injected = from_dict(cell)  # type: ignore[no-untyped-call]
    before, behind = copied.cells[: declared.index + 1], copied.cells[declared.index + 1 :]
    copied.cells = [*_without_injected(before), injected, *_without_injected(behind)]
    return copied


def assignments(values: Mapping[str, ParameterValue], *, with_header: bool) -> str:
    r"""The source of the injected cell: one assignment a line, which gives back exactly the value.

    A Secret does not stand in it: the kernel takes that from where it was handed to.

    Examples
    --------
    >>> print(assignments({"seed": -7, "note": 'a="b"\n'}, with_header=True))
    %%mlops parameters
    seed = -7
    note = 'a="b"\n'
    """
    secret = any(type(value) is Secret for value in values.values())
    lines = ["from cellops import Secret"] if secret else []
    lines += [f"{name} = {_written(name, value)}" for name, value in values.items()]
    return "\n".join([HEADER, *lines] if with_header else lines)


def _written(name: str, value: ParameterValue) -> str:
    return f"Secret.given({name!r})" if type(value) is Secret else kinds.literal(value)


def _without_injected(cells: "list[NotebookNode]") -> "list[NotebookNode]":
    return [cell for cell in cells if INJECTED_TAG not in cell.metadata.get("tags", [])]
