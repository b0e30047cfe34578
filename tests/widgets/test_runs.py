import json
import subprocess
import sys

import pytest

from cellops.records.run import RunStatus, RunSummary
from cellops.widgets import runs as module
from cellops.widgets.runs import RunsPanel
from cellops.widgets.table import runs_table

RUN = RunSummary(
    run="3f2a91c04d5e", name="late", status=RunStatus.FINISHED, started=0, ended=2, metrics={"auc": float("nan")}
)
VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def built(tmp_path, monkeypatch):
    """A front end as the wheel brings it; the browser tests drive the real one."""
    (tmp_path / "runs.js").write_text("export default { render() {} }")
    (tmp_path / "runs.css").write_text("")
    monkeypatch.setattr(module, "STATIC", tmp_path)
    monkeypatch.delitem(sys.modules, "cellops.widgets.component", raising=False)


def test_shows_a_widget_and_a_text(built):
    panel = RunsPanel([RUN])
    bundle = panel._repr_mimebundle_()
    assert set(bundle) == {VIEW, "text/plain"}
    assert bundle["text/plain"] == runs_table([RUN]) == repr(panel)


def test_the_same_panel_is_the_same_widget(built):
    panel = RunsPanel([RUN])
    assert panel._repr_mimebundle_()[VIEW] == panel._repr_mimebundle_()[VIEW]


def test_the_widget_holds_the_records_as_strict_json(built):
    (held,) = RunsPanel([RUN])._widget.runs
    json.dumps(held, allow_nan=False)
    assert RunSummary.from_json(json.dumps({**held, "metrics": {}})) == RUN.replace(metrics={})


def test_without_a_built_front_end_there_is_the_text(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "STATIC", tmp_path)
    assert RunsPanel([])._repr_mimebundle_() == {"text/plain": runs_table([])}


def test_anywidget_is_imported_when_a_widget_is_shown():
    code = "import sys, cellops.widgets.runs; print('anywidget' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
