"""Where the values of parameters come from: the command line, then a file, then the environment."""

import os
from collections.abc import Mapping
from pathlib import Path

from cellops.pipeline.parameters.binding import COMMAND_LINE, IN_A_FILE, Given
from cellops.pipeline.parameters.declaration import Declared
from cellops.pipeline.parameters.files import read_values
from cellops.pipeline.parameters.kinds import did_you_mean

VARIABLE = "CELLOPS_PARAM_"
"""Begins the name of a variable that sets a parameter, in any case: CELLOPS_PARAM_SEED sets `seed`."""


def gather(declared: Declared, values: Mapping[str, object], file: Path | None = None) -> dict[str, Given]:
    """The values that were given, each from the first place that has it.

    Parameters
    ----------
    values
        Those that were given by themselves.
    file
        A YAML, JSON or TOML file with parameters by name.

    Raises
    ------
    ParameterError
        When the file cannot be read.
    """
    in_file = {} if file is None else read_values(file)
    return {
        **from_environment(declared),
        **{name: Given(value, file.name, IN_A_FILE) for name, value in in_file.items() if file is not None},
        **{name: Given(value, COMMAND_LINE) for name, value in values.items()},
    }


def from_environment(declared: Declared) -> dict[str, Given]:
    """The parameters that variables set; one that is empty counts as not set, as CI systems leave what nobody chose."""
    named = {variable: _named(variable, declared) for variable in _variables()}
    return {
        name: Given(os.environ[variable], variable, f"{variable}={{text}}")
        for variable, name in named.items()
        if name is not None
    }


def unused_variables(declared: Declared) -> dict[str, str]:
    """The variables that name no parameter of this notebook, with a hint: they may be another notebook's."""
    names = {parameter.name: parameter.name for parameter in declared.parameters}
    unused = [variable for variable in _variables() if _named(variable, declared) is None]
    return {variable: did_you_mean(variable.removeprefix(VARIABLE), names) for variable in unused}


def _variables() -> list[str]:
    return sorted(name for name, value in os.environ.items() if name.startswith(VARIABLE) and value)


def _named(variable: str, declared: Declared) -> str | None:
    """The parameter that a variable names: as it is written, else whatever its case."""
    rest = variable.removeprefix(VARIABLE)
    names = [parameter.name for parameter in declared.parameters]
    if rest in names:
        return rest
    return next((name for name in names if name.casefold() == rest.casefold()), None)
