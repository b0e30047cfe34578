"""The record that begins a sweep, with what most tests do not care for filled in."""

from cellops.records.sweep import SweepBegun

BEGUN = SweepBegun(
    sweep="s",
    name="n",
    notebook="n.ipynb",
    project=".",
    started=0.0,
    cells=(),
    metric="auc",
    maximize=True,
    space={"x": "1..9"},
    sampler="random",
    seed=1,
    trials=4,
    experiment="e",
)
