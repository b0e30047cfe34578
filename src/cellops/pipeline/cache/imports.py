"""What imports look for and what is there: with another file in front of it, the same import loads another module."""

import contextlib
import functools
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType

from cellops.capture.environment.modules import INSTALLED, LIBRARY, OURS
from cellops.capture.files.pointers import shown
from cellops.records.cached import ModulesSought

OF_PYTHON = "installed"
"""Stands for a module that was installed, or is Python's own, wherever that is."""
Places = tuple[str, ...]


class Imports:
    """The finder that is asked first: it finds nothing itself, and remembers what is looked for and where that is."""

    def __init__(self) -> None:
        self._found: dict[Places, dict[str, Places | None]] = {}

    def find_spec(self, name: str, path: Sequence[str] | None = None, _target: ModuleType | None = None) -> None:
        """Remember where a module is, unless it stands inside of an installed package or is ours."""
        with contextlib.suppress(Exception):  # the user's own import must go on
            if not name.startswith(f"{OURS}."):
                self._note(name, sys.path if path is None else path)

    def begin(self) -> None:
        """Hear of imports from now on; what was imported ahead is looked for once more, as a cell would do here."""
        ahead = self.names()
        self._found.clear()
        for name in ahead:
            self.find_spec(name)
        sys.meta_path.insert(0, self)

    def names(self) -> list[str]:
        """What was looked for, but for what stands inside of packages."""
        return [name for found in list(self._found.values()) for name in list(found) if "." not in name]

    def sought(self, project: Path, is_own: Callable[[str], bool]) -> tuple[ModulesSought, ...]:
        """What was looked for and found, but for modules of which this process has made the files itself.

        Parameters
        ----------
        project
            The folder that paths are relative to.
        is_own
            Whether this process has made a file.
        """
        return tuple(
            ModulesSought(
                folders=tuple(shown(Path(folder), project) for folder in folders),
                found={
                    name: _told(name, places, project)
                    for name, places in list(found.items())
                    if not any(map(is_own, places or ()))
                },
            )
            for folders, found in list(self._found.items())
        )

    def _note(self, name: str, path: Iterable[str]) -> None:
        folders = tuple(os.path.abspath(folder) for folder in path if type(folder) is str)  # noqa: PTH100 - as texts
        if "." in name and all(_is_installed(folder) or folder.startswith(LIBRARY) for folder in folders):
            return
        found = self._found.setdefault(folders, {})
        if name not in found:
            found[name] = _places(name, folders)


@functools.cache
def imports() -> Imports:
    """What this process has heard, or the one that it was forked from while that imported ahead."""
    return Imports()


def differing(
    then: ModulesSought, folders: Sequence[str], project: Path
) -> Iterator[tuple[str, str | None, str | None]]:
    """The modules that an import would find elsewhere now: each with its place then and now, None where there is none.

    Parameters
    ----------
    folders
        Absolute paths of those where they are looked for.
    project
        The folder that places are relative to.
    """
    for name, before in then.found.items():
        now = _told(name, _places(name, folders), project)
        if now != before:
            yield name, before, now


def _places(name: str, folders: Sequence[str]) -> Places | None:
    """The file of a module, or the folders of a package that has none; None where nothing is there."""
    spec = PathFinder.find_spec(name.rpartition(".")[2], list(folders))
    if spec is None:
        return None
    return (str(spec.origin),) if spec.has_location else tuple(spec.submodule_search_locations or (str(spec.origin),))


def _told(name: str, places: Places | None, project: Path) -> str | None:
    """Where a module is, as records hold it."""
    if places is None:
        return None
    real = [Path(os.path.realpath(place)) for place in places]
    is_python = name.partition(".")[0] in sys.stdlib_module_names and not real[0].is_relative_to(project)
    return OF_PYTHON if is_python or _is_installed(places[0]) else ", ".join(shown(place, project) for place in real)


def _is_installed(place: str) -> bool:
    return any(folder in place for folder in INSTALLED)
