"""What an operator asks for when a server is started with a challenger."""

from dataclasses import dataclass
from pathlib import Path

from cellops.data.problems import listed
from cellops.errors import UsageError
from cellops.packaging.load import OpenedPackage
from cellops.records.rollout import RolloutOrder


@dataclass(frozen=True)
class Plan:
    challenger: Path
    order: RolloutOrder


def require_alike(champion: OpenedPackage, challenger: OpenedPackage) -> None:
    """Refuse a challenger that takes or gives something else than the champion: clients must not see who answers.

    Raises
    ------
    UsageError
        Where they differ.
    """
    one, other = champion.contract.schema, challenger.contract.schema
    inputs = [{field.name: (field.kind, field.dtype, field.nullable) for field in each.inputs} for each in (one, other)]
    differ = [name for name in inputs[0] | inputs[1] if inputs[0].get(name) != inputs[1].get(name)]
    found = [f"the inputs {listed(differ)}"] if differ else []
    if not differ and list(inputs[0]) != list(inputs[1]):
        found.append("the order of the inputs")
    for said, was, now in (
        ("the name", champion.manifest.name, challenger.manifest.name),
        ("the task", one.task, other.task),
        ("the classes", one.classes, other.classes),
        ("whether there are probabilities", one.probabilities, other.probabilities),
    ):
        if was != now:
            found.append(f"{said} ({was} and {now})")
    if found:
        fact = f"The challenger has another contract than the champion {champion.manifest.name}: {'; '.join(found)}"
        raise UsageError(fact, remedy="Build it of a model with the same inputs and outputs, or serve it as another")
