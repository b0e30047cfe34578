import json
import subprocess
import sys

import pytest

from cellops.errors import InputError
from cellops.records.review import Reviewed, ReviewState
from cellops.widgets import review as module
from cellops.widgets.review import ReviewPanel

VIEW = "application/vnd.jupyter.widget-view+json"


class Asked:
    """Who hears what the page asks for."""

    def __init__(self):
        self.heard = []

    def state(self, said=""):
        return ReviewState(
            model="m", target="t", reviewer="Ada", row=None, choices=(), labelled=0, skipped=0, left=0, said=said
        )

    def label(self, said):
        self.heard.append(said)
        if said == "purple":
            raise InputError("t has no such class", received=said, remedy="The classes are a, b")
        return self.state(f"t is {said}")

    def skip(self):
        return self.state("Skipped")

    def undo(self):
        return self.state("There is nothing to undo")

    def finish(self):
        return Reviewed(reviewer="Ada", labelled=2, place="log")


@pytest.fixture
def built(tmp_path, monkeypatch):
    """A front end as the wheel brings it; the browser tests drive the real one."""
    (tmp_path / "review.js").write_text("export default { render() {} }")
    (tmp_path / "review.css").write_text("")
    monkeypatch.setattr(module, "STATIC", tmp_path)
    monkeypatch.setattr("cellops.widgets.assets.STATIC", tmp_path)
    monkeypatch.delitem(sys.modules, "cellops.widgets.review_component", raising=False)


def test_shows_a_widget_and_a_text(built):
    bundle = ReviewPanel(Asked())._repr_mimebundle_()
    assert set(bundle) == {VIEW, "text/plain"}
    assert "cellops review m" in bundle["text/plain"]


def test_does_what_the_page_asks_for(built):
    asked = Asked()
    panel = ReviewPanel(asked)
    assert panel.hear({"do": "label", "label": False})["said"] == "t is False"
    assert "t has no such class" in panel.hear({"do": "label", "label": "purple"})["said"]
    assert panel.hear({"do": "finish"})["said"] == "2 labels by Ada are in log"
    assert asked.heard == [False, "purple"]
    assert [panel.hear(strange) for strange in (None, [], {"do": []}, {"do": "erase"}, "skip")] == [None] * 5


def test_a_state_that_is_as_before_is_sent_all_the_same(built):
    panel = ReviewPanel(Asked())
    first, second = panel.hear({"do": "undo"}), panel.hear({"do": "undo"})
    assert first != second
    json.dumps(first, allow_nan=False)


def test_anywidget_is_imported_when_a_widget_is_shown():
    code = "import sys, cellops.widgets.review; print('anywidget' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
