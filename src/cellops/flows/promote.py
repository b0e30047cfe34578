"""A run's model becomes the champion: the version of a registered model that gates compare with."""

from cellops.errors import PackageError, UsageError
from cellops.flows.gates import refuse
from cellops.flows.package import carried, model_uri
from cellops.flows.runs import show
from cellops.records.promoted import Promoted
from cellops.records.run import RunStatus
from cellops.settings import Settings, load


def promote(run: str = "last", *, model: str | None = None, settings: Settings | None = None) -> Promoted:
    """Register the model of a run in MLflow, where it is not yet, and give it the alias `champion`.

    Doing it twice gives the same version as doing it once.

    Parameters
    ----------
    run
        The start of the run's key, its name, its MLflow id, `last`, or the path of an executed notebook.
    model
        The registered model. Default: the one that has the name of the run's experiment, which gates look at.

    Raises
    ------
    NotFoundError
        When there is no such run.
    PackageError
        When the run did not finish, or has no model.
    GateError
        When the run has not passed a gate that it was held against.
    TrackingError
        When the tracking store does not answer, or refuses it.
    """
    from cellops.tracking.store import Store

    settings = settings or load()
    if model is not None and not model.strip():
        fact = "The name of the registered model is empty"
        raise UsageError(fact, remedy="Give it a name, or leave --model out")
    summary = show(run, settings=settings)
    store = Store(settings)
    if not summary.synced:
        summary = carried(store, summary)
    if summary.status is not RunStatus.FINISHED:
        fact = f"The run {summary.name} ({summary.run[:8]}) is {summary.status.lower()}"
        raise PackageError(fact, remedy="Promote one that has finished: cellops runs")
    refuse(summary.gates)
    name = model or summary.experiment or settings.experiment
    uri = model_uri(summary)
    assert summary.mlflow_run_id is not None  # noqa: S101 - else `carried` has raised
    before = store.champion(name)
    return Promoted(run=summary, champion=store.promote(summary.mlflow_run_id, uri, name), before=before)
