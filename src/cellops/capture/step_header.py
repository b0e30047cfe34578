"""The header of a step, `%%mlops step NAME`: its options, read where cells are captured and where pipelines are."""

import re
import shlex
import threading

import click

from cellops.errors import UsageError
from cellops.records.step import StepDeclared

NAME = re.compile(r"[A-Za-z0-9_-]+")
USAGE = "Write: %%mlops step NAME [--in a,b] [--out c] [--retries N] [--timeout SECONDS] [--keep]"


def _name(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if NAME.fullmatch(value) is None:
        fact = f"{value!r} is no name of a step: letters, digits, - and _ make one"
        raise click.BadParameter(fact)
    return value


def _names(_context: click.Context, _parameter: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    """Names with commas between them; an empty text says that there is none."""
    if value is None:
        return None
    names = [name.strip() for name in value.split(",") if name.strip()]
    wrong = next((name for name in names if not name.isidentifier()), None)
    if wrong is not None:
        fact = f"{wrong!r} is no name of Python; write names with commas and no blanks between them: a,b"
        raise click.BadParameter(fact)
    return tuple(dict.fromkeys(names))


def seconds(_context: click.Context, _parameter: click.Parameter, value: float | None) -> float | None:
    """A time to wait; the system can wait for no longer one than `threading.TIMEOUT_MAX`, some hundred years."""
    if value is not None and not value <= threading.TIMEOUT_MAX:
        fact = f"{value} is no number of seconds to wait. Leave it out for no limit"
        raise click.BadParameter(fact)
    return value


@click.command()
@click.argument("name", callback=_name)
@click.option("--in", "inputs", callback=_names, metavar="NAMES", help="What it takes from steps above: a,b.")
@click.option("--out", "outputs", callback=_names, metavar="NAMES", help="What it gives to steps below: c.")
@click.option(
    "--retries",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    metavar="N",
    help="How often it is executed again when it fails.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    callback=seconds,
    metavar="SECONDS",
    help="Longest time for the step, from its first cell on.",
)
@click.option("--keep", is_flag=True, help="Keep it, though programs that it starts may read what nobody knows of.")
def step(**options: object) -> StepDeclared:
    """Begin the step NAME of the pipeline: cells below belong to it until the next step.

    \b
    What flows between steps is read from the names that they use; --in and --out declare it instead.
      %%mlops step train --in X,y --out model --retries 2
    A run stands below it: %%mlops run on the next line. Cells above the first step are shared.
    """  # noqa: D301 - click reads a backspace as: keep these lines as they are
    return StepDeclared(**options)  # type: ignore[arg-type]  # click has checked the types


def read(arguments: str) -> StepDeclared:
    """What the header of a step declares.

    Parameters
    ----------
    arguments
        What stands behind `%%mlops step`.

    Raises
    ------
    UsageError
        When the name is missing, or an option does not exist or does not fit.

    Examples
    --------
    >>> read("train --in X,y --retries 2").inputs
    ('X', 'y')
    """
    try:
        words = shlex.split(arguments, comments=True)
        return StepDeclared(**step.make_context("%%mlops step", words, help_option_names=[]).params)
    except ValueError as error:
        fact = f"The header of a step cannot be read: {str(error).lower()}"
        raise UsageError(fact, received=arguments, remedy=USAGE) from error
    except click.ClickException as error:
        fact = f"The header of a step cannot be read: {error.format_message()}".replace("\n", " ")
        raise UsageError(fact, received=arguments, remedy=USAGE) from error
