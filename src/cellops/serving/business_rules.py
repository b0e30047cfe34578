"""The operator's own function on answers, before they are sent: it adjusts them, or refuses rows. Never a package's."""

import importlib.util
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cellops.data.arrays import Array
from cellops.data.decoder import Columns
from cellops.errors import RefusedRowsError, UsageError
from cellops.packaging.predictor import Predictions
from cellops.serving.errors import failure
from cellops.serving.handling import Handling
from cellops.serving.metrics import ModelMetrics
from cellops.serving.output_check import OutputCheck

ADJUSTED, REFUSED = "adjusted", "refused by the rules"
EXAMPLE = "For example: --rules house_rules:adjust, with a function adjust in house_rules.py"


@dataclass(frozen=True)
class Proposal:
    """What the models answer, and what they were asked."""

    model: str
    """Its name, as clients call it."""
    columns: Mapping[str, Array]
    """By the names of the inputs, shape (rows,) each; they cannot be changed. Missing values are NaN, NaT or None."""
    labels: Array
    """Classes, or numbers for a regression, shape (rows,); a copy, which may be changed and returned."""
    probabilities: npt.NDArray[np.float64] | None
    """Shape (rows, classes), in the order of the model's classes; a copy too."""


Adjusted = Any
"""None for no change, labels, or a pair of labels and probabilities."""


class BusinessRules:
    """A function that takes a `Proposal`, and gives the labels that are sent.

    Parameters
    ----------
    function
        It returns None where nothing is to change, else labels, or labels and probabilities, of the same shapes; to
        refuse rows it raises `RefusedRowsError`.
    """

    def __init__(self, function: Callable[[Proposal], Adjusted]) -> None:
        self._function = function

    def applied(
        self,
        model: str,
        columns: Columns,
        predictions: Predictions,
        handling: Handling,
        *,
        metrics: ModelMetrics,
        check: OutputCheck,
        is_discreet: bool = False,
    ) -> Predictions:
        """The answers as the function wants them.

        Raises
        ------
        RefusedRowsError
            As the function does.
        InferenceError
            When it fails in another way, or what it gives is no answer.
        """
        started = time.perf_counter()
        try:
            given = self._function(_proposal(model, columns, predictions))
        except RefusedRowsError as error:
            named: Any = error.data.get("rows", ())
            rows = [int(row) for row in named]
            metrics.count_handled(REFUSED, "", len(rows) or len(predictions.labels))
            raise RefusedRowsError(error.fact, remedy=error.remedy, rows=rows) from error
        except (Exception, SystemExit) as error:
            fact = "The operator's rules failed on these rows"
            raise failure(fact, error, is_discreet=is_discreet) from error
        finally:
            metrics.rules_seconds.observe(time.perf_counter() - started)
        if given is None:
            return predictions
        return _adjusted(predictions, given, handling, check, is_discreet=is_discreet)


def read_rules(named: str, packages: Iterable[Path] = ()) -> BusinessRules:
    """The function of a module, as `MODULE:FUNCTION`; modules of the current folder are found too.

    Parameters
    ----------
    named
        For example `house_rules:adjust`.
    packages
        Folders from which nothing is executed.

    Raises
    ------
    UsageError
        When there is none of this name, or it is a package's.
    """
    module_name, _, function_name = named.partition(":")
    if not module_name or not function_name:
        fact = f"{named} is not MODULE:FUNCTION"
        raise UsageError(fact, remedy=EXAMPLE)
    here = str(Path.cwd())
    if here not in sys.path:
        # It stays there, for what the function itself imports; installed modules come first.
        sys.path.append(here)
    try:
        found = importlib.util.find_spec(module_name)
        if found is not None and found.origin is not None:
            _require_own(Path(found.origin), packages)
        function = getattr(importlib.import_module(module_name), function_name, None)
    except UsageError:
        raise
    except Exception as error:
        fact = f"The module {module_name} cannot be imported: {type(error).__name__}: {error}"
        raise UsageError(fact, remedy=EXAMPLE) from error
    if not callable(function):
        fact = f"The module {module_name} has no function {function_name}"
        raise UsageError(fact, remedy=EXAMPLE)
    return BusinessRules(function)


def _require_own(file: Path, packages: Iterable[Path]) -> None:
    for package in packages:
        if file.resolve().is_relative_to(package.resolve()):
            fact = f"{file.name} lies in the package {package.name}, whose code is not executed for rules"
            raise UsageError(fact, remedy="Keep the function of your rules in a file of your own")


def _proposal(model: str, columns: Columns, predictions: Predictions) -> Proposal:
    shown = {name: values.view() for name, values in columns.items()}
    for values in shown.values():
        values.setflags(write=False)
    chances = predictions.probabilities
    return Proposal(model, shown, predictions.labels.copy(), None if chances is None else chances.copy())


def _adjusted(
    predictions: Predictions, given: Adjusted, handling: Handling, check: OutputCheck, *, is_discreet: bool
) -> Predictions:
    before, rows = predictions.labels, len(predictions.labels)
    try:
        labels, chances = given if isinstance(given, tuple) else (given, predictions.probabilities)
        made = Predictions(_labels(labels, before), None if chances is None else np.asarray(chances, dtype=np.float64))
        valid = check.holds(made, rows)
    except (TypeError, ValueError) as error:
        fact = "The operator's rules gave what is no answer"
        raise failure(fact, error, is_discreet=is_discreet) from error
    if not valid:
        fact = "The operator's rules gave what is no answer: other shapes, NaN, unknown classes, or no probabilities"
        raise failure(fact)
    changed = made.labels != before
    if made.probabilities is not None and predictions.probabilities is not None:
        changed = changed | (made.probabilities != predictions.probabilities).any(axis=1)
    touched = np.flatnonzero(changed)
    handling.note(ADJUSTED, touched, each=[f"{ADJUSTED} from {before[row]}" for row in touched])
    return made


def _labels(given: Any, before: Array) -> Array:
    """Labels in an array like the model's; texts as objects, since they may be longer."""
    labels = np.asarray(given, dtype=object if before.dtype.kind in "OU" else None)
    return labels if before.dtype.kind in "OU" else labels.astype(before.dtype, casting="same_kind")
