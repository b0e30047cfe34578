"""Where the packages of tests come from."""

from cellops.records.package import Provenance

PROVENANCE = Provenance(
    run="3f2a91c0",
    mlflow_run_id=None,
    notebook="flights.ipynb",
    commit=None,
    dirty=False,
    seed=7,
    created="2013-04-01T00:00:00+00:00",
    cellops="0.1.0",
    model_type="sklearn.pipeline.Pipeline",
    model_format="skops",
)
