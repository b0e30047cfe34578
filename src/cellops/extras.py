"""An optional dependency, or an error naming the extra to install."""

import importlib
from types import ModuleType

from cellops.errors import MissingExtraError


def require(module: str, extra: str) -> ModuleType:
    """Import `module`, which the extra `extra` brings.

    Raises
    ------
    MissingExtraError
        When the module is not installed; the remedy is the command that installs it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.partition(".")[0] != module.partition(".")[0]:
            raise
        fact = f"{module} is not installed"
        raise MissingExtraError(fact, remedy=f"Install it with: pip install 'cellops[{extra}]'", extra=extra) from error
