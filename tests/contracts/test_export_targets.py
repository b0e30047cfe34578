"""Every export target writes the command lines that a person would type, whatever stands in them, and drops nothing."""

import pkgutil
import re
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import click
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cellops.cli.export import TARGETS as OF_THE_TERMINAL
from cellops.errors import UsageError
from cellops.pipeline.export import commands, targets
from cellops.pipeline.export.head import head
from cellops.pipeline.export.targets import TARGETS, target
from cellops.pipeline.export.workflow import SecretNeeded, Task, Workflow
from cellops.records.parameter import ParameterDescription
from support.exported import READERS, Probe

FULL = Workflow(
    root=Path("/srv/project"),
    notebook="train.ipynb",
    file="exported",
    lock="cellops-train.lock.txt",
    python="3.12",
    interpreter=Path("/srv/env/bin/python"),
    cellops="1.2.3",
    locked=False,
    steps=(Task("load-all"), Task("load_all"), Task("fit", ("load-all", "load_all"))),
    parameters=(("rows", "500"),),
    parameters_file="production.yaml",
    open=(ParameterDescription(name="depth", kind="int", default="3", required=False, help="of the trees"),),
    secrets=(SecretNeeded("token", "CELLOPS_PARAM_TOKEN", required=True),),
    gates=("auc >= 0.72",),
    schedule="0 6 * * 1",
    store="s3://bucket/steps",
    jobs=3,
    seed=8,
    drift="april.parquet",
    promote="flights",
)
MARKS = {
    "parameters": "-p rows 500",
    "parameters_file": "production.yaml",
    "open": "depth",
    "secrets": "token",
    "gates": "auc >= 0.72",
    "schedule": "0 6 * * 1",
    "store": "s3://bucket/steps",
    "jobs": "--jobs 3",
    "seed": "--seed 8",
    "python": "3.12",
    "drift": "april.parquet",
    "promote": "flights",
}
"""What shows that an option is in a file, or named as missing there."""
HOSTILE = (
    "a b.ipynb",
    'it\'s "so".ipynb',
    "${{ secrets.TOKEN }}.ipynb",
    "$(touch broken) `touch broken` ; touch broken.ipynb",
    "{{ var.value.key }} {% raw %} {# x #} {{{.ipynb",
    "50% \\ ${HOME} $HOME !{x} ~ * [a] #.ipynb",
    "größe 数据 \u202e\u2028.ipynb",
    "-p.ipynb",
    "two\nlines\r\n# and: more.ipynb",
    "' }} ${{ github.token }} {% endraw %} \\${x}.ipynb",
)
TEXTS = st.text(st.characters(exclude_characters="\0\1", exclude_categories=("Cs",)), min_size=1, max_size=30)


def expected(workflow: Workflow, *, steps: bool) -> list[list[str]]:
    """The arguments that `cellops` is called with, in the order of the file."""
    lines = [commands.execute(workflow, step.name) for step in workflow.steps] if steps else []
    lines += commands.everything(workflow)
    typed = (shlex.split(line) for line in lines)
    calls = (words[2:] if words[0] == "env" else words for words in typed)
    return [words for words in calls if words[0] == "cellops"]


def called(name: str, workflow: Workflow, probe: Probe) -> list[list[str]]:
    here = replace(workflow, root=probe.folder, interpreter=probe.folder / "bin" / "python")
    text = head(here, (), "cellops export", ()) + target(name).write(here).text
    return probe.called(READERS[name](text), "sh" if name in ("cron", "kfp") else "bash")


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Probe:
    return Probe(tmp_path_factory.mktemp("a place"))


def test_all_targets_are_found_and_offered() -> None:
    assert sorted(module.name for module in pkgutil.iter_modules(targets.__path__)) == sorted(TARGETS)
    assert OF_THE_TERMINAL == TARGETS
    assert sorted(READERS) == sorted(TARGETS)
    with pytest.raises(UsageError, match="Did you mean github"):
        target("gihub")


@pytest.mark.parametrize("name", TARGETS)
def test_the_text_is_the_same_each_time_and_every_option_is_in_it_or_told(name: str) -> None:
    written = target(name).write(FULL)
    assert written == target(name).write(FULL)
    told = "\n".join((written.text, *written.notes)).casefold()
    assert [option for option, mark in MARKS.items() if mark.casefold() not in told] == []
    pinned = FULL.cellops in written.text and FULL.lock in written.text
    assert pinned or FULL.lock in " ".join(written.notes) or not target(name).LOCKS
    assert not target(name).place(FULL).startswith(("/", ".."))


@pytest.mark.parametrize("name", TARGETS)
def test_the_commands_are_those_that_a_person_would_type(name: str, probe: Probe) -> None:
    by_step = name in ("airflow", "dvc", "kfp")
    assert called(name, FULL, probe) == expected(FULL, steps=by_step)
    bare = replace(FULL, steps=(), store=None, drift=None, promote=None, secrets=(), open=(), parameters_file=None)
    assert called(name, bare, probe) == [shlex.split(commands.execute(bare))]


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_breaks_out(name: str, text: str, probe: Probe) -> None:
    workflow = replace(
        FULL,
        notebook=text,
        parameters=(("rows", text), ("more", f"-{text}")),
        parameters_file=f"{text}.yaml",
        open=(ParameterDescription(name="depth", kind="int", default=text, required=False, help=text),),
        gates=(text, "auc >= 0.72"),
        store=f"file:///{text}",
        drift=text,
        promote=text,
        lock=f"{text}.txt",
        project=text,
        kept=f"{text}/.cellops/steps",
    )
    if name == "cron" and "\n" in text:
        with pytest.raises(UsageError, match="has one for each command"):
            target(name).write(workflow)
        return
    assert called(name, workflow, probe) == expected(workflow, steps=name in ("airflow", "dvc", "kfp"))
    assert not (probe.folder / "broken").exists()


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=TEXTS)
def test_nothing_that_can_be_typed_breaks_out(name: str, text: str, probe: Probe) -> None:
    workflow = replace(FULL, steps=(), parameters=(("rows", text),), gates=(text,), drift=None, promote=None)
    if name == "cron" and re.search(r"[\n\r]", text):
        return
    assert called(name, workflow, probe) == expected(workflow, steps=False)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", ["airflow", "kfp"])
def test_python_compiles_and_is_as_ruff_writes_it(name: str, text: str, tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.py" for number in range(3)]
    plain = replace(FULL, notebook=text, gates=(text,), parameters=(("rows", text),))
    variants = (plain, replace(plain, store=None, secrets=()), replace(plain, steps=(), schedule=None, promote=None))
    for file, workflow in zip(files, variants, strict=True):
        written = target(name).write(workflow)
        whole = head(workflow, written.commands, "cellops export", written.notes) + written.text
        compile(whole, file.name, "exec")
        file.write_text(whole, encoding="utf-8", newline="\n")
    ruff = [sys.executable, "-m", "ruff", "format", "--check", "--isolated", *map(str, files)]
    done = subprocess.run(ruff, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout


@pytest.mark.parametrize("text", HOSTILE)
def test_a_comment_ends_with_its_line(text: str) -> None:
    made = head(replace(FULL, notebook=text), (text,), text, (text,))
    assert all(line.startswith("#") for line in made.splitlines())


def test_the_line_that_exports_again_is_read_as_it_was_given() -> None:
    from cellops.cli.verbs import terminal

    line = commands.export(replace(FULL, notebook="-a.ipynb", parameters=(("x", "-1"),)), "cron", is_placed=True)
    _, verb, *words = shlex.split(line)
    command = terminal.get_command(click.Context(terminal), verb)
    assert command is not None
    given = command.make_context(verb, words).params
    assert given["parameters"] == (("x", "-1"),)
    assert (str(given["notebook"]), given["schedule"], given["seed"], given["gates"]) == (
        "-a.ipynb",
        FULL.schedule,
        FULL.seed,
        FULL.gates,
    )


def test_a_stage_of_dvc_promotes_again_when_the_notebook_was_executed_again() -> None:
    stages = yaml.safe_load(target("dvc").write(replace(FULL, file="dvc.yaml")).text)["stages"]
    assert stages["train-promote"]["deps"] == [commands.executed(FULL), f"{FULL.results}/drift"]


def test_every_notebook_has_a_name_of_its_own() -> None:
    names = {path: replace(FULL, notebook=path).slug for path in ("a/b.ipynb", "b.ipynb", "a b.ipynb", *HOSTILE)}
    assert (names["a/b.ipynb"], names["b.ipynb"]) == ("a-b", "b")
    assert len(set(names.values())) == len(names)
    assert all(re.fullmatch("[A-Za-z0-9_-]+", name) for name in names.values())
