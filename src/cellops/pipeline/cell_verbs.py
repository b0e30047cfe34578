"""The verbs that stand on the first line of a cell, with their options: read by kernels, and before one starts."""

import ast
import keyword
import shlex
from typing import Any

import click

from cellops.capture.step_header import seconds, step
from cellops.errors import UsageError


def _tables(_context: click.Context, _parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
    """The two expressions of `X,y`, which may hold commas of their own: `X[["a", "b"]],y`."""
    if value is None:
        return ()
    try:
        named = ast.parse(f"({value},)", mode="eval").body
    except SyntaxError:
        named = None
    if not isinstance(named, ast.Tuple) or len(named.elts) != 2:  # noqa: PLR2004
        fact = f"{value!r} does not name two tables, inputs and target, such as X_train,y_train (no blank between them)"
        raise click.BadParameter(fact)
    return tuple(ast.unparse(table) for table in named.elts)


def _only_name(context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    other = context.params.get("called") or context.params.get("name")
    if value and other:
        fact = f"The run has two names, {other} and {value}"
        raise click.BadParameter(fact)
    return value


def _gates(_context: click.Context, _parameter: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    if not value:
        return ()
    from cellops.pipeline.gates.grammar import Gate

    return tuple(Gate(text).text for text in value)


@click.command()
@click.argument("called", required=False, callback=_only_name, metavar="[NAME]")
@click.option(
    "--name", callback=_only_name, help="What to call the run, as NAME. Default: the notebook's name and a number."
)
@click.option("--experiment", help="The MLflow experiment. Default: the project's name.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Seed python, numpy and torch before the cell.")
@click.option("--train", "training", callback=_tables, metavar="X,Y", help="Inputs and target of the fit.")
@click.option("--test", "evaluation", callback=_tables, metavar="X,Y", help="Inputs and target of the evaluation.")
@click.option("--no-model", "model", is_flag=True, flag_value=False, default=True, help="Do not keep fitted models.")
@click.option("--gate", "gates", multiple=True, callback=_gates, metavar="RULE", help='Such as "auc >= 0.72".')
@click.option("--group", "groups", multiple=True, metavar="COLUMN", help="Measure the model on each group of it, too.")
def run(**_options: Any) -> None:
    """Execute the cell as a tracked run: literals are parameters, computed numbers metrics, estimators models."""


@click.command()
def parameters() -> None:
    """The notebook's parameters: assignments whose values `cellops execute` can set."""


def _identifier(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not value.isidentifier() or keyword.iskeyword(value):
        fact = f"{value!r} is no name of Python, and the features are bound to it"
        raise click.BadParameter(fact)
    return value


@click.command()
@click.argument("name", default="features", callback=_identifier, metavar="[NAME]")
def features(name: str) -> None:
    """Bind the functions of the cell to NAME, as features that training and serving share.

    \b
    What their parameters are called says what they are given:
      def is_weekend(row): return row.weekday >= 5     one row at a time
      def speed(distance, air_time): ...               the values of these columns
      def squares(frame): ...                          the whole table
    NAME(frame) gives the table with its features; NAME.keeping("distance") is a step of a scikit-learn Pipeline.
    """  # noqa: D301 - click reads a backspace as: keep these lines as they are


@click.command()
@click.argument("table")
@click.option("--infer", is_flag=True, help="Propose expectations from TABLE in a new cell below, and check nothing.")
def expect(**_options: Any) -> None:
    """Check expectations on TABLE, one a line, in the vocabulary of Great Expectations."""


__all__ = ["VERBS", "asks_for_help", "explained", "read", "seconds", "split"]
VERBS: dict[str, click.Command] = {
    "run": run,
    "parameters": parameters,
    "step": step,
    "features": features,
    "expect": expect,
}


def split(arguments: str) -> list[str]:
    """The words of a line.

    Raises
    ------
    UsageError
        When a quotation mark is not closed.
    """
    try:
        return shlex.split(arguments, comments=True)
    except ValueError as error:
        fact = f"The line cannot be read: {str(error).lower()}"
        mark = "Take the backslash at its end away" if "escaped" in str(error) else "Close the quotation mark"
        raise UsageError(fact, received=arguments, remedy=mark) from error


def asks_for_help(arguments: str) -> bool:
    return not {"-h", "--help"}.isdisjoint(split(arguments))


def read(verb: str, arguments: str) -> dict[str, Any]:
    """The options of a header.

    Parameters
    ----------
    arguments
        What stands behind the verb.

    Raises
    ------
    UsageError
        When one of them does not exist or does not fit.
    click.ClickException
        The same, as click says it.
    """
    name = f"%%mlops {verb}"
    try:
        return VERBS[verb].make_context(name, split(arguments), help_option_names=["-h", "--help"]).params
    except click.UsageError as error:
        # What click's parser raises does not say of which command.
        error.ctx = error.ctx or click.Context(VERBS[verb], info_name=name)
        raise


def explained(error: click.ClickException) -> tuple[str, str]:
    """A click error as fact and remedy, each in one line."""
    context = getattr(error, "ctx", None)
    message = " ".join(line.strip() for line in error.format_message().split("\n"))
    message = message.replace("valid integer range", "valid integer")
    fact, _, hint = message.replace("valid float range", "valid number").partition(". ")
    where = f"See: {context.command_path} --help" if context is not None else "See: cellops --help"
    end = "" if not hint or hint.endswith((".", "?")) else "."
    return fact.rstrip("."), f"{hint}{end} {where}".strip()
