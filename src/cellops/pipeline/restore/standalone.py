"""Functions whose source is written into restored notebooks: each stands alone and brings what it needs.

They are called by cells of the notebook, beside the names of the run, hence their names.
"""

# ruff: noqa: NPY002 - the shared generators are those that the run drew from


def restored_begin(folders: list[str], files: list[str], import_roots: list[str]) -> dict[str, dict[str, object]]:
    """Import the project's modules as they were, and work in the first folder that has the run's files.

    Gives the states of random generators that the run's cells began with.
    """
    import importlib
    import json
    import os
    import sys
    from contextlib import suppress
    from pathlib import Path

    with suppress(ImportError):
        importlib.import_module("rich.style")  # draws when it is imported, and had been imported before the run began
    here = Path.cwd()
    sys.path[:0] = [str(here / root) for root in import_roots]
    kept = here / "states.json"
    states: dict[str, dict[str, object]] = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else {}
    os.chdir(next((folder for folder in folders if all((here / folder / file).exists() for file in files)), here))
    return states


def restored_stand_in() -> None:
    """Stand in for cellops where it is not installed: what cells take from it is Secret, which is a text."""
    import importlib
    import os
    import sys
    from types import ModuleType

    class Secret(str):
        __slots__ = ()

        @classmethod
        def given(cls, parameter: str) -> str:
            return cls(os.environ[f"CELLOPS_SECRET_{parameter}"])

    try:
        importlib.import_module("cellops")
    except ImportError:
        module = ModuleType("cellops")
        vars(module)["Secret"] = Secret
        sys.modules["cellops"] = module


def restored_put_back(states: dict[str, object]) -> None:
    """Put the shared generators of python, numpy and torch where they stood."""
    import random
    from array import array

    def unpacked(state: object) -> object:
        match state:
            case {"dtype": str(dtype), "bytes": str(content)}:
                import numpy as np

                return np.frombuffer(bytes.fromhex(content), dtype).copy()
            case dict():
                return {name: unpacked(held) for name, held in state.items()}
            case _:
                return state

    for name, state in states.items():
        match state:
            case {"python": int(version), "words": str(words), "gauss": gauss}:
                random.setstate((version, tuple(array("I", bytes.fromhex(words))), gauss))
            case {"numpy": dict(packed)}:
                from numpy.random import set_state

                set_state(unpacked(packed))  # type: ignore[arg-type]  # as it was read from JSON
            case {"torch": str(words)}:
                import torch

                content = torch.frombuffer(bytearray.fromhex(words), dtype=torch.uint8)
                if not name.startswith("torch.cuda."):
                    torch.set_rng_state(content)
                elif torch.cuda.is_available():
                    torch.cuda.set_rng_state(content, int(name.rpartition(".")[2]))
            case _:
                fact = f"the state of {name} cannot be read"
                raise ValueError(fact)


def restored_seed(seed: int, *, with_torch: bool) -> None:
    """Seed the generators that everybody shares, as the cell's header did."""
    import random
    import sys

    import numpy as np

    if with_torch:
        import torch  # noqa: F401 - it seeds its generator when it is imported
    random.seed(seed)
    np.random.seed(seed % 2**32)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)


def restored_check_data(files: list[tuple[str, int | None, str]]) -> None:
    """Say of each file that the run has read whether it is what it was: path, bytes, XXH3 (128 bits) of its content."""
    from importlib.util import find_spec
    from pathlib import Path

    def said(path: Path, size: int | None, digest: str) -> str:
        if not path.exists():
            return "not there"
        if path.is_dir():
            return "a folder, whose files were not checked"
        if size is not None and path.stat().st_size != size:
            return f"it has changed, it had {size} bytes"
        if not digest or find_spec("xxhash") is None:
            return "only its size was checked"
        from xxhash import xxh3_128

        found = xxh3_128()
        with path.open("rb") as file:
            while block := file.read(2**20):
                found.update(block)
        return "its content is what it was" if found.hexdigest() == digest else "its content has changed"

    for name, size, digest in files:
        print(f"{name}: {said(Path(name).expanduser(), size, digest)}")


def restored_compare(metrics: dict[str, float]) -> None:
    """Show each metric as the run recorded it and as it is now."""
    import __main__

    for name, then in metrics.items():
        variable, _, key = name.partition(".")
        now = vars(__main__).get(variable, "not there")
        now = now.get(key, "not there") if key and isinstance(now, dict) else now
        print(f"{name}: {then} in the record, {now} now: {'the same' if now == then else 'it differs'}")
