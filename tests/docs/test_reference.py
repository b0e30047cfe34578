"""The documentation says what the code does."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from cellops.cli.verbs import terminal

ROOT = Path(__file__).parents[2]
DOCS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_reference_is_what_the_code_says(tmp_path: Path) -> None:
    written = tmp_path / "reference.md"
    # A process of its own: click keeps the names that help had when a command was last used.
    subprocess.run([sys.executable, ROOT / "docs" / "reference.py", written], check=True)
    assert (ROOT / "docs" / "reference.md").read_text(encoding="utf-8") == written.read_text("utf-8"), "run: make docs"


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_every_command_in_the_pages_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    verbs = {
        verb for block in re.findall(r"```(?:console|sh|bash)\n(.*?)```", text, re.DOTALL) for verb in _verbs(block)
    }
    for verb in verbs:
        done = subprocess.run([sys.executable, "-m", "cellops", verb, "--help"], capture_output=True, check=False)
        assert done.returncode == 0, verb


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_every_command_in_the_pages_can_be_read(page: Path) -> None:
    for line in re.findall(r"^(?:\$ )?(?:\w+=\S+ )*(cellops \w.*)$", _code(page), re.MULTILINE):
        _, verb, *arguments = shlex.split(line, comments=True)
        command = terminal.get_command(click.Context(terminal), verb)
        assert command is not None, line
        if "--help" not in arguments:
            command.make_context(verb, arguments)


@pytest.mark.parametrize("verb", terminal.list_commands(click.Context(terminal)))
def test_the_help_of_every_verb_shows_how_it_is_typed(verb: str) -> None:
    command = terminal.get_command(click.Context(terminal), verb)
    assert command is not None
    assert re.search(rf"^ +cellops {verb}\b", command.get_help(click.Context(command)), re.MULTILINE)


def _code(page: Path) -> str:
    blocks = re.findall(r"```(?:console|sh|bash)\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    return "\n".join(blocks)


def _verbs(block: str) -> list[str]:
    return re.findall(r"(?:^|\s|/)cellops (\w+)", block)
