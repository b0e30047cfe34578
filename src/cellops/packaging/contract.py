"""The contract of a fitted model, from the tables that it was trained and evaluated on."""

import warnings
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np

from cellops.data.profile import profile, profile_column
from cellops.errors import PackageError
from cellops.packaging.background import build_background
from cellops.packaging.defaults import resolved
from cellops.packaging.figures import measure, nothing_to_measure
from cellops.packaging.parity import build_parity, choose_rows, replay, survives_the_wire
from cellops.packaging.predictor import Predictions, SklearnPredictor, label_is_most_probable
from cellops.packaging.schema import build_schema
from cellops.records.contract import Contract, Schema, Suite, Task
from cellops.records.finding import Finding
from cellops.records.profile import ColumnProfile, Profile

if TYPE_CHECKING:
    import pandas as pd

BINARY = 2
MOST_ROWS = 10_000
MOST_PROFILES = 4
PROFILES: dict[tuple[Hashable, ...], Profile] = {}
"""Those of the tables that models were fitted on last, by content; the newest stands last."""

Target = Any
"""A Series, or an array or table of one column."""


def build_contract(
    model: Any,
    training: "tuple[pd.DataFrame, Target]",
    evaluation: "tuple[pd.DataFrame, Target] | None" = None,
    *,
    suite: Suite | None = None,
    parity_rows: int = 20,
    findings: list[Finding] | None = None,
    content: str | None = None,
) -> Contract:
    """Put together what a package can promise of a fitted scikit-learn classifier or regressor.

    Parameters
    ----------
    model
        The fitted estimator, a Pipeline for example.
    training
        Inputs and target that it was fitted on: they give the schema and the profile.
    evaluation
        Inputs and target that it was not fitted on: they give performance and the profile of the output, which are
        absent without them.
    suite
        Expectations on the inputs, and with an action on what is predicted.
    parity_rows
        How many real rows are kept with the model's answers.
    findings
        Where to note what the evaluation data did not give.
    content
        Digest of all that stands in the training inputs, where it is known: the same table is profiled once.

    Raises
    ------
    PackageError
        When the model was not fitted on a DataFrame, or its inputs or outputs cannot be described.
    ExpectationError
        When the default of an expectation does not fit.
    """
    inputs, target = training
    schema = build_schema(model, inputs, target_name(target))
    schema = schema.replace(label_is_most_probable=schema.probabilities and label_is_most_probable(model))
    noted = [] if findings is None else findings
    if evaluation is not None and not len(evaluation[0]):
        noted.append(nothing_to_measure())
        evaluation = None
    seen = _spread(inputs) if evaluation is None else _in_order(evaluation[0], schema)
    chosen = choose_rows(schema, seen, parity_rows)
    predictor = SklearnPredictor(model, schema)
    rows = seen.iloc[chosen]
    answers = _answers(predictor, rows if evaluation is None else seen)
    parity = build_parity(schema, rows, answers if evaluation is None else answers.of(chosen))
    contract = Contract(
        schema=schema,
        profile=_profile(inputs, content),
        parity=parity,
        background=build_background(schema, inputs),
        suite=suite,
    )
    if not survives_the_wire(schema, parity, rows):
        replay(contract, predictor)
    if evaluation is not None:
        performance, missed = measure(schema, evaluation[1], answers)
        noted += missed
        contract = contract.replace(performance=performance, output=_output(schema, answers))
    return contract if suite is None else contract.replace(suite=resolved(suite, contract))


def _profile(inputs: "pd.DataFrame", content: str | None) -> Profile:
    """The profile of a table; models are fitted again and again on the same one."""
    key = (content, *inputs.columns, *map(str, inputs.dtypes)) if content else None
    if key is None:
        return profile(inputs)
    known = PROFILES.pop(key, None)
    PROFILES[key] = known or profile(inputs)
    while len(PROFILES) > MOST_PROFILES:
        del PROFILES[next(iter(PROFILES))]
    return PROFILES[key]


def _spread(inputs: "pd.DataFrame") -> "pd.DataFrame":
    """Enough of the training rows to choose from."""
    return inputs.iloc[:: max(1, len(inputs) // MOST_ROWS)]


def target_name(target: Target) -> str:
    """What the target calls itself."""
    columns = getattr(target, "columns", None)
    name = getattr(target, "name", None) if columns is None else columns[0]
    return str(name) if name is not None else "target"


def _in_order(inputs: "pd.DataFrame", schema: Schema) -> "pd.DataFrame":
    names = [field.name for field in schema.inputs]
    missing = [name for name in names if name not in getattr(inputs, "columns", ())]
    if missing:
        fact = f"The evaluation data lack the columns {', '.join(missing)}"
        raise PackageError(fact, remedy="Evaluate on a DataFrame with the columns that the model was fitted on")
    return inputs[names]


def _answers(predictor: SklearnPredictor, inputs: "pd.DataFrame") -> Predictions:
    with warnings.catch_warnings():
        # The notebook has shown what the estimator has to say about these rows.
        warnings.simplefilter("ignore")
        answers = predictor.answer(inputs)
    if answers.labels.ndim != 1:
        fact = "The model predicts several targets at once"
        raise PackageError(fact, received=answers.labels.shape, remedy="Train one model for each target")
    return answers


def _output(schema: Schema, answers: Predictions) -> ColumnProfile:
    """The profile of what drift can watch: a probability or number where there is one, else the label as text."""
    if schema.task is Task.REGRESSION:
        return profile_column(schema.target, answers.labels.astype(float))
    if answers.probabilities is not None and len(schema.classes) == BINARY:
        return profile_column(f"probability of {schema.classes[-1]}", answers.probabilities[:, -1])
    return profile_column(schema.target, np.array([str(label) for label in answers.labels.tolist()], dtype=object))
