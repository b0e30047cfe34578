"""How much a cell printed, and what a run showed: seen without changing a byte of it."""

import hashlib
import io
from pathlib import Path

import pytest

from cellops.capture.figures import MOST_FIGURES
from cellops.capture.outputs import Tally
from cellops.flows.sync import sync
from cellops.settings import load
from cellops.tracking.store import Store
from support.kernel import Kernel

PLOT = "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\nplt.plot([3, 1])"
SVG = "from IPython.display import SVG, display\ndisplay(SVG('<svg xmlns=\"http://www.w3.org/2000/svg\"><!--{}--></svg>'))"


@pytest.mark.parametrize(
    ("cell", "printed", "complained"),
    [
        ("1 + 1", 0, 0),
        ("print('né', end='')", 3, 0),
        ("import sys\n_ = sys.stderr.write('four')", 0, 4),
        ("print('a' * 100_000)", 100_001, 0),
        ("import os\n!echo shell", 7, 0),
        ("%%capture\nprint('held')", 0, 0),
        ("import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()): print('held')", 0, 0),
        ("import threading\nt = threading.Thread(target=lambda: print('ab')); t.start(); t.join()", 3, 0),
    ],
)
def test_the_bytes_that_a_cell_printed_are_counted(loaded: Kernel, cell: str, printed: int, complained: int) -> None:
    loaded.run("print('before')")
    done = loaded.run(cell)
    record = loaded.cells()[-1]
    assert (record.stdout_size, record.stderr_size) == (printed, complained)
    if "!echo" not in cell:
        assert len(done.streams.encode()) == printed + complained


def test_the_stream_of_the_kernel_stays_itself(loaded: Kernel) -> None:
    assert "cellops" not in loaded.run("import sys\nsys.stdout.write(3)").traceback
    loaded.run("%unload_ext cellops")
    assert loaded.run("sys.stdout.echo is None, sys.stdout.write('x')").results == ["(True, 1)"]


def test_a_tally_passes_on_what_it_counts() -> None:
    held = io.StringIO()
    tally = Tally(held)
    tally.write("a\ud800é")
    tally.flush()
    assert (held.getvalue(), tally.size) == ("a\ud800é", 6)


def test_the_figures_of_a_run_are_its_artifacts(loaded: Kernel, tmp_path: Path) -> None:
    done = loaded.run(f"%%mlops run --name shown\n{PLOT}")
    assert len([data for data in done.displays if "image/png" in data]) == 2
    figures = loaded.closed()[-1].figures
    assert [figure.name for figure in figures] == ["figure-1.png", "figure-2.png"]
    first = Path(figures[0].path)
    assert first.read_bytes().startswith(b"\x89PNG")
    assert first.stat().st_mode & 0o777 == 0o600
    assert hashlib.sha256(first.read_bytes()).hexdigest() == figures[0].digest
    settings = load(loaded.project)
    sync(settings)
    store = Store(settings)
    run = store.runs(1)[0].mlflow_run_id
    assert run is not None
    kept = store.artifacts(run, "figures", tmp_path)
    assert sorted(path.name for path in kept.iterdir()) == ["figure-1.png", "figure-2.png"]
    assert not first.exists()


def test_a_cell_that_is_no_run_keeps_no_figure(loaded: Kernel) -> None:
    loaded.run(PLOT)
    assert loaded.cells()[-1].figures == ()
    assert not (loaded.project / ".cellops" / "spool").exists()


def test_a_figure_that_is_drawn_again_in_its_place_is_one(loaded: Kernel) -> None:
    loaded.run(SVG.format("first"))
    loaded.run(
        f"%%mlops run\n{SVG.format('one')}\nplace = display(SVG('<svg>two</svg>'), display_id=True)\n"
        "place.update(SVG('<svg>ghp_" + "a1B2" * 10 + "</svg>'))\nSVG('<svg>last</svg>')"
    )
    texts = [Path(figure.path).read_text() for figure in loaded.closed()[-1].figures]
    assert [text for text in texts if "first" in text] == []
    assert len(texts) == 3
    assert "[redacted]" in texts[1]
    assert "last" in texts[2]


def test_too_many_figures_are_a_finding(loaded: Kernel) -> None:
    body = SVG.format("x").replace("display(SVG", "for _ in range(25): display(SVG")
    loaded.run(f"%%mlops run\n{body}")
    run = loaded.closed()[-1]
    assert len(run.figures) == MOST_FIGURES
    assert [finding.code for finding in run.findings if finding.code == "figures-not-kept"] == ["figures-not-kept"]


def test_figures_that_cannot_be_written_are_a_finding_and_the_rest_is_recorded(loaded: Kernel) -> None:
    (loaded.project / ".cellops" / "spool").write_text("in the way")
    assert loaded.run(f"%%mlops run\nprint('shown')\n{SVG.format('x')}").status == "ok"
    assert (loaded.cells()[-1].stdout_size, loaded.closed()[-1].figures) == (6, ())
    assert "figures-not-kept" in [finding.code for finding in loaded.closed()[-1].findings]


def test_a_figure_of_plotly_is_kept_as_plotly_reads_it(loaded: Kernel) -> None:
    import plotly.io

    loaded.run(
        "import plotly.graph_objects as go\nfigure = go.Figure(go.Bar(x=['a', 'b'], y=[1, 2]))\n"
        "_ = figure.update_layout(title='made with ghp_" + "a1B2" * 10 + "')"
    )
    done = loaded.run("%%mlops run\nfigure.show()\n_ = figure.update_traces(y=[3, 4])\nfigure")
    assert "a1B2" in str(done.displays)
    first, second = (Path(figure.path) for figure in loaded.closed()[-1].figures)
    assert (first.name, second.name) == ("figure-1.plotly.json", "figure-2.plotly.json")
    read = [plotly.io.from_json(path.read_text(), skip_invalid=False) for path in (first, second)]
    assert [list(figure.data[0].y) for figure in read] == [[1, 2], [3, 4]]
    assert read[0].layout.title.text == "made with [redacted]"


@pytest.mark.parametrize(
    ("kind", "suffix"),
    [
        ("application/vnd.vegalite.v5.20+json", ".vl.json"),
        ("application/vnd.vegalite.v6+json", ".vl.json"),
        ("application/vnd.vega.v5+json", ".vg.json"),
    ],
)
def test_a_specification_of_vega_is_kept_as_it_stood_when_it_was_shown(loaded: Kernel, kind: str, suffix: str) -> None:
    loaded.run(
        "%%mlops run\nfrom IPython.display import display\n"
        "specification = {'mark': 'bar', 'data': {'values': [1.5, None]}}\n"
        f"display({{'{kind}': specification, 'text/plain': ''}}, raw=True)\nspecification['mark'] = 'line'"
    )
    (figure,) = loaded.closed()[-1].figures
    assert figure.name == f"figure-1{suffix}"
    assert Path(figure.path).read_bytes() == b'{"mark":"bar","data":{"values":[1.5,null]}}'


def test_the_figures_of_a_run_on_a_subshell_are_its_own(loaded: Kernel) -> None:
    loaded.run("import threading\ngo = threading.Event()")
    waiting = "%%mlops run --name main\nprint('begun', flush=True)\n_ = go.wait(60)\n"
    main = loaded.send(waiting + SVG.format("main"))
    loaded.wait_for_output("begun")
    beside = loaded.send(f"%%mlops run --name beside\n{SVG.format('beside')}\ngo.set()", subshell=loaded.new_subshell())
    loaded.wait_for_all([main, beside])
    names = {run.run: run.name for run in loaded.opened()}
    texts = {names[run.run]: [Path(figure.path).read_text() for figure in run.figures] for run in loaded.closed()}
    assert {name: len(found) for name, found in texts.items()} == {"main": 1, "beside": 1}
    assert all(f"<!--{name}-->" in found[0] for name, found in texts.items())
