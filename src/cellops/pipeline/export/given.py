"""The values of parameters that an exported pipeline begins with: fixed ones as texts, and secrets by where they stand.

A generated file lies where many people read it, so no secret stands in it, and none in a file that it names.
"""

import contextlib
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cellops.capture.redaction import redact, redact_value
from cellops.errors import ParameterError, UsageError
from cellops.pipeline.export.workflow import SecretNeeded
from cellops.pipeline.parameters.declaration import Declared
from cellops.pipeline.parameters.files import read_values
from cellops.pipeline.parameters.parameter import Parameter
from cellops.pipeline.parameters.plain import plain
from cellops.pipeline.parameters.reading import read
from cellops.pipeline.parameters.secret import SecretKind
from cellops.pipeline.parameters.sources import VARIABLE, from_environment
from cellops.pipeline.refusals import Refusals

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass
class GivenValues:
    """What is given of a notebook's parameters."""

    fixed: list[tuple[str, str]] = field(default_factory=list)
    """As they are typed behind -p."""
    secrets: list[SecretNeeded] = field(default_factory=list)
    unset: list[Parameter] = field(default_factory=list)
    """Those that keep their defaults, and are no secrets."""
    checked: dict[str, object] = field(default_factory=dict)
    """The values by which the others are checked before anything is written."""
    notes: list[str] = field(default_factory=list)


def given_values(
    known: Declared, values: Mapping[str, object], file: Path | None, refusals: Refusals, *, keeps_secrets: str | None
) -> GivenValues:
    """Sort what is given; what cannot be written down is refused.

    Parameters
    ----------
    values
        Those that were given by themselves.
    keeps_secrets
        Where the target keeps secrets; None where it has no place for them.
    """
    found = GivenValues(checked=dict(values))
    in_file: dict[str, object] = {}
    with refusals.collecting():
        in_file = {} if file is None else read_values(file)
    parameters = {parameter.name: parameter for parameter in known.parameters}
    for name, parameter in parameters.items():
        with refusals.collecting():
            if _is_secret(parameter):
                _secret(parameter, values.get(name, in_file.get(name)), values, found, keeps_secrets=keeps_secrets)
            elif name in values:
                found.fixed.append((name, _text(parameter, values[name])))
            elif name in in_file:
                require_open(name, in_file[name])
            elif parameter.kind is not None and not parameter.required:
                found.unset.append(parameter)
    # Names that nobody knows are told with the nearest one by whoever binds them.
    found.fixed += [(name, str(value)) for name, value in values.items() if name not in parameters]
    with refusals.collecting():
        found.notes += _of_this_environment(known, {*values, *in_file})
    return found


def require_open(name: str, value: object) -> None:
    """Refuse a value that is likely a secret.

    Raises
    ------
    UsageError
        Which does not repeat it.
    """
    text = str(value)
    if redact_value(name, text) != text:
        fact = f"The value of {name} seems to be a secret, and what is exported can be read by others"
        raise UsageError(fact, remedy=f"Declare it as {name}: Secret and give it as -p {name} env:VARIABLE")


def require_plain(what: str, text: str | None) -> None:
    """Refuse a text that seems to hold a secret."""
    if text is not None and redact(text) != text:
        fact = f"{what} seems to hold a secret, and what is exported can be read by others"
        raise UsageError(fact, remedy="Take it out, and give it by a variable of the environment")


def _is_secret(parameter: Parameter) -> bool:
    return parameter.kind is not None and any(isinstance(part, SecretKind) for part in parameter.kind.parts())


def _secret(
    parameter: Parameter, value: object, typed: Mapping[str, object], found: GivenValues, *, keeps_secrets: str | None
) -> None:
    name = parameter.name
    if value is not None or parameter.required:
        found.checked[name] = uuid.uuid4().hex  # while the other parameters are checked
    place, _, rest = value.partition(":") if type(value) is str else ("", "", "")
    if value is not None and place == "file":
        found.notes.append(f"The secret {name} is read from {rest} where it is executed, which must be there")
    elif value is not None and (place != "env" or NAME.fullmatch(rest) is None):
        fact = f"The value of the secret {name} would stand in what is exported"
        raise UsageError(fact, remedy=f"Give the name of a variable that holds it: -p {name} env:{name.upper()}")
    elif value is not None:
        found.secrets.append(SecretNeeded(name, rest, required=True))
    else:
        _secret_by_its_name(parameter, found, keeps_secrets=keeps_secrets)
    if name in typed:
        found.fixed.append((name, str(value)))


def _secret_by_its_name(parameter: Parameter, found: GivenValues, *, keeps_secrets: str | None) -> None:
    """A secret that was not given comes from the variable that bears its name."""
    name, variable = parameter.name, f"{VARIABLE}{parameter.name.upper()}"
    instead = f"-p {name} env:VARIABLE, or -p {name} file:PATH"
    if keeps_secrets is not None and NAME.fullmatch(variable) is not None:
        found.secrets.append(SecretNeeded(name, variable, required=parameter.required))
    elif parameter.required:
        why = "the target has no place for secrets" if keeps_secrets is None else f"no variable can be named {variable}"
        fact = f"The notebook needs the secret {name}, and {why}"
        raise UsageError(fact, remedy=f"Say where it stands on the machine that executes it: {instead}")
    else:
        found.notes.append(f"The secret {name} is not given: it has its default, or say where it stands: {instead}")


def _text(parameter: Parameter, value: object) -> str:
    """A value as it is typed."""
    require_open(parameter.name, value)
    if isinstance(value, str):
        return value
    if parameter.kind is not None and parameter.written is not None:
        for text in _texts(value):
            try:
                if read(parameter.kind, parameter.written, text) == parameter.kind.check(value):
                    return text
            except ValueError:
                continue
    return str(value)  # binding it says why it does not fit


def _texts(value: object) -> Iterator[str]:
    simple = plain(value)
    if isinstance(simple, str):
        yield simple
        return
    with contextlib.suppress(TypeError, ValueError):
        yield json.dumps(simple, ensure_ascii=False)
    yield repr(simple)


def _of_this_environment(known: Declared, given: set[str]) -> Iterator[str]:
    """What is to be said of variables that set parameters here, and do not where the pipeline is executed."""
    parameters = {parameter.name: parameter for parameter in known.parameters}
    for name, value in from_environment(known).items():
        if name in given or _is_secret(parameters[name]):
            continue
        if parameters[name].required:
            fact = f"{name} is required, and only the variable {value.place} of this environment gives it"
            raise ParameterError(fact, remedy=f"Give it with -p {name} VALUE", problems={name: fact})
        yield f"{value.place} is set here and not carried over: {name} has its default, or give it with -p"
