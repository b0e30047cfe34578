"""Functions of the notebook that run around its cells: callbacks of events, transformers of source, traces, finders."""

import builtins
import gc
import sys
import warnings
from collections.abc import Iterable
from itertools import chain
from typing import Any, NamedTuple

from cellops.capture.names.owners import STANDS_IN, is_own
from cellops.capture.names.types import identity_of

TRANSFORMERS = ("input_transformers_cleanup", "input_transformers_post", "ast_transformers")


class Installed(NamedTuple):
    """Those that stand at one moment, by identity: nothing of them is held."""

    around: frozenset[int]
    """They run before a cell, in it and behind it."""
    inside: frozenset[int]
    """They make the cell, or what it imports, another one."""

    @property
    def all(self) -> frozenset[int]:
        return self.around | self.inside


class Hooks:
    """What IPython's shell and Python itself are to call beside the code of a cell, as far as it is the notebook's."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._known: tuple[int, ...] = ()
        self._found = Installed(frozenset(), frozenset())
        self.earlier = self.installed().all
        """Those that stand since before capturing began."""

    def installed(self) -> Installed:
        around, inside = list(self._around()), list(self._inside())
        known = tuple(map(identity_of, (*around, None, *inside)))
        if known != self._known:
            self._known, self._found = known, Installed(_own(around), _own(inside))
        return self._found

    def _around(self) -> Iterable[object]:
        events = getattr(self._shell, "events", None)
        yield from chain.from_iterable(getattr(events, "callbacks", {}).values())
        yield from (sys.gettrace(), sys.getprofile(), *gc.callbacks, warnings.showwarning, warnings.formatwarning)
        if (numpy := sys.modules.get("numpy")) is not None:
            yield from (numpy.geterrcall(), *(numpy.get_printoptions().get("formatter") or {}).values())
        if (pandas := sys.modules.get("pandas")) is not None:
            yield pandas.get_option("display.float_format")
        if (mock := sys.modules.get(STANDS_IN)) is not None:
            yield from getattr(mock._patch, "_active_patches", ())  # those that a cell has started
        if getattr(self._shell, "custom_exceptions", ()):
            handling = self._shell.CustomTB.__func__  # IPython's own, around the one that it was given
            yield from (cell.cell_contents for cell in handling.__closure__ or ())
        display = getattr(self._shell, "display_formatter", None)
        for formatter in getattr(display, "formatters", {}).values():
            yield from (*formatter.type_printers.values(), *formatter.deferred_printers.values())

    def _inside(self) -> Iterable[object]:
        for name in TRANSFORMERS:
            yield from getattr(self._shell, name, ())
        yield from (builtins.__import__, *sys.meta_path, *sys.path_hooks)


def _own(found: list[object]) -> frozenset[int]:
    return frozenset(identity_of(function) for function in found if is_own(function))
