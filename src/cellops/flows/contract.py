"""The contract of a run's model, from the tables that its cell shows and the expectations of the session."""

from collections.abc import Iterable, Mapping

from cellops.capture.content.fingerprint import is_table
from cellops.capture.names.bindings import is_model
from cellops.capture.results.results import FittedModel
from cellops.errors import CellopsError
from cellops.records.contract import Contract, Suite
from cellops.records.finding import Finding


def make_contract(
    model: FittedModel, suites: Iterable[Suite], findings: list[Finding], content: Mapping[str, str]
) -> Contract:
    """The contract of a model, from the tables it was fitted and evaluated on.

    Parameters
    ----------
    findings
        Takes what the tables did not give.
    content
        Digests of whole tables by their names.

    Raises
    ------
    CellopsError
        When the cell does not show the tables, or the model cannot have a contract.
    """
    from cellops.packaging.contract import build_contract

    if not is_model(model.estimator):
        kind = type(model.estimator)
        fact = (
            f"{model.name} has no contract: a {kind.__module__.partition('.')[0]} {kind.__qualname__} has no get_params"
        )
        remedy = "Fit an estimator with scikit-learn's methods: XGBClassifier, LGBMRegressor, or skorch for torch"
        raise CellopsError(fact, remedy=remedy)
    if model.training is None:
        fact = f"The cell does not show what {model.name} was fitted on"
        remedy = f"Write {model.name}.fit(X, y) with the names of tables, or: %%mlops run --train X,y --test X2,y2"
        raise CellopsError(fact, remedy=remedy)
    if not all(is_table(table.value) for table in (*model.training, *(model.evaluation or ()))):
        kind = type(model.training[0].value)
        fact = (
            f"{model.name} has no contract: it was fitted on a {kind.__module__.partition('.')[0]} {kind.__qualname__}"
        )
        raise CellopsError(fact, remedy="Fit it on pandas: X.to_pandas()")
    training = (model.training[0].value, model.training[1].value)
    evaluation = (model.evaluation[0].value, model.evaluation[1].value) if model.evaluation else None
    suite = _merged(suites, *training)
    return build_contract(
        model.estimator,
        training,
        evaluation,
        suite=suite,
        findings=findings,
        content=content.get(model.training[0].name),
    )


def _merged(suites: Iterable[Suite], inputs: object, target: object) -> Suite | None:
    """The expectations of the session that speak of the model's inputs, or say what is done with its answers."""
    from cellops.packaging.contract import target_name

    columns, predicted = {str(name) for name in getattr(inputs, "columns", ())}, (target_name(target),)
    kept = [
        e
        for suite in suites
        for e in suite.expectations
        if e.columns and (set(e.columns) <= columns or (e.columns == predicted and e.action is not None))
    ]
    names = [suite.name for suite in suites]
    return Suite(name="+".join(names), expectations=tuple(kept)) if kept else None
