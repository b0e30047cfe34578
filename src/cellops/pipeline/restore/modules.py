"""The project's modules in a restored folder."""

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from cellops.records.module import ModuleSource

FOLDER = "modules"


def inside(modules: Iterable[ModuleSource]) -> Iterator[ModuleSource]:
    """Those whose path stays inside of the folder, whatever a record says."""
    for module in modules:
        path = PurePosixPath(module.path)
        if not path.is_absolute() and ".." not in path.parts:
            yield module


def import_roots(modules: Iterable[ModuleSource]) -> list[str]:
    """The folders from which modules are imported by their names.

    Examples
    --------
    >>> import_roots([ModuleSource(name="shop.prices", path="src/shop/prices.py", digest="", size=0)])
    ['modules/src']
    """
    return list(dict.fromkeys((PurePosixPath(FOLDER) / _root(module)).as_posix() for module in modules))


def _root(module: ModuleSource) -> PurePosixPath:
    path = PurePosixPath(module.path)
    own = path.parent if path.name == "__init__.py" else path.with_suffix("")
    name = tuple(module.name.split("."))
    return PurePosixPath(*own.parts[: -len(name)]) if own.parts[-len(name) :] == name else path.parent
