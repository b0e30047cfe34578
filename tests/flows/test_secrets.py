"""The value of a Secret stands in no file that cellops leaves behind: journal, MLflow, executed notebook, package."""

from pathlib import Path

import pytest

from cellops import Secret
from cellops.capture.secrets import KNOWN, KnownSecrets
from cellops.errors import NotebookError, ParameterError
from cellops.flows.execute import execute
from cellops.flows.package import package
from cellops.flows.verify import verify
from cellops.records.proof import Verdict
from cellops.records.run import RunStatus
from cellops.records.slice import Slice
from support.kernel import Kernel
from support.notebooks import LOAD, TRAIN, write

GIVEN = "quiet-otter.91/blue é"
READ = 'amber "heron" 7\'45\\x'
MARKS = (b"otter", b"heron")
"""What stands in these values, however they are written."""
DECLARED = "%%mlops parameters\nfrom cellops import Secret\nphrase: Secret\nrows: int = 400\nseed: int = 3"
READING = (
    "import os\nread: Secret = os.environ['OF_THE_TEST']\nalso = Secret(os.environ['OF_THE_TEST'])\nprint(read, also)"
)
SHOWING = (
    "import json, sys\nfrom urllib.parse import quote\n"
    "print('with', phrase, [phrase], json.dumps([read]), quote(read))\n"
    "print(repr(str(phrase)), file=sys.stderr)\n{'deep': [str(phrase), read]}"
)
FAILING = (
    "%%mlops run --name failed\nused = str(phrase)\ndef connect(to): raise ValueError(f'no {to} {read}')\nconnect(used)"
)


def _holding(folder: Path) -> list[str]:
    """The files below a folder in which one of the values stands."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [str(path) for path in files if any(mark in path.read_bytes() for mark in MARKS)]


def test_a_pipeline_leaves_no_secret(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_THE_TEST", READ)
    kept = "used = str(phrase)\nprint(used)\nheld = {'a': read}\n"
    notebook = write(project / "n.ipynb", LOAD, DECLARED, READING, SHOWING, TRAIN + kept)
    done = execute(notebook, {"phrase": GIVEN}, output=project / "out.ipynb")
    (run,) = done.runs
    assert run.status is RunStatus.FINISHED
    assert done.executed.parameters == {"phrase": "[redacted]"}
    assert run.parameters["phrase"] == "[redacted]"
    package("last", output=project / "package")
    assert _holding(project) == []
    executed = (project / "out.ipynb").read_text()
    assert "phrase = Secret.given('phrase')" in executed
    assert "with [redacted] [Secret('[redacted]')]" in executed


def test_a_pipeline_that_fails_leaves_no_secret(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_THE_TEST", READ)
    notebook = write(project / "n.ipynb", LOAD, DECLARED, READING, FAILING)
    with pytest.raises(NotebookError, match=r"no \[redacted\] \[redacted\]") as caught:
        execute(notebook, {"phrase": GIVEN}, output=project / "out.ipynb")
    assert not any(mark.decode() in f"{caught.value} {vars(caught.value)}" for mark in MARKS)
    assert "ValueError" in (project / "out.ipynb").read_text()
    assert _holding(project) == []


def test_a_default_that_stands_in_the_notebook_goes_from_the_executed_one(project: Path, tmp_path: Path) -> None:
    cells = ("from cellops import Secret\nphrase: Secret = 'the grey otter'", "print(phrase)\nphrase.split()[2]")
    notebook = write(tmp_path / "n.ipynb", LOAD, *(f"%%mlops parameters\n{cells[0]}", cells[1]))
    execute(notebook, output=project / "out.ipynb")
    text = (project / "out.ipynb").read_text()
    assert "the grey otter" not in text
    assert "phrase: Secret = '[redacted]'" in text


def test_without_cellops_in_the_kernel_what_is_given_goes(project: Path) -> None:
    notebook = write(project / "n.ipynb", DECLARED.partition("\n")[2], "print(phrase)")
    held = notebook.read_text().replace('"metadata": {},', '"metadata": {"tags": ["parameters"]},', 1)
    notebook.write_text(held)
    execute(notebook, {"phrase": GIVEN}, output=project / "out.ipynb")
    assert "Secret.given" in (project / "out.ipynb").read_text()
    assert _holding(project) == []


def test_a_secret_can_stand_in_the_environment_or_a_file(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_TEST", "otter")
    (tmp_path / "phrase.txt").write_text("heron\n")
    notebook = write(project / "n.ipynb", DECLARED, "print('backwards', phrase[::-1])")
    held = notebook.read_text()
    notebook.write_text(held.replace("%%mlops parameters\\n", "").replace("{},", '{"tags": ["parameters"]},', 1))
    for given, backwards in (("env:OF_THE_TEST", "retto"), (f"file:{tmp_path}/phrase.txt", "noreh")):
        execute(notebook, {"phrase": given}, output=project / "out.ipynb")
        assert f"backwards {backwards}" in (project / "out.ipynb").read_text()


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("env:NOT_THERE", "the environment has no variable NOT_THERE"),
        ("file:/not/there", "the file /not/there cannot be read: No such file or directory"),
        (8_274_913, "a value of type int was received"),
        ([GIVEN], "a value of type list was received"),
        (" ", "an empty text was received"),
    ],
)
def test_what_is_no_secret_is_refused_without_being_shown(project: Path, given: object, problem: str) -> None:
    notebook = write(project / "n.ipynb", DECLARED)
    with pytest.raises(ParameterError, match=problem) as caught:
        execute(notebook, {"phrase": given})  # type: ignore[dict-item]
    assert not any(text in str(caught.value) for text in ("otter", "8274913"))


def test_a_list_of_secrets_is_no_type_of_a_parameter(project: Path) -> None:
    notebook = write(project / "n.ipynb", DECLARED.replace("phrase: Secret", "phrase: list[Secret]"))
    with pytest.raises(ParameterError, match="a Secret is one text"):
        execute(notebook, {"phrase": Secret(GIVEN)})


def test_a_session_by_hand_leaves_no_secret(kernel: Kernel) -> None:
    kernel.run(f"import os\nos.environ['OF_THE_TEST'] = {READ!r}")
    kernel.run("%load_ext cellops\nfrom cellops import Secret")
    assert kernel.run("read = Secret(os.environ['OF_THE_TEST'])\nread").results == ["Secret('[redacted]')"]
    assert kernel.run("print(read)").streams == f"{READ}\n"
    kernel.run(f"%%mlops parameters\nphrase: Secret = {GIVEN!r}")
    kernel.run("%%mlops run\nused, number = phrase, 1\nheld = {'a': str(read)}\nraise ValueError(used + read)")
    kernel.run(f"words = ['otter', {GIVEN!r}]  # {GIVEN}")
    kernel.run(
        "%%mlops run --name quiet-otter.91\nfrom sklearn.dummy import DummyClassifier\n"
        "model = DummyClassifier(strategy='constant', constant=str(phrase)).fit([[1], [2]], [str(phrase), 'b'])"
    )
    (failed, fitted) = kernel.closed()
    assert failed.parameters["phrase"] == "[redacted]"
    assert [f.seen for f in fitted.findings if "Secret" in f.seen] == [
        "model was not kept: the value of a Secret stands in it"
    ]
    journals = b"".join(path.read_bytes() for path in (kernel.project / ".cellops" / "journal").iterdir())
    assert b"heron" not in journals
    assert GIVEN.encode() not in journals
    assert [str(p) for p in kernel.project.rglob("*") if p.is_file() and GIVEN.encode() in p.read_bytes()] == []


def test_a_secret_widens_no_slice(kernel: Kernel) -> None:
    kernel.run("%load_ext cellops\nfrom cellops import Secret")
    kernel.run("from cellops import Secret\nphrase = Secret('the grey otter')")
    kernel.run("limit = 5")
    kernel.run("%%mlops run\nsize = len(phrase)")
    found = kernel.closed()[0].slice
    assert found == Slice(cells=(2, 4))
    assert [value.shown for cell in kernel.cells() for value in cell.values if value.name == "phrase"] == ["[redacted]"]


def test_a_run_that_used_a_secret_is_verified_with_it_and_leaves_it_nowhere(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_TEST", READ)
    run = "%%mlops run\nprint(phrase, also)\nsize = (rows + seed + len(phrase)) / 2"
    notebook = write(project / "n.ipynb", LOAD, DECLARED, READING, run)
    execute(notebook, {"phrase": GIVEN}, output=project / "out.ipynb")
    vars(KNOWN).update(vars(KnownSecrets()))  # as a process that never heard of it
    monkeypatch.setenv("CELLOPS_SECRET_phrase", GIVEN)
    proof = verify("last")
    assert proof.verdict is Verdict.IDENTICAL, (proof.cells, proof.causes)
    assert _holding(project) == []
