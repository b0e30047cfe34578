"""Steps as they are kept, for stores that machines share."""

from pathlib import Path

from cellops.pipeline.cache.entries import Cache
from cellops.pipeline.cache.key import key
from cellops.records.cached import Dependencies, KeptStep, StepKey
from cellops.records.stored import StoredValue

KEY = "a long key for these tests only"


def of_step(name: str) -> StepKey:
    project = Path("project")
    return key([name], {}, {}, outputs=("a",), folder=project, project=project, parameters_cell=None, kernel="python3")


def kept(cache: Cache, value: object) -> KeptStep:
    """A step that hands on one value."""
    return kept_with(cache, "make", *cache.values.keep({"a": value}))


def kept_with(cache: Cache, step: str, *values: StoredValue) -> KeptStep:
    """A step that hands on what stands in the cache."""
    made = KeptStep(
        step=step,
        notebook="n.ipynb",
        execution="1",
        key=of_step(step),
        dependencies=Dependencies(),
        values=values,
        cells=cache.cells.keep(b"[]", ".json").stem,
        places=(0,),
        ended=1.0,
        seconds=1.0,
    )
    cache.keep(made)
    return made


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
