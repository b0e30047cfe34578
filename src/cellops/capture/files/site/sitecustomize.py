"""Guards a process of Python that code starts while it is executed again: Python imports this at its start.

It stands first in PYTHONPATH (`capture.files.guard`), makes way again, and lets the environment's own be imported.
"""

import contextlib
import importlib
import sys
from pathlib import Path

sys.path[:] = [folder for folder in sys.path if folder != str(Path(__file__).parent)]
with contextlib.suppress(Exception):  # another environment's Python may lack cellops, or not even parse it
    from cellops.capture.files.guard import guard_child

    guard_child()

own = sys.modules.pop(__name__)
try:
    importlib.import_module(__name__)
except ImportError:
    sys.modules[__name__] = own
