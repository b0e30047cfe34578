"""Where a value of a library comes from, and whether it is there elsewhere too."""

import builtins
import sys
import sysconfig
from pathlib import Path
from typing import Any


def origin_of(value: Any) -> tuple[str, str] | None:
    """The module and name under which a value of a library can be imported."""
    kind = type(value)
    for module in (getattr(value, "__module__", None), kind.__module__.partition(".")[0]):
        name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
        if not isinstance(module, str) or not isinstance(name, str) or module == "__main__":
            continue
        if vars(sys.modules.get(module, builtins)).get(name) is value:
            return module, name
    return None


def import_line(module: str, name: str, called: str) -> str:
    return f"from {module} import {name}" + ("" if name == called else f" as {called}")


def is_installed(module: str) -> bool:
    """Whether a module comes with python or with a distribution."""
    root = module.partition(".")[0]
    origin = getattr(getattr(sys.modules.get(root), "__spec__", None), "origin", None)
    if root in sys.stdlib_module_names or origin is None:
        return root in sys.stdlib_module_names
    paths = [Path(sysconfig.get_path(kind)) for kind in ("purelib", "platlib")]
    return any(Path(str(origin)).is_relative_to(path) for path in paths)
