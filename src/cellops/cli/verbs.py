"""The verbs of the terminal, in the order of the work, and what starts them."""

import gc
import io
import os
import sys
from collections.abc import Iterable
from typing import NoReturn

import click

from cellops import settings
from cellops.cli.audit import audit
from cellops.cli.codes import FAILED, GATED, MISUSED, STOPPED
from cellops.cli.drift import drift
from cellops.cli.execute import execute, graph
from cellops.cli.expect import expect
from cellops.cli.export import export
from cellops.cli.keeping import clean, sync
from cellops.cli.package import package
from cellops.cli.profile import profile
from cellops.cli.registry import archive, models, promote, register, retire
from cellops.cli.review import review
from cellops.cli.rollout import rollout
from cellops.cli.runs import compare, restore, runs, show, verify
from cellops.cli.score import score
from cellops.cli.serve import serve
from cellops.cli.sign import key, sign
from cellops.cli.sweep import sweep
from cellops.cli.token import token
from cellops.commands import Verbs
from cellops.errors import (
    AlarmError,
    CellopsError,
    DeploymentError,
    ExpectationError,
    GateError,
    NoNotebookError,
    ParameterError,
    SettingsError,
    UnfitError,
    UsageError,
    printable,
)
from cellops.flows.headers import explained
from cellops.records.deployment import DeploymentStep
from cellops.version import __version__

VERBS = (
    profile, expect, execute, sweep, graph, export, runs, show, verify, compare, restore, package, audit, sign, key,
    register, promote, retire, archive, models, serve, rollout, score, token, drift, review, sync, clean,
)  # fmt: skip


@click.group(
    cls=Verbs,
    commands=VERBS,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__)
@click.pass_context
def terminal(context: click.Context) -> None:
    """From a notebook cell to a proven, served and watched model.

    \b
    The usual way:
      cellops profile flights.parquet         see what a table holds
      cellops execute train.ipynb -p seed 7   run the notebook as a pipeline
      cellops sweep train.ipynb -p depth 3..10 --metric auc   find the best parameters
      cellops graph train.ipynb               see its steps and what flows between them
      cellops export github train.ipynb       hand it to CI or an orchestrator
      cellops runs                            see the runs, newest first
      cellops verify last                     execute a run again: does it come out the same?
      cellops package last -o model           export the newest run's model with its contract
      cellops audit model                     see what loading it would run
      cellops package test model              try it in a fresh environment before it is promoted
      cellops promote model                   make it the champion; cellops models shows who decided what
      cellops serve model                     answer requests with it
      cellops rollout model                   a challenger beside it: how it stands
      cellops score model in.parquet out.parquet   answer many rows at once
      cellops drift model data.parquet        hold new data against what it was trained on
      cellops review model                    label what it was unsure of, for the next training

    Every verb explains itself: cellops VERB --help
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code; whatever goes wrong is one line a fact."""
    # jsonschema, which reads notebooks, would build grammars of addresses with it: a second at each start.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        terminal.main(args=arguments, prog_name="cellops", standalone_mode=False)
        sys.stdout.flush()
    except CellopsError as error:
        _refuse(error)
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
    finally:
        _end_quickly()


def _end_quickly() -> None:
    """Spare the interpreter a last look for garbage in all of MLflow: more than a second.

    DuckDB would take what is frozen for leaked, and tell of it on sixty lines.
    """
    if "duckdb" not in sys.modules:
        gc.freeze()


def _refuse(error: CellopsError) -> NoReturn:
    if (stopped := _interrupted(error)) is not None:
        _leave(_stopped(stopped), STOPPED)
    *lines, last = error.lines()
    _leave(". ".join([last, *getattr(error, "__notes__", ())]), _code(error), above=lines)


def _code(error: CellopsError) -> int:
    if isinstance(error, (GateError, AlarmError)) or (isinstance(error, ExpectationError) and "results" in error.data):
        return GATED
    if isinstance(error, DeploymentError) and error.data.get("step") != DeploymentStep.ENVIRONMENT:
        return GATED
    misused = (UsageError, ParameterError, SettingsError, UnfitError, NoNotebookError)
    return MISUSED if isinstance(error, misused) else FAILED


def _interrupted(error: BaseException) -> BaseException | None:
    """What stopped a compiled library while it was being imported: to its importer that is an error like others."""
    while not isinstance(error, KeyboardInterrupt):
        before = error.__cause__ or error.__context__
        if before is None:
            return None
        error = before
    return error


def _stopped(error: BaseException | None) -> str:
    """What was stopped, as far as those who were stopped have noted it."""
    return ". ".join(["Stopped", *getattr(error, "__notes__", ())])


def _unexpected(error: Exception, said: str) -> NoReturn:
    if settings.wants_tracebacks():
        raise error
    _leave(f"{said}. To see where it happened, set CELLOPS_DEBUG=true", FAILED)


def _leave(message: str, code: object, above: Iterable[str] = ()) -> NoReturn:
    lines = "\n".join([*above, " ".join(printable(message).split())])
    click.echo(f"cellops: {lines}", err=True)
    sys.exit(code)  # type: ignore[arg-type]  # what SystemExit carries
