"""The cell that seeds the generators of an execution, above all others."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbformat import NotebookNode

SEED = "seed"
"""The id of the cell, and its tag."""
BEGIN = """
__import__("cellops").notebook_of(get_ipython()).begin()
"""
"""What a kernel that has cellops executes first, silently: it captures the cell, too."""
LOADS = re.compile(r"^\s*%(?:re)?load_ext\s+cellops\b", re.MULTILINE)
TORCH = re.compile(r"^\s*(?:import|from)\s+(?:torch|lightning|pytorch_lightning|transformers)\b", re.MULTILINE)


def seed_first(notebook: "NotebookNode", seed: int) -> None:
    """Let the first cell of a notebook seed python's generator, numpy's and torch's, where they are there.

    It takes the place of the one of an earlier execution.
    """
    from nbformat import from_dict

    others = [cell for cell in notebook.cells if SEED not in cell.metadata.get("tags", [])]
    cell: dict[str, object] = {
        "cell_type": "code",
        "id": SEED,
        "source": source(seed, with_torch=any(TORCH.search(cell.source) for cell in others)),
        "metadata": {"tags": [SEED]},
        "outputs": [],
        "execution_count": None,
    }
    notebook.cells = [from_dict(cell), *others]  # type: ignore[no-untyped-call]


def loads_cellops(notebook: "NotebookNode") -> bool:
    """Whether a cell loads the extension, so that its kernel has it."""
    return any(cell.cell_type == "code" and LOADS.search(cell.source) for cell in notebook.cells)


def source(seed: int, *, with_torch: bool) -> str:
    """The source of the cell; it leaves no name behind."""
    lines = [
        "# The seed of this execution",
        "import random as _random",
        "",
        f"_random.seed({seed})",
        "try:",
        "    import numpy as _numpy",
        "except ImportError:",
        "    _numpy = None",
        "else:",
        f"    _numpy.random.seed({seed % 2**32})",
    ]
    torch = ["import torch as _torch", "", f"_torch.manual_seed({seed})", "del _torch"]
    return "\n".join([*lines, *(torch if with_torch else []), "del _random, _numpy"])
