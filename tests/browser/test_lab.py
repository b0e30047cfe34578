import re
import shutil
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

FLIGHTS = Path(__file__).parents[2] / "notebooks" / "flight_delays.ipynb"
LONG_MILLISECONDS = 180_000


def write(path: Path, *sources: str) -> None:
    """A notebook in a project of its own."""
    (path.parent / ".cellops").mkdir(parents=True)
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    python = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=python), path)


def marks(desk):
    return desk.page.locator(".jp-Notebook .cellops-mark:not(.cellops-mark-past)")


def mark_of(desk, number):
    return desk.page.locator(".jp-Notebook .jp-Cell").nth(number).locator(".cellops-mark")


def test_a_run_of_the_flights_notebook_appears_without_a_reload(desk, tmp_path):
    shutil.copy(FLIGHTS, desk.lab.folder)
    desk.open("flight_delays.ipynb")
    panel = desk.show_runs()
    expect(panel).to_contain_text("No runs yet")
    desk.page.evaluate("window.notReloaded = true")
    desk.command("notebook:run-all-cells")

    run = panel.locator("[data-run]")
    expect(run.locator(".cellops-status")).to_have_text("finished", timeout=LONG_MILLISECONDS)
    expect(run.locator(".cellops-run-name")).to_have_text("flight-delays")
    expect(run.locator("dt", has_text="auc").locator("+ dd")).to_have_text(re.compile(r"0\.\d+"))
    expect(run.locator(".cellops-unsynced")).to_have_count(0, timeout=LONG_MILLISECONDS)

    cells = [cell for cell in nbformat.read(FLIGHTS, 4).cells if cell.cell_type == "code"]
    expect(marks(desk)).to_have_count(len(cells) - 1)
    train = desk.page.locator(".jp-Cell", has_text="%%mlops run --name flight-delays").locator(".cellops-mark")
    expect(train).to_have_attribute("aria-label", re.compile(r"Succeeded in .*\nRun flight-delays · [0-9a-f]{8}"))
    assert desk.page.evaluate("window.notReloaded")
    parameter = run.locator("dt", has_text=re.compile("^max_leaf_nodes$")).locator("+ dd")
    expect(parameter).to_be_hidden()
    run.get_by_text(re.compile("parameters$")).click()
    expect(parameter).to_have_text("15")

    train.scroll_into_view_if_needed()
    desk.page.screenshot(path=tmp_path / "light.png")
    desk.use_theme("JupyterLab Dark")
    desk.page.screenshot(path=tmp_path / "dark.png")
    desk.use_theme("JupyterLab Light")


def test_marks_say_what_became_of_a_cell_and_outlast_a_reload(desk):
    write(
        desk.lab.folder / "marks" / "marks.ipynb",
        "%load_ext cellops",
        "rows = 100",
        "import random\nrandom.random()",
        "%%mlops run --name first\nscore = rows / 300",
        "1 / 0",
    )
    desk.open("marks/marks.ipynb")
    desk.command("notebook:run-all-cells")
    kinds = ["captured", "findings", "run", "failed"]

    def expect_marks():
        for number, kind in enumerate(kinds, start=1):
            expect(mark_of(desk, number)).to_have_class(f"cellops-mark cellops-mark-{kind}")

    expect_marks()
    expect(mark_of(desk, 4)).to_have_attribute("aria-label", re.compile("Failed with ZeroDivisionError"))

    desk.command("docmanager:save")
    desk.page.reload()
    desk.wait_for_kernel()
    expect_marks()

    editor = desk.page.locator(".jp-Notebook .jp-Cell").nth(1).locator(".cm-content")
    editor.click()
    desk.page.keyboard.type("0")
    expect(mark_of(desk, 1)).to_have_class("cellops-mark cellops-mark-edited")
    desk.page.keyboard.press("Backspace")
    expect_marks()

    desk.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    expect(marks(desk)).to_have_count(0)
    expect(desk.page.locator(".cellops-mark")).to_have_count(0)


def test_a_run_tells_what_the_page_no_longer_shows_of_it_before_it_is_saved(desk):
    write(
        desk.lab.folder / "live" / "live.ipynb",
        "%load_ext cellops",
        "rate = 3",
        "%%mlops run --name first\ntotal = rate / 2",
    )
    desk.open("live/live.ipynb")
    desk.command("notebook:run-all-cells")
    expect(mark_of(desk, 2)).to_have_class("cellops-mark cellops-mark-run")

    def run_again(count, *seen):
        desk.page.locator(".jp-Notebook .jp-Cell").filter(has_text="%%mlops run").locator(".cm-content").click()
        desk.command("notebook:run-cell")
        mark = desk.page.locator(".jp-Notebook .jp-Cell").filter(has_text="%%mlops run").locator(".cellops-mark")
        expect(mark).to_have_attribute("aria-label", re.compile(rf"^In \[{count}\]"))
        for text in seen:
            expect(mark).to_have_attribute("aria-label", re.compile(text))
        return mark

    desk.page.locator(".jp-Notebook .jp-Cell").nth(1).locator(".cm-content").click()
    desk.page.keyboard.press("End")
    desk.page.keyboard.type("0")
    run_again(4, r"rate was bound by In \[2\], which has been edited since")
    desk.page.keyboard.press("Escape")
    desk.page.locator(".jp-Notebook .jp-Cell").nth(1).locator(".jp-InputPrompt").click()
    desk.command("notebook:move-cell-down")
    run_again(5, r"rate was bound by In \[2\], which stands below In \[5\] that reads it")
    desk.page.locator(".jp-Notebook .jp-Cell").nth(2).locator(".jp-InputPrompt").click()
    desk.command("notebook:delete-cell")
    run_again(6, r"rate was bound by In \[2\], which no longer stands in the notebook")
    held = nbformat.read(desk.lab.folder / "live" / "live.ipynb", 4)
    assert [cell.source for cell in held.cells][1] == "rate = 3"


def test_the_panel_looks_no_longer_for_runs_once_it_shows_one(desk):
    write(desk.lab.folder / "told" / "told.ipynb", "%load_ext cellops", "%%mlops run --name told\nscore = 1 / 4")
    desk.page.route("**/cellops/runs*", lambda _: None)  # the server has not answered yet
    desk.open("told/told.ipynb")
    panel = desk.show_runs()
    expect(panel).to_contain_text("Looking for runs")
    desk.command("notebook:run-all-cells")
    expect(panel.locator(".cellops-run-name", has_text="told")).to_be_visible()
    expect(panel).not_to_contain_text("Looking for runs")


def test_the_panel_is_also_a_widget(desk):
    write(
        desk.lab.folder / "widget" / "widget.ipynb",
        "%load_ext cellops",
        "%%mlops run --name shown\nscore = 1 / 4",
        "%mlops panel",
    )
    desk.open("widget/widget.ipynb")
    desk.command("notebook:run-all-cells")
    widget = desk.page.locator(".jp-OutputArea .cellops-runs")
    expect(widget.locator(".cellops-run-name")).to_have_text("shown")
    expect(widget.locator("dt", has_text="score").locator("+ dd")).to_have_text("0.25")


def test_a_proof_is_a_picture_and_stands_on_the_card_of_its_run(desk, tmp_path):
    write(
        desk.lab.folder / "proof" / "proof.ipynb",
        "%load_ext cellops",
        "import uuid\nkey = str(uuid.uuid4())",
        "%%mlops run --name same\nscore = 1 / 4",
        "%%mlops run --name other\nsize = len(key) + 0.5",
        "%mlops verify same",
        "%mlops verify other",
    )
    desk.open("proof/proof.ipynb")
    panel = desk.show_runs()
    desk.command("notebook:run-all-cells")
    pictures = desk.page.locator(".jp-OutputArea .cellops-proof")
    expect(pictures).to_have_count(2, timeout=LONG_MILLISECONDS)
    expect(pictures.first.locator(".verdict")).to_contain_text("Identical")
    expect(pictures.last.locator(".verdict")).to_contain_text("Diverged at In [2], key")
    expect(pictures.last.locator("details[open] table")).to_contain_text("value key")
    expect(pictures.last.locator("details[open]")).to_have_count(1)
    cards = panel.locator("[data-run]")
    expect(cards.filter(has_text="same").locator(".cellops-proof-mark")).to_have_text("✓ identical")
    expect(cards.filter(has_text="other").locator(".cellops-proof-mark")).to_have_text("✗ diverged")
    desk.page.screenshot(path=tmp_path / "proof.png")


def test_a_list_that_cannot_be_renewed_stays_with_a_notice(desk):
    write(desk.lab.folder / "stale" / "stale.ipynb", "%load_ext cellops", "%%mlops run --name kept\nscore = 1 / 4")
    desk.open("stale/stale.ipynb")
    panel = desk.show_runs()
    desk.command("notebook:run-all-cells")
    expect(panel.locator(".cellops-status")).to_have_text("finished")

    refusal = {"message": "The store is away", "remedy": "Bring it back"}
    desk.page.route("**/cellops/runs**", lambda route: route.fulfill(status=503, json=refusal))
    notice = panel.locator(".cellops-notice")
    expect(notice).to_contain_text("The store is away")
    expect(notice).to_contain_text("Bring it back")
    expect(panel.locator(".cellops-run-name")).to_have_text("kept")

    desk.page.unroute("**/cellops/runs**")
    notice.get_by_role("button", name="Try again").click()
    expect(notice).to_be_empty()
    desk.faults[:] = [fault for fault in desk.faults if "503" not in fault]


def test_the_card_of_a_mark_shows_its_findings_and_can_be_read(desk, tmp_path):
    habits = "path = '/home/someone/flights.csv'\nimport random\nrandom.random()\npassword = 'hunter2hunter2'"
    write(
        desk.lab.folder / "cards" / "cards.ipynb",
        "%load_ext cellops",
        habits,
        "import subprocess\nsubprocess.run(['true'])\n!touch /tmp/cellops-of-a-test && rm /tmp/cellops-of-a-test",
        "import numpy as np\nrng = np.random.default_rng()\nrows = rng.normal(size=(40, 2))",
        "%%mlops run --name fitted\nfrom sklearn.ensemble import RandomForestClassifier\n"
        "labels = [0, 1] * 20\nmodel = RandomForestClassifier(n_estimators=5).fit(rows, labels)\n"
        "score = model.score(rows, labels)",
    )
    desk.open("cards/cards.ipynb")
    desk.command("notebook:run-all-cells")
    expect(mark_of(desk, 4)).to_have_class("cellops-mark cellops-mark-findings", timeout=LONG_MILLISECONDS)
    card = desk.page.locator(".cellops-popup")
    expect(card).to_have_count(0)

    for number in range(1, 5):
        mark_of(desk, number).hover()
        expect(card.locator(".cellops-run-name")).to_have_text(f"In [{number + 1}]")
        desk.page.screenshot(path=tmp_path / f"card-{number}.png")
    expect(card.locator(".cellops-finding", has_text="global generator of numpy")).to_have_count(1)
    expect(card.locator(".cellops-fact").last).to_have_text(re.compile("^Run fitted · [0-9a-f]{8}$"))
    mark_of(desk, 1).hover()
    expect(card.locator(".cellops-finding")).to_have_count(3)
    expect(card.locator(".cellops-finding").first).to_have_text(re.compile("^error · line 4: a credential"))

    card.hover()
    expect(card).to_be_in_viewport(ratio=1)
    desk.page.keyboard.press("Escape")
    expect(card).to_have_count(0)
    mark_of(desk, 1).focus()
    expect(card).to_be_visible()
    desk.use_theme("JupyterLab Dark")
    mark_of(desk, 1).hover()
    desk.page.screenshot(path=tmp_path / "card-dark.png")
    desk.use_theme("JupyterLab Light")
