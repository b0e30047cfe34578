"""Exported files, read as their targets read them, and a `cellops` that tells what it was called with."""

import ast
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

EXPRESSION = re.compile(r"\$\{\{\s*'((?:[^']|'')*)'\s*\}\}")
"""A text of GitHub's expressions: the only ones in the lines of a workflow."""


def github(text: str) -> list[str]:
    """The scripts of a workflow, once GitHub has evaluated them."""
    scripts = [step["run"] for step in yaml.safe_load(text)["jobs"]["execute"]["steps"] if "run" in step]
    for script in scripts:
        assert "${{" not in EXPRESSION.sub("", script), "an expression of somebody else's"
    return [EXPRESSION.sub(lambda found: found[1].replace("''", "'"), script) for script in scripts]


def gitlab(text: str) -> list[str]:
    return [line for job in yaml.safe_load(text).values() for line in job.get("script", ())]


def dvc(text: str) -> list[str]:
    lines = [line for stage in yaml.safe_load(text)["stages"].values() for line in stage["cmd"]]
    for line in lines:
        assert not re.search(r"(?<!\\)\$\{", line), "a variable of DVC's"
    return [line.replace("\\${", "${") for line in lines]


def airflow(text: str) -> list[str]:
    given = [value for name, value in _keywords(text) if name == "bash_command"]
    return [jinja2.Environment(undefined=jinja2.StrictUndefined).from_string(str(line)).render() for line in given]


def kfp(text: str) -> list[str]:
    return [line for name, lines in _keywords(text) if name == "lines" for line in lines]


def cron(text: str) -> list[str]:
    """What cron gives to the shell: a percent sign without a backslash would end it."""
    (line,) = [line for line in text.split("\n") if line and not line.startswith("#")]
    command = line.split(" ", 5)[5]
    assert not re.search(r"(?<!\\)%", command)
    return [command.replace("\\%", "%")]


READERS: dict[str, Callable[[str], list[str]]] = {
    "github": github,
    "gitlab": gitlab,
    "dvc": dvc,
    "airflow": airflow,
    "kfp": kfp,
    "cron": cron,
}


def _keywords(text: str) -> Iterator[tuple[str | None, Any]]:
    """The arguments of calls that are literals."""
    for node in ast.walk(ast.parse(text)):
        for keyword in node.keywords if isinstance(node, ast.Call) else ():
            try:
                yield keyword.arg, ast.literal_eval(keyword.value)
            except ValueError:
                continue


class Probe:
    """A folder with commands of its own, `cellops` among them, that note their arguments and do nothing else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notes = folder / "called"
        bins = folder / "bin"
        bins.mkdir(parents=True)
        for name in ("cellops", "python", "rm", "git"):
            script = bins / name
            said = "echo main\n" if name == "git" else ""
            note = f"printf '%s\\0' {name} \"$@\" >> '{self.notes}'; printf '\\1' >> '{self.notes}'"
            script.write_text(f"#!/bin/sh\n{note}\n{said}")
            script.chmod(script.stat().st_mode | stat.S_IXUSR)
        self.environment = {
            "PATH": f"{bins}:{os.environ['PATH']}",
            "MLFLOW_TRACKING_URI": "http://here",
            "CI_COMMIT_BRANCH": "main",
            "CI_DEFAULT_BRANCH": "main",
            "GITHUB_STEP_SUMMARY": str(folder / "summary"),
        }

    def called(self, scripts: list[str], shell: str = "bash") -> list[list[str]]:
        """What the scripts call `cellops` with."""
        self.notes.write_bytes(b"")
        for script in scripts:
            done = subprocess.run(
                [shell, "-ec", script], cwd=self.folder, env=self.environment, capture_output=True, check=False
            )
            assert done.returncode == 0, done.stderr
        calls = [call.split("\0")[:-1] for call in self.notes.read_bytes().decode().split("\1")[:-1]]
        return [words for words in calls if words[0] == "cellops"]


def git(folder: Path, *words: str) -> None:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


def as_command(folder: Path) -> Path:
    """A folder with a `cellops` that is the one under test, for shells that look for it on their PATH."""
    folder.mkdir(parents=True)
    script = folder / "cellops"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cellops "$@"\n')
    script.chmod(0o755)
    return folder


def environment_with(folder: Path, *requirements: str) -> Path:
    """The Python of a new environment with packages that cannot stand beside ours; skips where they cannot be had."""
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv is None:
        pytest.skip("uv is not installed, which makes the environment")
    python = folder / "bin" / "python"
    for command in (
        [uv, "venv", "--quiet", "--python", sys.executable, str(folder)],
        [uv, "pip", "install", "--quiet", "--python", str(python), *requirements],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
        if done.returncode:
            pytest.skip(f"{', '.join(requirements)} cannot be installed: {done.stderr[-300:]}")
    return python
