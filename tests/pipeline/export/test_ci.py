"""Workflows of GitHub and GitLab: valid by their published schemas, and executed line by line as a runner does."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from junitparser import JUnitXml

import cellops
from cellops.settings import load
from cellops.tracking.registry import Registry
from support.exported import EXPRESSION, as_command, git, gitlab
from support.notebooks import LOAD, PARAMETERS, TRAIN, write

SCHEMAS = {"github": "vendor.github-workflows", "gitlab": "vendor.gitlab-ci"}
STEPS = [
    LOAD,
    "%%mlops parameters\nscore: float = 0.75  # of 'the' ${{ model }}\ntext: str = 'a'",
    "%%mlops step load\nx = [score]",
    "%%mlops step fit\n%%mlops run\nauc = x[0] / 1",
]


GH = """\
import json, os, re, sys
from pathlib import Path
words, kept = sys.argv[1:], Path(os.environ["COMMENTS"])
comments = json.loads(kept.read_text())
if "--jq" in words:
    mark = re.search(r'startswith\\("(.*?)"\\)', words[-1])[1]
    print(*(place for place, text in enumerate(comments) if text.startswith(mark)), sep="\\n")
elif "PATCH" in words:
    comments[int(words[words.index("PATCH") + 1].rpartition("/")[2])] = Path(words[-1].rpartition("@")[2]).read_text()
else:
    comments.append(Path(words[words.index("--body-file") + 1]).read_text())
kept.write_text(json.dumps(comments))
"""
"""What a GitHub server does with the comments of a pull request, as far as the workflow asks it to."""


@pytest.fixture
def repository(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    git(project, "init", "-q", "-b", "main")
    monkeypatch.delenv("CELLOPS_PROJECT")  # as it is in CI
    monkeypatch.setenv("PATH", f"{as_command(tmp_path / 'bin')}:{os.environ['PATH']}")
    return project


def run(script: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """A script as GitHub's and GitLab's runners execute it."""
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.parametrize("target", SCHEMAS)
def test_files_are_valid_by_the_published_schema(repository: Path, target: str) -> None:
    bare: dict[str, Any] = {}
    full: dict[str, Any] = {"schedule": "0 6 * * MON", "drift": Path("new.csv"), "promote": "flights", "jobs": 2}
    full |= {"store": "s3://bucket/steps", "gates": ["auc > 0.5"], "seed": 1, "python": "3.13"}
    files = []
    for name, options in (("a.ipynb", bare), ("b.ipynb", full), ("it's ${{ so }} [1] #.ipynb", full)):
        write(repository / name, *STEPS)
        made = cellops.export(target, name, {"text": "${{ github.token }}"}, **options)
        files.append(made.files[0])
        held = yaml.safe_load(Path(made.files[0]).read_text(encoding="utf-8"))
        if target == "github":
            assert ("schedule" in held["on"]) is (options is full)
    checked = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", SCHEMAS[target], *files]
    done = subprocess.run(checked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_a_job_of_github_executes_the_notebook_and_ends_with_its_gate(repository: Path) -> None:
    write(repository / "steps.ipynb", *STEPS)
    made = cellops.export("github", "steps.ipynb", {"text": "${{ github.token }}"}, gates=["auc >= 0.7"])
    workflow = yaml.safe_load(Path(made.files[0]).read_text(encoding="utf-8"))
    job = workflow["jobs"]["execute"]
    steps = {step["name"]: step for step in job["steps"] if "name" in step}
    script = EXPRESSION.sub(lambda found: found[1], steps["Execute"]["run"])
    assert [made.commands[0]] == [script]
    asked = workflow["on"]["workflow_dispatch"]["inputs"]
    assert (list(asked), steps["Execute"]["env"]["CELLOPS_PARAM_SCORE"]) == (["score"], "${{ inputs.score }}")
    assert workflow["permissions"] == {}
    assert job["permissions"] == {"contents": "read"}
    assert all(steps[name]["if"] == "always()" for name in ("Show the summary", "Keep the results", "Keep the steps"))
    assert not [step for step in job["steps"] if "uses" in step and "env" in step]

    bad = run(script, CELLOPS_PARAM_SCORE="0.5", MLFLOW_TRACKING_URI="")
    assert bad.returncode == 3, bad.stderr
    kept = repository / next(step["with"]["path"] for step in job["steps"] if "upload" in step.get("uses", ""))
    assert {path.name for path in kept.iterdir()} >= {"executed.ipynb", "junit.xml", "summary.md"}
    assert JUnitXml.fromfile(str(kept / "junit.xml")).failures == 1
    assert "${{ github.token }}" in (kept / "executed.ipynb").read_text(encoding="utf-8")
    summary = repository / "of the job"
    assert run(steps["Show the summary"]["run"], GITHUB_STEP_SUMMARY=str(summary)).returncode == 0
    assert "1 of 1 gate was not passed" in summary.read_text(encoding="utf-8")


def test_the_comment_of_a_notebook_replaces_its_own_one_only(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "gh.py").write_text(GH)
    (tmp_path / "bin" / "gh").write_text(f'#!/bin/sh\nexec "{sys.executable}" "{tmp_path / "gh.py"}" "$@"\n')
    (tmp_path / "bin" / "gh").chmod(0o755)
    kept = tmp_path / "comments.json"
    kept.write_text(json.dumps(["of another workflow"]))

    def comment(notebook: str, summary: str | None) -> None:
        write(repository / notebook, *STEPS)
        made = cellops.export("github", notebook)
        job = yaml.safe_load(Path(made.files[0]).read_text(encoding="utf-8"))["jobs"]["comment"]
        assert job["if"].startswith("!cancelled() && github.event_name == 'pull_request' && ")
        (repository / "results").mkdir(exist_ok=True)
        (repository / "results/summary.md").unlink(missing_ok=True)
        if summary is not None:
            (repository / "results/summary.md").write_text(summary)
        done = run(job["steps"][-1]["run"], COMMENTS=str(kept), NUMBER="7", GH_REPO="a/b")
        assert done.returncode == 0, done.stderr

    for notebook, summary in (("a.ipynb", "first"), ("b.ipynb", "second"), ("a.ipynb", "third"), ("b.ipynb", None)):
        comment(notebook, summary)
    assert json.loads(kept.read_text()) == [
        "of another workflow",
        "<!-- cellops-a -->\nthird",
        "<!-- cellops-b -->\nsecond",
    ]


def test_a_job_of_gitlab_executes_checks_drift_and_promotes_on_the_default_branch(repository: Path) -> None:
    write(repository / "train.ipynb", LOAD, PARAMETERS, TRAIN)
    pd.DataFrame({"size": [0.1, -0.2] * 100, "kind": ["a", "b"] * 100}).to_csv("new.csv", index=False)
    made = cellops.export("gitlab", "train.ipynb", gates=["auc >= 0.5"], drift=Path("new.csv"), promote="flights")
    text = Path(made.files[0]).read_text()
    job = yaml.safe_load(text)["cellops-train"]
    assert [rule.get("interruptible", False) for rule in job["rules"]] == [True, False, False, False]
    assert (job.get("interruptible", False), job["resource_group"]) == (False, "cellops-train-$CI_COMMIT_REF_SLUG")
    scripts = [line for line in gitlab(text) if not line.startswith("python -m pip")]
    *work, promotion = scripts
    server = load().tracking_uri
    done = run("\n".join(work))
    assert done.returncode == 0, done.stderr
    assert (repository / "cellops-results/train/drift/drift.json").is_file()
    for branch in ({}, {"CI_COMMIT_BRANCH": "other"}):
        assert run(promotion, CI_DEFAULT_BRANCH="main", **branch).returncode == 0
        assert Registry(load()).champion("flights") is None
    on_main = {"CI_DEFAULT_BRANCH": "main", "CI_COMMIT_BRANCH": "main"}
    without = run(promotion, **on_main)
    assert (without.returncode, "MLFLOW_TRACKING_URI: Set it" in without.stderr) == (1, True)
    done = run(promotion, MLFLOW_TRACKING_URI=server, **on_main)
    assert done.returncode == 0, done.stderr
    champion = Registry(load()).champion("flights")
    assert champion is not None
    assert champion.metrics["auc"] >= 0.5
    assert "flights 1 is now the champion" in done.stdout
