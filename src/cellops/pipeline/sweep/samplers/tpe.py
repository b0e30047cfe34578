"""Values near those that were good, by the tree of Parzen estimators of Optuna."""

import warnings
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, ClassVar

from cellops.errors import UsageError
from cellops.pipeline.sweep.dimensions import Choices, Dimension, Real, Whole
from cellops.pipeline.sweep.samplers.sampler import Task


def is_installed() -> bool:
    """Whether Optuna can be used."""
    return find_spec("optuna") is not None


class Tpe:
    """Asks Optuna, which keeps its study in memory.

    Raises
    ------
    UsageError
        When Optuna is not installed.
    """

    name: ClassVar[str] = "tpe"

    def __init__(self, task: Task) -> None:
        if not is_installed():
            fact = "The sampler tpe needs Optuna, which is not installed"
            raise UsageError(fact, remedy="Install it with: pip install 'cellops[sweep]'; or take --sampler random")
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._dimensions = {dimension.name: dimension for dimension in task.dimensions}
        self._distributions = {name: _distribution(one) for name, one in self._dimensions.items()}
        # The same seed draws the same numbers, and what was told before has come of the first of them.
        seed = (task.seed + task.told) % 2**32
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Optuna warns of options that may change in a later version
            sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=task.jobs > 1)
        self._study = optuna.create_study(sampler=sampler, direction="maximize" if task.maximize else "minimize")
        self._asked: dict[int, Any] = {}

    def ask(self, number: int) -> dict[str, object] | None:
        trial = self._study.ask(self._distributions)
        self._asked[number] = trial
        return {name: _value(one, trial.params[name]) for name, one in self._dimensions.items()}

    def tell(self, number: int, values: Mapping[str, object], value: float | None) -> None:
        import optuna

        state = optuna.trial.TrialState.FAIL if value is None else optuna.trial.TrialState.COMPLETE
        asked = self._asked.pop(number, None)
        if asked is not None:
            self._study.tell(asked, value, state)
            return
        parameters = {name: _parameter(one, values[name]) for name, one in self._dimensions.items()}
        told = optuna.trial.create_trial(state=state, value=value, params=parameters, distributions=self._distributions)
        self._study.add_trial(told)


def _distribution(dimension: Dimension) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    match dimension:
        case Whole(range=held):
            last = dimension.at(dimension.size - 1)  # with a step, the range may end behind it
            return IntDistribution(int(held.low), last, log=held.log, step=dimension.step)
        case Real(range=held):
            last_number = float(held.high) if dimension.size is None else dimension.at(dimension.size - 1)
            step = None if held.step is None else float(held.step)
            return FloatDistribution(float(held.low), last_number, log=held.log, step=step)
    assert isinstance(dimension, Choices)  # noqa: S101 - there are three forms
    return CategoricalDistribution(tuple(range(dimension.size)))


def _value(dimension: Dimension, parameter: Any) -> object:
    """What Optuna's number means: it knows choices by their places."""
    match dimension:
        case Choices():
            return dimension.at(int(parameter))
        case Real():
            return dimension.rounded(float(parameter))
    return int(parameter)


def _parameter(dimension: Dimension, value: object) -> object:
    return dimension.place(value) if isinstance(dimension, Choices) else value
