"""The session of this kernel, for functions that a notebook calls."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cellops.flows.session import Session


def current_session() -> "Session | None":
    """What captures the cells of this kernel, if this is one."""
    ipython = sys.modules.get("IPython")
    notebook = None if ipython is None else getattr(ipython.get_ipython(), "cellops", None)
    found: Session | None = getattr(notebook, "session", None)
    return found
