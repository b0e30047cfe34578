"""Habits that stand in the way of repeating a cell elsewhere are findings, one a kind and line; good ones are none."""

from pathlib import Path

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager

from cellops.capture.habits.habits import habits
from support.kernel import Kernel

NOTEBOOK = Path(__file__).parents[3] / "notebooks" / "flight_delays.ipynb"
TOKEN = "ghp_" + "a1B2" * 10


def _found(source: str) -> list[tuple[str, str]]:
    body = "" if source.startswith("%%bash") else TransformerManager().transform_cell(source)
    return [(finding.code, finding.where) for finding in habits(source, body, "In [1]")]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("frame = read('/home/someone/data.csv')", "hard-coded-path"),
        (r"frame = read('C:\\data\\flights.csv')", "hard-coded-path"),
        ("password = 'hunter2hunter2'", "credential-in-code"),
        (f"log_in({TOKEN!r})", "credential-in-code"),
        ("os.environ['HF_TOKEN'] = 'abcdefgh'", "credential-in-code"),
        ("answer = requests.get(url)", "network-read"),
        ("answer = httpx.post(url, json={})", "network-write"),
        ("requests.delete(url)", "network-write"),
        ("with urllib.request.urlopen(url) as file: pass", "network-read"),
        ("!pip install lightgbm", "package-installed"),
        ("%pip install -q lightgbm", "package-installed"),
        ("!python -m pip install lightgbm", "package-installed"),
        ("!sudo apt-get -y install graphviz", "package-installed"),
        ("!rm -rf models", "shell-command"),
        ("!ls > files.txt", "shell-command"),
        ("lines = !python train.py", "shell-command"),
        ("subprocess.run(['rm', name], check=True)", "shell-command"),
        ("subprocess.check_call([sys.executable, '-m', 'pip', 'install', 'lightgbm'])", "package-installed"),
        ("os.system(command)", "shell-command"),
        ("%autoreload 2", "autoreload"),
    ],
)
def test_a_habit_is_a_finding_with_its_line(line: str, code: str) -> None:
    assert _found(f"x = 1\n{line}\ny = 2") == [(code, "In [1], line 2")]
    assert _found(f"%%time\nx = 1\n{line}") in ([(code, "In [1], line 3")], [])


@pytest.mark.parametrize(
    "source",
    [
        "!ls -la | head -3",
        "!git log --oneline && git status",
        "files = !find . -name '*.csv'",
        "!python --version",
        "!nvidia-smi",
        "%pip list",
        "%matplotlib inline",
        "%autoreload 0",
        "token = os.environ['HF_TOKEN']",
        "password = getpass('Your password: ')",
        "password = ''",
        "api_key: str = ''  # give one",
        "ratio = a / b",
        "path = 'data/flights.csv'",
        "name = '/'",
        "answer = cache.get(url)",
        "vectorizer = CountVectorizer(token_pattern='[a-z]+')",
        "x = (",
    ],
)
def test_what_harms_nobody_is_no_finding(source: str) -> None:
    assert _found(source) == []


def test_a_script_below_a_cell_magic_is_one_finding() -> None:
    assert _found("%%bash\nmkdir models\nrm -r old") == [("shell-command", "In [1], line 1")]
    assert _found("%%bash\n# what is here\nls -l\n\ngit status") == []


def test_there_is_one_finding_a_kind_and_line() -> None:
    source = "a = '/home/me/a'; b = '/home/me/b'; password = 'hunter2hunter2'\nc = '/home/me/c'"
    assert _found(source) == [
        ("credential-in-code", "In [1], line 1"),
        ("hard-coded-path", "In [1], line 1"),
        ("hard-coded-path", "In [1], line 2"),
    ]


def test_a_finding_repeats_no_secret() -> None:
    source = "!curl -H 'Authorization: Bearer abcdefgh1234' https://me:hunter2@host/x -o /tmp/x"
    said = " ".join(finding.seen for finding in habits(source, TransformerManager().transform_cell(source), "In [1]"))
    assert "abcdefgh1234" not in said
    assert "hunter2" not in said


def test_the_flights_notebook_has_none() -> None:
    cells = [cell.source for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.cell_type == "code"]
    assert [_found(source) for source in cells] == [[] for _ in cells]


@given(st.text(st.sampled_from("!%='\"/\\ \nabrmos.system(){}[],;|&>#password")))
def test_any_text_has_findings_or_none(text: str) -> None:
    habits(text, text, "In [1]")


def test_they_stand_on_the_record_of_the_cell(loaded: Kernel) -> None:
    loaded.run("import os\nfolder = '/home/someone/models'\n_ = os.system('true')")
    found = [(finding.code, finding.where) for finding in loaded.cells()[-1].findings]
    assert found == [("hard-coded-path", "In [2], line 2"), ("shell-command", "In [2], line 3")]
    loaded.run("%%bash\ntrue")
    assert [finding.code for finding in loaded.cells()[-1].findings] == ["shell-command"]
