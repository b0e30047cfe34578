"""The terminal face: `cellops VERB`. It parses, calls the one function in `flows` that does the work, and shows."""

import io
import math
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from cellops import settings
from cellops.commands import PARAMETER, Verbs, WithParameters, explained
from cellops.errors import CellopsError, GateError, ParameterError, SettingsError, UsageError, printable
from cellops.screens.console import count
from cellops.version import __version__

if TYPE_CHECKING:
    from cellops.flows.steps import StepOptions

FAILED, MISUSED, DIVERGED, STOPPED = 1, 2, 3, 130
GATED = DIVERGED
"""Exit codes beside 0."""


@click.group(
    cls=Verbs,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__)
@click.pass_context
def terminal(context: click.Context) -> None:
    """From a notebook cell to a proven, served and watched model.

    \b
    The usual way:
      cellops execute train.ipynb -p seed 7   run the notebook as a pipeline
      cellops graph train.ipynb               see its steps and what flows between them
      cellops runs                            see the runs, newest first
      cellops verify last                     execute a run again: does it come out the same?
      cellops package last -o model           export the newest run's model with its contract
      cellops serve model                     answer requests with it
      cellops drift model data.parquet        hold new data against what it was trained on

    Every verb explains itself: cellops VERB --help
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def _number(_context: click.Context, _parameter: click.Parameter, value: float | None) -> float | None:
    if value is not None and math.isnan(value):
        fact = "nan is not a number of seconds."
        raise click.BadParameter(fact)
    return value


@terminal.command(cls=WithParameters)
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
    callback=_number,
    metavar="SECONDS",
    help="Longest time for one cell. Default: no limit.",
)
@click.option(
    "--total-timeout",
    type=click.FloatRange(min=0, min_open=True),
    callback=_number,
    metavar="SECONDS",
    help="Longest time for the whole notebook. Default: no limit.",
)
@click.option(
    "--seed", type=click.IntRange(0, 2**32 - 1), metavar="N", help="Seed python, numpy and torch before the first cell."
)
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="Execute up to N steps at once.")
@click.option("--cache", is_flag=True, help="Do not execute steps again that nothing has changed for.")
@click.option("--resume", is_flag=True, help="Go on where the last execution of the notebook has stopped.")
@click.option("--step", metavar="NAME", help="Execute this step and those that it waits for.")
@click.option("--retries", type=click.IntRange(0), metavar="N", help="Execute a step that fails up to N times more.")
@click.option("--store", metavar="URL", help="As --cache, with a folder that machines share. See CELLOPS_STEP_STORE.")
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
      cellops graph train.ipynb                             the steps and what flows between them

    \b
    Gates are rules over the runs' metrics; the champion is the model version of that alias in MLflow.
      cellops execute train.ipynb --gate "auc >= 0.72" --gate "auc >= champion - 0.005"
      cellops execute train.ipynb --gate "min_group(recall, carrier) >= 0.5" --junit report.xml

    Exit code 1 when a cell fails, 2 for a parameter or a gate that cannot be read, 3 when a gate is not passed.
    """
    from cellops import screens
    from cellops.flows.execute import execute as work
    from cellops.flows.gates import refuse

    steps = _steps(options)
    if explain:
        from cellops.flows.steps import explain as explanation

        asked = {name: options[name] for name in ("parameters_file", "gates", "seed")}
        told = explanation(notebook, dict(parameters), **asked, steps=steps)
        screens.explained(told.steps, told.gates)
        return
    with screens.watching() as (progress, stage):
        done = work(
            notebook,
            dict(parameters),
            output=output,
            cell_timeout=timeout,
            on_progress=progress,
            on_stage=stage,
            on_parameters=screens.parameters,
            steps=steps,
            on_step=screens.step,
            on_report=screens.annotated if os.environ.get("GITHUB_ACTIONS") == "true" else None,
            **options,
        )
    screens.executed(done)
    refuse(done.gates)


def _steps(options: dict[str, Any]) -> "StepOptions | None":
    """Take the options of steps out of the others; without any, one kernel executes all cells."""
    names = ("jobs", "cache", "resume", "step", "retries", "store")
    given = {name: value for name in names if (value := options.pop(name))}
    if not given:
        return None
    from cellops.flows.steps import StepOptions

    if "cache" in given and "resume" in given:
        fact = "--cache takes whatever was kept of a step, --resume only what the last execution has finished."
        raise click.UsageError(fact + " Give one of them.")
    given.setdefault("cache", "store" in given and "resume" not in given)
    return StepOptions(only=given.pop("step", None), **given)


@terminal.command()
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


@terminal.command()
@click.option("-n", "--limit", type=click.IntRange(1), default=20, show_default=True, help="How many.")
def runs(limit: int) -> None:
    """List the runs, newest first, with their metrics and findings."""
    from cellops import screens
    from cellops.flows.runs import runs as work

    screens.runs(work(limit=limit))


@terminal.command()
@click.argument("run", default="last")
@click.option("--all", "everything", is_flag=True, help="Also the parameters that the estimator has by itself.")
def show(run: str, everything: bool) -> None:
    """Show one RUN: its parameters, metrics and findings, what it stands on, and where it lies.

    RUN is the start of its key, its name, its MLflow id, or "last".
    """
    from cellops import screens
    from cellops.flows.recorded import whole
    from cellops.flows.runs import show as work

    found = work(run)
    screens.run(found, settings.load(), whole(found, settings.load()), everything=everything)


@terminal.command()
@click.argument("run", default="last")
@click.option(
    "--env",
    "environment",
    type=click.Choice(["same", "fresh"]),
    default="same",
    show_default=True,
    help="Execute in this environment, or in one that is built from the run's lock.",
)
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0, max=1, max_open=True),
    default=1e-9,
    show_default=True,
    callback=_number,
    help="The largest difference of numbers that counts as none, as a share of the largest of them.",
)
@click.option("--commands", "commands_allowed", is_flag=True, help="Start programs again, and send data again.")
def verify(run: str, **options: Any) -> None:
    """Execute RUN again and say whether it comes out the same: identical, within tolerance or diverged.

    The cells that the run depended on are executed in a fresh kernel, with its parameters, seeds and states of random
    generators. Everything that they leave is compared with what they left: names, files, metrics, models, figures.
    Files that they write are put back as they were.

    \b
    Exit code 0 when it is the same (identical, or within tolerance), 3 when it has diverged,
    1 when it cannot be executed again: the run is unknown or open, data are gone, the lock cannot be rebuilt.
    """
    from cellops import screens
    from cellops.flows.verify import verify as work
    from cellops.records.proof import Verdict

    with screens.watching() as (progress, stage):
        made = work(run, **options, on_progress=progress, on_stage=stage)
    screens.proof(made)
    if made.verdict is Verdict.DIVERGED:
        sys.exit(DIVERGED)


@terminal.command()
@click.argument("before", metavar="RUN")
@click.argument("after", metavar="RUN")
@click.option("--full", is_flag=True, help="Show every diff and every value whole.")
def compare(before: str, after: str, *, full: bool) -> None:
    """Say what differs between two runs, the likeliest cause first.

    \b
    Code, cell by cell, and the project's modules; parameters and seeds; data, by content and by column;
    environment; metrics. Nothing is executed.
      cellops compare 3f2a91c0 last

    Each RUN is the start of a key, a name, an MLflow id, or "last". The first one stands left, and as "-".

    Exit code 0 whether or not something differs, 1 for a run that is not there, is still open, or has no whole record.
    """
    from cellops import screens
    from cellops.flows.compare import compare as work

    screens.comparison(work(before, after), full=full)


@terminal.command()
@click.argument("run", default="last")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A new folder. Default: restored-KEY.")
@click.option("--all", "whole_trail", is_flag=True, help="Every cell of its session, not only those it depended on.")
def restore(run: str, output: Path | None, *, whole_trail: bool) -> None:
    """Write RUN as a notebook that anybody can execute without cellops.

    The folder holds the cells in the order in which they were executed, seeds and states of random generators as plain
    code, the lock of the environment, the sources of the project's modules, the uncommitted patch, the values to
    expect, and a README.md that says how to build the environment and execute it. Data are not copied: their digests
    are there, and the notebook checks them. Secrets stay [redacted].

    \b
      cellops restore 3f2a91c0 -o audit

    Exit code 1 for a run that is not there or has no whole record, 2 for a folder that holds something already.
    """
    from cellops import screens
    from cellops.flows.restore import restore as work

    screens.restored(work(run, output=output, whole_trail=whole_trail))


@terminal.command()
@click.argument("run", default="last")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="The new folder. Default: .cellops/packages/NAME."
)
def package(run: str, output: Path | None) -> None:
    """Export the model of RUN as a package: an MLflow model with its contract, environment and digests."""
    from cellops import screens
    from cellops.flows.package import package as work

    screens.package(work(run, output=output))


@terminal.command()
@click.argument("package", type=click.Path(path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Port to listen on; 0 takes a free one.",
)
@click.option(
    "--token", help="What clients must send. Default: CELLOPS_SERVER_TOKEN, else a new one is made and shown."
)
@click.option(
    "--log", type=click.Path(path_type=Path), help="Folder of the prediction log. Default: .cellops/log/NAME."
)
def serve(package: Path, host: str, port: int, token: str | None, log: Path | None) -> None:
    """Serve PACKAGE over HTTP: KServe V1, Open Inference V2 and MLflow's protocol, until Ctrl-C.

    Digests are checked before anything is read, and the package's parity rows are replayed before it is ready.
    """
    from cellops import screens
    from cellops.flows.serve import serve as work

    screens.served(work(package, host=host, port=port, token=token, log=log, on_ready=screens.serving))


@terminal.command()
@click.argument("package", type=click.Path(path_type=Path))
@click.argument("data", type=click.Path(path_type=Path), required=False)
@click.option("--log", type=click.Path(path_type=Path), help="A prediction log to read instead of DATA.")
@click.option("--time", metavar="COLUMN", help="The column by which rows are put into windows.")
@click.option(
    "--label", metavar="COLUMN", help="The column with the truth. Default: the model's target, where it is there."
)
@click.option("--window", type=click.Choice(["day", "week", "month"]), default="month", show_default=True)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Folder of the report. Default: .cellops/drift/NAME/DATA or NAME/log",
)
def drift(package: Path, data: Path | None, **options: Any) -> None:
    """Hold DATA (CSV or Parquet), or a prediction log, against the profile that PACKAGE carries.

    No reference data is needed. Writes a report as a page and as JSON, and prints performance beside drift.

    A window of fewer than 100 rows is not judged. A column has drifted when its PSI is 0.1 or more and the change is no
    chance. Exit code 1 when something could not be compared; the report is written all the same.
    """
    from cellops import screens
    from cellops.flows.drift import drift as work
    from cellops.flows.drift import refuse

    done = work(package, data, **options)
    screens.drift(done)
    refuse(done)


@terminal.command()
@click.option("--follow", type=click.Path(path_type=Path), hidden=True)
@click.option("--here", is_flag=True, help="Carry all to the store that is set now, wherever it was meant to go.")
def sync(follow: Path | None, here: bool) -> None:
    """Carry records that still stand in local journals to the tracking store.

    Needed only where the tracking server could not be reached; otherwise a background writer does it. Every record
    goes to the store that was set when it was written. Exit code 1 when something could not be carried.
    """
    from cellops.flows import sync as work

    if follow is not None:
        from cellops.flows.writer import step_back

        step_back()
        work.follow(follow, settings.load())
        return
    from cellops import screens

    result = work.sync(here=here)
    screens.synced(result)
    work.refuse(result)


@terminal.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def clean(yes: bool) -> None:
    """Delete what cellops can make again: journals that were carried over whole, the writer's log, executed notebooks,
    proofs that runs have, and drift reports.

    Journals whose last cells are in no run's trail stay.
    """
    from cellops import screens
    from cellops.flows.clean import clean as work
    from cellops.flows.clean import kept, removable

    found = removable()
    screens.kept(kept())
    question = f"Delete {count(len(found), 'file')} below {settings.load().folder}?"
    if found and not yes and not click.confirm(question):
        return
    screens.cleaned(work(found))


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code; whatever goes wrong is one line."""
    # jsonschema, which reads notebooks, would build grammars of addresses with it: a second at each start.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        terminal.main(args=arguments, prog_name="cellops", standalone_mode=False)
        sys.stdout.flush()
    except CellopsError as error:
        _leave(". ".join([error.text(), *getattr(error, "__notes__", ())]), _code(error))
    except click.Abort as error:
        _leave(_stopped(error.__cause__), STOPPED)
    except KeyboardInterrupt as error:
        _leave(_stopped(error), STOPPED)
    except SystemExit as error:
        if getattr(error, "__notes__", None):
            _leave(_stopped(error), error.code)
        raise
    except click.ClickException as error:
        _leave(". ".join(explained(error)), MISUSED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)
    except OSError as error:
        _unexpected(error, f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}")
    except Exception as error:  # noqa: BLE001 - whoever types a command never meets a traceback unasked
        _unexpected(error, f"{type(error).__name__}: {error}")


def _code(error: CellopsError) -> int:
    if isinstance(error, GateError):
        return GATED
    return MISUSED if isinstance(error, UsageError | ParameterError | SettingsError) else FAILED


def _stopped(error: BaseException | None) -> str:
    """What was stopped, as far as those who were stopped have noted it."""
    return ". ".join(["Stopped", *getattr(error, "__notes__", ())])


def _unexpected(error: Exception, said: str) -> NoReturn:
    if settings.wants_tracebacks():
        raise error
    _leave(f"{said}. To see where it happened, set CELLOPS_DEBUG=true", FAILED)


def _leave(message: str, code: object) -> NoReturn:
    click.echo(f"cellops: {' '.join(printable(message).split())}", err=True)
    sys.exit(code)  # type: ignore[arg-type]  # what SystemExit carries
