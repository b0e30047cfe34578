"""Where settings come from: the environment and the project's pyproject.toml; each value remembers its place."""

import os
import tomllib
from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from cellops.errors import SettingsError

PREFIX = "CELLOPS_"
INTERNAL = (
    "CELLOPS_EXECUTION",
    "CELLOPS_NOTEBOOK",
    "CELLOPS_PARAM_",
    "CELLOPS_RESTORING",
    "CELLOPS_SECRET_",
    "CELLOPS_SWEEP_TRIAL",
)
"""Set by `cellops execute` and `verify` for their kernel, or by a person for a notebook's parameter: no settings."""


class Given(NamedTuple):
    """A value as it was given, under the name by which the person knows it, and where to correct it."""

    value: Any
    name: str
    place: str

    def error(self, fact: str, *, secret: bool = False) -> SettingsError:
        received = None if secret else self.value
        return SettingsError(f"{self.name} {fact}", received=received, remedy=f"Correct it in {self.place}")


def from_environment(names: Collection[str]) -> dict[str, Given]:
    """The settings among the environment's variables; an empty variable counts as not set."""
    found = {k: v for k, v in os.environ.items() if k.startswith(PREFIX) and not k.startswith(INTERNAL)}
    known = {_known(name.removeprefix(PREFIX).lower(), name, names, prefix=PREFIX): name for name in found}
    return {known_as: Given(found[name], name, "the environment") for known_as, name in known.items() if found[name]}


def from_pyproject(project: Path, names: Collection[str]) -> dict[str, Given]:
    """The settings in the table `[tool.cellops]` of the project's pyproject.toml, if it has one."""
    path = project / "pyproject.toml"
    if not path.is_file():
        return {}
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        fact = f"{path} cannot be read: {error}"
        raise SettingsError(fact, remedy="Correct the file; settings stand in its table [tool.cellops]") from error
    place = f"[tool.cellops] of {path}"
    table: Any = content
    for key in ("tool", "cellops"):
        table = table.get(key, {})
        if not isinstance(table, dict):
            fact = f"{key} in {path} is no table"
            raise SettingsError(fact, remedy="Settings stand in its table [tool.cellops]")
    if "project" in table:
        fact = f"project cannot be set in {place}: the project is the folder in which that file stands"
        raise SettingsError(fact, received=table["project"], remedy="Take it out, or set CELLOPS_PROJECT")
    return {_known(name.replace("-", "_"), name, names): Given(value, name, place) for name, value in table.items()}


def _known(name: str, shown: str, names: Collection[str], *, prefix: str = "") -> str:
    if name in names:
        return name
    near = get_close_matches(name, names, n=1)
    known = {known: f"{prefix}{known.upper() if prefix else known}" for known in names}
    hint = f"Did you mean {known[near[0]]}?" if near else f"There are {', '.join(known.values())}"
    fact = f"There is no setting {shown}"
    raise SettingsError(fact, remedy=hint)
