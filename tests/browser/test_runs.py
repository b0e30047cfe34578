"""The list of runs by itself, as anywidget loads it: what others wrote is text, what a person opened stays open."""

import pytest
from playwright.sync_api import expect

from cellops.records.finding import Finding, Severity
from cellops.records.run import RunStatus, RunSummary
from cellops.widgets.runs import STATIC

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror='window.broken = true'>"
SHOW = """async ([script, runs]) => {
  const url = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
  const { default: widget } = await import(url);
  const heard = new Map();
  window.model = {
    runs,
    get: name => window.model[name],
    on: (event, callback) => heard.set(event, callback),
    off: event => heard.delete(event),
    set: runs => { window.model.runs = runs; heard.get('change:runs')(); }
  };
  window.end = widget.render({ model: window.model, el: document.body });
  window.heard = heard;
}"""


def run(name: str, **changes: object) -> RunSummary:
    return RunSummary(run=f"{name:0<32}", name=name, status=RunStatus.FINISHED, started=1e9, ended=1e9 + 90).replace(
        **changes
    )


@pytest.fixture
def show(wheel, browser):
    """Show runs on an empty page; afterwards nothing of theirs may have been executed."""
    page = browser.new_page()

    def start(*runs: RunSummary):
        page.evaluate(SHOW, [(STATIC / "runs.js").read_text(), [record.to_dict() for record in runs]])
        return page

    yield start
    assert not page.evaluate("window.broken")
    assert page.locator("img").count() == 0
    page.close()


def update(page, *runs: RunSummary) -> None:
    page.evaluate("runs => window.model.set(runs)", [record.to_dict() for record in runs])


def test_names_values_and_findings_are_text(show):
    finding = Finding(code=HOSTILE, severity=Severity.ERROR, where=HOSTILE, seen=HOSTILE, remedy=HOSTILE)
    page = show(
        run(
            HOSTILE,
            notebook=HOSTILE,
            parameters={HOSTILE: HOSTILE},
            metrics={HOSTILE: 1.0},
            findings=(finding,),
            models={HOSTILE: HOSTILE},
        )
    )
    expect(page.locator(".cellops-run-name")).to_have_text(HOSTILE)
    expect(page.locator(".cellops-metrics dt")).to_have_text(HOSTILE)
    expect(page.locator(".cellops-remedy")).to_have_text(HOSTILE)


@pytest.mark.parametrize(("severity", "is_open"), [(Severity.ERROR, True), (Severity.WARNING, False)])
def test_findings_are_open_where_one_is_an_error(show, severity, is_open):
    info = Finding(code="a", severity=Severity.INFO, where="In [1]", seen="small", remedy="none")
    page = show(
        run("x", findings=(info, Finding(code="b", severity=severity, where="In [2]", seen="big", remedy="mend")))
    )
    expect(page.locator(".cellops-finding").first).to_have_text(f"{severity} · In [2]: bigmend")
    expect(page.locator("[data-fold=findings] summary")).to_have_text("1 finding, 1 for information")
    assert page.locator("[data-fold=findings]").evaluate("fold => fold.open") is is_open


@pytest.mark.parametrize("status", RunStatus)
def test_a_status_is_a_word_and_a_shape(show, status):
    page = show(run("x", status=status))
    expect(page.locator(".cellops-status")).to_have_text(status.lower())
    expect(page.locator(f".cellops-icon-{status.lower()}")).to_be_visible()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.123456, "0.1235"),
        (12345, "12,345"),
        (0.0, "0"),
        (1e-7, "1.000e-7"),
        (-2.5e12, "-2.500e+12"),
        (None, "not a number"),
    ],
)
def test_metrics_are_short_numbers(show, value, text):
    expect(show(run("x", metrics={"m": value})).locator(".cellops-metrics dd")).to_have_text(text)


def test_what_is_open_and_focused_stays_so(show):
    page = show(run("x", status=RunStatus.RUNNING, ended=None, parameters={"depth": 3}))
    page.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("depth", exact=True)).to_be_visible()
    update(page, run("new", started=2e9), run("x", parameters={"depth": 3}, metrics={"auc": 0.5}))
    expect(page.locator(".cellops-run-name")).to_have_text(["new", "x"])
    expect(page.get_by_text("depth", exact=True)).to_be_visible()
    expect(page.locator("summary")).to_be_focused()


def test_filter_needs_every_word(show):
    page = show(*(run(name, notebook=f"{name}.ipynb") for name in ("late", "early", "other", "last")))
    page.get_by_role("searchbox").fill("la finished")
    expect(page.locator(".cellops-run-name:visible")).to_have_text(["late", "last"])
    page.get_by_role("searchbox").fill("nothing")
    expect(page.get_by_text("None of 4 runs matches the filter.")).to_be_visible()


def test_an_empty_list_teaches(show):
    page = show()
    expect(page.get_by_text("%load_ext cellops")).to_be_visible()
    update(page, run("x"))
    expect(page.get_by_text("%load_ext cellops")).to_be_hidden()


def test_a_widget_that_is_taken_away_listens_no_more(show):
    page = show()
    page.evaluate("window.end()")
    assert page.evaluate("window.heard.size") == 0
