"""A notebook as a pipeline: executed, and its steps drawn."""

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cellops.cli.codes import FAILED
from cellops.commands import PARAMETER, WithParameters
from cellops.flows.headers import seconds

if TYPE_CHECKING:
    from cellops.flows.steps import StepOptions


@click.command(cls=WithParameters)
@click.argument("notebook", type=click.Path(path_type=Path))
@click.option(
    *PARAMETER, "parameters", nargs=2, multiple=True, metavar="NAME VALUE", help="Set a parameter; also: -p NAME=VALUE."
)
@click.option(
    "--params",
    "parameters_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Set parameters from a YAML, JSON or TOML file.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Where the executed notebook goes.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    callback=seconds,
    metavar="SECONDS",
    help="Longest time for one cell. Default: no limit.",
)
@click.option(
    "--total-timeout",
    type=click.FloatRange(min=0, min_open=True),
    callback=seconds,
    metavar="SECONDS",
    help="Longest time for the whole notebook. Default: no limit.",
)
@click.option(
    "--seed", type=click.IntRange(0, 2**32 - 1), metavar="N", help="Seed python, numpy and torch before the first cell."
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    metavar="N",
    help="Execute up to N steps at once. Default: 1, or --dask's threads.",
)
@click.option("--cache", is_flag=True, help="Do not execute steps again that nothing has changed for.")
@click.option("--resume", is_flag=True, help="Go on where the last execution of the notebook has stopped.")
@click.option("--step", metavar="NAME", help="Execute this step and those that it waits for.")
@click.option("--retries", type=click.IntRange(0), metavar="N", help="Execute a step that fails up to N times more.")
@click.option(
    "--store",
    metavar="URL",
    help="As --cache, with a folder that machines share; with --dask, how values travel. See CELLOPS_STEP_STORE.",
)
@click.option("--dask", metavar="ADDRESS", help="Execute steps on the workers of this scheduler of Dask. See --store.")
@click.option("--explain", is_flag=True, help="Execute nothing: say which steps --cache would execute, and why.")
@click.option("--gate", "gates", multiple=True, metavar="RULE", help="What every run must satisfy; more than once.")
@click.option("--junit", type=click.Path(path_type=Path), help="Write a report as JUnit XML, for CI.")
@click.option(
    "--summary",
    type=click.Path(path_type=Path),
    help="Write a summary in Markdown. Default: to GITHUB_STEP_SUMMARY, where that is set.",
)
def execute(
    notebook: Path,
    parameters: tuple[tuple[str, str], ...],
    output: Path | None,
    timeout: float | None,
    explain: bool,
    **options: Any,
) -> None:
    """Execute NOTEBOOK as a pipeline, in a kernel of its own.

    \b
    Parameters stand in the notebook's cell that begins with %%mlops parameters (or has the tag "parameters").
      cellops execute train.ipynb -p seed 7 -p months "[1, 2, 3]"
      cellops execute train.ipynb --params production.yaml
      cellops execute train.ipynb --help                     list the parameters of train.ipynb
    They are checked against their types before a kernel starts. -p comes first, then the file, then variables
    such as CELLOPS_PARAM_SEED, then the notebook's defaults.

    \b
    Steps are cells below %%mlops step NAME. With one of these options each has a kernel of its own:
      cellops execute train.ipynb --cache --jobs 4          what has not changed is not executed again
      cellops execute train.ipynb --cache --explain         which steps would be executed, and why
      cellops execute train.ipynb --store s3://bucket/steps  the same for several machines
      cellops execute train.ipynb --resume                  after a failure: go on with the step that failed
      cellops execute train.ipynb --dask tcp://host:8786 --store s3://bucket/steps  on the workers of a cluster
      cellops graph train.ipynb                             the steps and what flows between them

    \b
    Gates are rules over the runs' metrics; the champion is the model version of that alias in MLflow.
      cellops execute train.ipynb --gate "auc >= 0.72" --gate "auc >= champion - 0.005"
      cellops execute train.ipynb --gate "min_group(recall, carrier) >= 0.5" --junit report.xml

    Exit code 1 when it fails, 2 when it is refused for what was asked or how the notebook is written, before a kernel
    starts, 3 when a gate is not passed.
    """
    started = time.perf_counter()
    from cellops import screens
    from cellops.flows.execute import execute as work
    from cellops.flows.gates import refuse

    steps = _steps(options)
    if explain:
        from cellops.flows.steps import explain as explanation

        _refuse_unused({"output": output, "timeout": timeout, **options})
        asked = {name: options[name] for name in ("parameters_file", "gates", "seed", "dask")}
        told = explanation(notebook, dict(parameters), **asked, steps=steps)
        screens.explained(told.steps, told.gates, told.notes)
        return
    with screens.watching() as watch:
        done = work(
            notebook,
            dict(parameters),
            output=output,
            cell_timeout=timeout,
            on_progress=watch.cell,
            on_stage=watch.stage,
            on_parameters=screens.parameters,
            steps=steps,
            on_step=watch.step,
            on_report=screens.annotated if os.environ.get("GITHUB_ACTIONS") == "true" else None,
            **options,
        )
    screens.executed(done, time.perf_counter() - started)
    refuse(done.gates)


def _steps(options: dict[str, Any]) -> "StepOptions | None":
    """Take the options of steps out of the others; without any, one kernel executes all cells."""
    names = ("jobs", "cache", "resume", "step", "retries", "store")
    given = {name: value for name in names if (value := options.pop(name)) or value == ""}
    on_a_cluster = options["dask"] is not None
    if not given and not on_a_cluster:
        return None
    from cellops.flows.steps import StepOptions

    for name, value in given.items():
        if value == "":
            fact = f"--{name} is empty. Give it a value, or leave it out."
            raise click.UsageError(fact)
    if "cache" in given and "resume" in given:
        fact = "--cache takes whatever was kept of a step, --resume only what the last execution has finished."
        raise click.UsageError(fact + " Give one of them.")
    given.setdefault("cache", "store" in given and "resume" not in given and not on_a_cluster)
    return StepOptions(only=given.pop("step", None), **given)


def _refuse_unused(options: Mapping[str, Any]) -> None:
    """Refuse, beside --explain, what only an execution can do."""
    names = ("output", "timeout", "total_timeout", "junit", "summary")
    given = ", ".join(f"--{name.replace('_', '-')}" for name in names if options[name] is not None)
    if given:
        fact = f"--explain executes nothing and writes no file. Leave out {given}, or --explain."
        raise click.UsageError(fact)


@click.command()
@click.argument("notebook", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A file: .svg, .json or .mmd (Mermaid).")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "svg", "json", "mermaid"]),
    help="How to show it. Default: text, or what the end of the file's name says.",
)
def graph(notebook: Path, output: Path | None, form: str | None) -> None:
    """Draw the steps of NOTEBOOK, with the names that flow between them, and say what is wrong with them.

    \b
    Steps are the cells under %%mlops step NAME. Nothing is executed.
      cellops graph train.ipynb
      cellops graph train.ipynb -o graph.svg

    Exit code 1 when the steps cannot be executed each in a kernel of its own: a name that no cell above binds, steps
    that wait for each other, an input or output that is not declared.
    """
    from cellops import screens
    from cellops.flows.graph import graph as work

    found = work(notebook)
    screens.graph(found, output, form)
    if found.errors:
        sys.exit(FAILED)
