"""`%mlops review` in a real kernel: the widget is driven by the messages that its page sends."""

from pathlib import Path

import pytest

from support.kernel import Kernel
from support.reviews import labels_in, write_log
from support.served import build

VIEW = "application/vnd.jupyter.widget-view+json"
FRONT_END = """
from pathlib import Path
import cellops.widgets.assets, cellops.widgets.review
folder = Path("front"); folder.mkdir()
(folder / "review.js").write_text("export default { render() {} }")
(folder / "review.css").write_text("")
cellops.widgets.assets.STATIC = cellops.widgets.review.STATIC = folder
"""
"""One that draws nothing, since the built one is in the wheel only."""


@pytest.fixture(scope="module")
def cancer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("cancer", tmp_path_factory.mktemp("package"))


def test_a_person_labels_the_queue_in_a_notebook(loaded: Kernel, cancer: Path, tmp_path: Path) -> None:
    log = write_log(cancer, tmp_path / "log", (0.52, 0.55, 0.57, 0.99))
    words = f"%mlops review {cancer} --log {log} --sample 0 --reviewer Ada"
    assert "p:2" in loaded.run(f"{words} --list").streams
    (shown,) = loaded.run(words).displays
    assert "3 answers of cancer wait" in shown["text/plain"]
    assert loaded.run(FRONT_END).status == "ok"
    (shown,) = loaded.run(words).displays
    widget = shown[VIEW]["model_id"]

    def told(**content: object) -> dict[str, object]:
        (update,) = loaded.tell(widget, content)
        state: dict[str, object] = update["state"]["state"]
        return state

    assert "classes are" in str(told(do="label", label="purple")["said"])
    assert told(do="label", label="malignant")["left"] == 2
    assert told(do="skip")["left"] == 1
    assert told(do="undo")["left"] == 2
    assert told(do="label", label="benign")["labelled"] == 2
    assert "2 labels by Ada" in str(told(do="finish")["said"])
    assert loaded.tell(widget, {"do": "erase"}) == []
    assert labels_in(log) == [("p:0", "malignant", "Ada"), ("p:1", "benign", "Ada")]
    # What is labelled does not wait any more, for whoever looks next.
    listed = loaded.run(f"%mlops review {cancer} --log {log} --sample 0 --reviewer Bob --list").streams
    assert "p:2" in listed
    assert "p:0" not in listed
