"""The page of the server in a real browser: what a person sees, with names that are markup shown as text."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from support.served import MARKUP, TOKEN, Running, build, running

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("hostile")
    with running(build("hostile", folder), folder, server_explain_evaluations="20000") as started:
        yield started


@pytest.fixture
def page(server: Running, browser: Any, tmp_path: Path) -> Iterator[Any]:
    """The page, opened as a person does; nothing may go wrong in it, and nothing of others be executed."""
    page = browser.new_page(viewport={"width": 400, "height": 900})
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
    page.on("request", lambda asked: faults.append(asked.url) if "127.0.0.1" not in asked.url else None)
    page.goto(str(server.client.base_url))
    yield page
    page.screenshot(path=tmp_path / "last.png", full_page=True)
    assert not page.evaluate("window.broken")
    assert page.locator("img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    page.close()
    assert faults == []


def enter(page: Any, token: str = TOKEN) -> None:
    page.get_by_label("Token").fill(token)
    page.keyboard.press("Enter")


def test_a_wrong_token_opens_nothing_and_the_right_one_is_kept_in_the_tab(page: Any) -> None:
    enter(page, "wrong")
    expect(page.get_by_role("status").first).to_have_text("The token is not taken. Type it again.")
    expect(page.locator("main")).to_be_hidden()
    enter(page)
    expect(page.locator("#models")).to_contain_text("rows answered as in training")
    page.reload()
    expect(page.locator("#models h3")).to_have_text("hostile")
    page.get_by_role("button", name="Forget").click()
    expect(page.locator("main")).to_be_hidden()
    assert page.evaluate("sessionStorage.length + localStorage.length") == 0


def test_a_prediction_is_tried_with_the_keyboard_and_explained(page: Any) -> None:
    enter(page)
    select = page.get_by_label(MARKUP, exact=True)
    select.focus()
    page.keyboard.press("ArrowUp")
    page.get_by_role("button", name="Predict").focus()
    page.keyboard.press("Enter")
    answer = page.locator("#answer")
    expect(answer).to_contain_text("Sampled, with standard errors drawn")
    expect(answer).to_contain_text(f"probability of <b>what being {MARKUP}")
    rows = answer.locator("tbody tr")
    expect(rows).to_have_count(13)
    expect(answer.get_by_role("row", name=f"{MARKUP} = {MARKUP}")).to_have_count(1)
    texts = rows.locator("td:nth-child(3)").all_inner_texts()
    shares = [float(text[1:]) for text in texts]
    assert len({len(text) for text in texts}) == 1
    assert sorted(shares, reverse=True) == shares
    page.get_by_label("Class to explain").select_option("benign")
    page.get_by_role("button", name="Predict").click()
    expect(answer).to_contain_text("probability of <b>what being benign")


def test_an_error_leads_to_its_field_and_a_plain_prediction_is_logged(page: Any, server: Running) -> None:
    enter(page)
    field = page.get_by_label("mean radius", exact=True)
    field.fill("")
    page.get_by_role("button", name="Predict").click()
    expect(page.locator("#answer")).to_contain_text("Column mean radius")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    field.fill("14.5")
    page.get_by_label("and explain").uncheck()
    expect(page.locator("#logged")).to_have_text("The prediction is logged like any other.")
    before = logged(server)
    page.get_by_role("button", name="Predict").click()
    expect(page.locator("#answer")).to_contain_text("Probabilities")
    assert logged(server) == before + 1
    expect(page.locator("#traffic")).to_contain_text("predict", timeout=30_000)


def logged(server: Running) -> int:
    (model,) = server.client.get("/ui/state").json()["models"]
    return int(model["rows"])
