"""The graph of a notebook, as its own cell shows it in a real JupyterLab."""

import pytest
from nbformat import v4, write
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
CELLS = (
    "%load_ext cellops\nimport pandas as pd",
    "%mlops graph",
    "%%mlops step load\nflights = pd.DataFrame({'late': [1, 2, 3]})",
    "%%mlops step weather\nwind = pd.Series([3, 4, 5])",
    "%%mlops step join --out joined\njoined = flights.assign(wind=wind)\ntotal = joind.sum()",
    "%%mlops step report\nprint(joined)",
)
CONTRAST = """svg => {
  const parts = colour => [...colour.match(/[\\d.]+/g).map(Number), 1].slice(0, 4);
  const on = ([r, g, b, a], ground) => [r, g, b].map((c, i) => a * c + (1 - a) * ground[i]);
  const light = colour => {
    const linear = c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = colour.map(c => linear(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const fill = (element, ground) => on(parts(getComputedStyle(element).fill), ground);
  const paper = fill(svg.querySelector('.paper'), [255, 255, 255]);
  const box = fill(svg.querySelector('.box'), paper);
  const told = [...svg.querySelectorAll('.name, .quiet, .carried, .told')].map(text => {
    const ground = text.classList.contains('carried') ? paper : box;
    const [low, high] = [light(fill(text, ground)), light(ground)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  });
  return { paper: light(paper), least: Math.min(...told) };
}"""
"""How light the paper of a picture is, from 0 to 1, and the least contrast of its texts (WCAG 2.2, 1.4.3)."""


def test_a_graph_can_be_read_in_light_and_dark(desk, tmp_path):
    folder = desk.lab.folder / "graph"
    (folder / ".cellops").mkdir(parents=True)
    python = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    cells = [v4.new_code_cell(source) for source in CELLS]
    write(v4.new_notebook(cells=cells, metadata=python), folder / "graph.ipynb")
    desk.open("graph/graph.ipynb")
    desk.command("notebook:run-all-cells")
    picture = desk.page.locator(".jp-OutputArea svg.cellops-graph")
    expect(picture.locator(".name")).to_have_text(["load", "weather", "join", "report"])
    expect(picture.locator(".carried").filter(has_text="flights")).to_be_visible()
    expect(picture.locator(".told.error")).to_contain_text("cell 5, line 3: missing-producer")
    picture.scroll_into_view_if_needed()

    light = picture.evaluate(CONTRAST)
    desk.page.screenshot(path=tmp_path / "light.png")
    desk.use_theme("JupyterLab Dark")
    dark = picture.evaluate(CONTRAST)
    desk.page.screenshot(path=tmp_path / "dark.png")
    desk.use_theme("JupyterLab Light")

    assert light["paper"] > 0.9
    assert dark["paper"] < 0.1
    assert min(light["least"], dark["least"]) >= 4.5
