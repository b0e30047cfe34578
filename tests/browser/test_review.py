"""The queue of a reviewer as anywidget loads it, on a real log: labelled by click and by key, in the log at the end."""

import pytest
from playwright.sync_api import expect

from cellops.flows.review import review
from cellops.widgets.assets import STATIC
from cellops.widgets.review import ReviewPanel
from support.reviews import labels_in, write_log
from support.served import MARKUP, build

pytestmark = pytest.mark.browser

SHOW = """async ([script, state]) => {
  const url = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
  const { default: widget } = await import(url);
  const heard = new Map();
  const model = {
    state,
    get: name => model[name],
    on: (event, callback) => heard.set(event, callback),
    off: event => heard.delete(event),
    send: async message => {
      model.state = await window.hear(message);
      heard.get('change:state')();
    }
  };
  window.heard = heard;
  window.end = widget.render({ model, el: document.body });
}"""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    return build("hostile", tmp_path_factory.mktemp("package"))


def test_rows_are_labelled_by_click_and_by_key(wheel, browser, hostile, tmp_path):
    log = write_log(hostile, tmp_path / "log", (0.51, 0.52, 0.53, 0.54), **{MARKUP: MARKUP})
    begun = review(hostile, log=log, sample=0, reviewer="Ada")
    panel, second = ReviewPanel(begun), begun.state().choices[1].label
    page = browser.new_page()
    page.expose_function("hear", panel.hear)
    page.evaluate(SHOW, [(STATIC / "review.js").read_text(), panel.hear({"do": "undo"})])
    card = page.get_by_role("group", name="Review")
    expect(card).to_contain_text("p:0 ·")
    expect(page.locator("th").first).to_have_text(MARKUP)
    expect(page.locator("td").first).to_have_text(MARKUP)
    page.get_by_role("button", name="benign").click()
    expect(card).to_contain_text("p:1 ·")
    expect(card).to_contain_text("3 wait · 1 labelled")
    card.focus()
    page.keyboard.press("s")
    expect(card).to_contain_text("p:2 ·")
    page.keyboard.press("1")
    expect(card).to_contain_text("p:3 ·")
    page.keyboard.press("u")
    expect(page.get_by_role("status")).to_have_text("Taken back")
    page.keyboard.press("2")
    expect(card).to_contain_text("p:3 ·")
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_role("status")).to_have_text(f"2 labels by Ada are in {log}")
    assert labels_in(log) == [("p:0", "benign", "Ada"), ("p:2", second, "Ada")]
    assert not page.evaluate("window.broken")
    assert page.locator("img").count() == 0
    page.evaluate("window.end()")
    assert page.evaluate("window.heard.size") == 0
    page.close()
