"""The cell that seeds the generators of an execution, above all others."""

import itertools
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbformat import NotebookNode

SEED = "cellops-seed"
"""The tag of the cell, and its id where no other cell has it."""
SEEDED = re.compile(r"^_random\.seed\((-?\d+)\)$", re.MULTILINE)
BEGIN = """
__import__("cellops").notebook_of(get_ipython()).begin()
"""
"""What a kernel that has cellops executes first, silently: it captures the cell, too."""
LOADS = re.compile(r"^\s*%(?:re)?load_ext\s+cellops\b", re.MULTILINE)
TORCH = re.compile(r"^\s*(?:import|from)\s+(?:torch|lightning|pytorch_lightning|transformers)\b", re.MULTILINE)


def seed_first(notebook: "NotebookNode", seed: int) -> str:
    """Let the first cell of a notebook seed python's generator, numpy's and torch's, where they are there; its id.

    It takes the place of the one of an earlier execution, and its id; one that somebody has edited stays, as theirs.
    """
    from nbformat import from_dict

    earlier = next(filter(is_seeding, notebook.cells), None)
    others = [cell for cell in notebook.cells if cell is not earlier]
    name: str = _free_id(others) if earlier is None else earlier.id
    cell: dict[str, object] = {
        "cell_type": "code",
        "id": name,
        "source": source(seed, with_torch=any(TORCH.search(cell.source) for cell in others)),
        "metadata": {"tags": [SEED]},
        "outputs": [],
        "execution_count": None,
    }
    notebook.cells = [from_dict(cell), *others]  # type: ignore[no-untyped-call]
    return name


def is_seeding(cell: "NotebookNode") -> bool:
    """Whether a cell is as `seed_first` makes it: by its tag and by all that it does."""
    return SEED in cell.metadata.get("tags", []) and only_seeds(cell.source)


def only_seeds(text: str) -> bool:
    """Whether a text is the source of such a cell."""
    seeded = SEEDED.search(text)
    return seeded is not None and text in {source(int(seeded[1]), with_torch=torch) for torch in (False, True)}


def _free_id(cells: "Iterable[NotebookNode]") -> str:
    taken = {cell.id for cell in cells}
    return next(
        name for name in itertools.chain([SEED], (f"{SEED}-{n}" for n in itertools.count(2))) if name not in taken
    )


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
