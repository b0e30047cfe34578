"""A notebook's parameters for a person: what they are, and what an execution gives them."""

from collections.abc import Iterator, Mapping

from cellops.capture.redaction import redact_value
from cellops.capture.secrets import masked
from cellops.pipeline.parameters.annotations import choices
from cellops.pipeline.parameters.binding import Given
from cellops.pipeline.parameters.declaration import Declared
from cellops.pipeline.parameters.literals import written
from cellops.pipeline.parameters.parameter import Parameter, wrong_default
from cellops.pipeline.parameters.sources import unused_variables
from cellops.records.parameter import BoundParameter, BoundParameters, ParameterDescription

DEFAULT = "default"


def bound_parameters(declared: Declared, given: Mapping[str, Given], bound: Mapping[str, object]) -> BoundParameters:
    """The value that each parameter begins with, and where it comes from."""
    without = masked(bound)

    def told() -> Iterator[BoundParameter]:
        for parameter in declared.parameters:
            name = parameter.name
            if name in bound:
                source = str(redact_value(name, written(without[name], declared.names)))
                yield BoundParameter(name=name, written=source, place=given[name].place)
            else:
                yield BoundParameter(name=name, written=parameter.source, place=DEFAULT)

    return BoundParameters(parameters=tuple(told()), unused=unused_variables(declared))


def descriptions(declared: Declared) -> tuple[ParameterDescription, ...]:
    """What can be given, in the order in which the notebook declares it."""
    return tuple(
        ParameterDescription(
            name=parameter.name,
            kind=parameter.written if parameter.kind is not None else None,
            default=parameter.source or None,
            required=parameter.required,
            choices=_choices(parameter),
            problem=wrong_default(parameter),
            help=parameter.help,
        )
        for parameter in declared.parameters
    )


def _choices(parameter: Parameter) -> tuple[str, ...]:
    return () if parameter.kind is None else tuple(choices(parameter.kind))
