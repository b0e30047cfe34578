"""How the faces read a command: verbs with their nearest name, parameters, and click's errors as fact and remedy."""

import contextlib
from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches
from itertools import takewhile
from typing import Any

import click

from cellops import settings
from cellops.errors import CellopsError, NoNotebookError, SettingsError, UsageError, printable
from cellops.flows.recovery import recover
from cellops.records.parameter import ParameterDescription

FOLLOWING = "--follow"
"""The option of the background writer, which nobody hears."""
PARAMETER = ("-p", "--parameter")
WORDS = "cellops.words"
"""Under what a command keeps the words that it was given, for its help."""


class Verbs(click.Group):
    """A group that names the nearest verb for one that does not exist, and lists its verbs in the order of the work."""

    def invoke(self, context: click.Context) -> Any:
        if FOLLOWING not in context.args:
            with contextlib.suppress(SettingsError):  # the verb itself tells of it
                recover(settings.load(), lambda text: click.echo(f"cellops: {printable(text)}", err=True))
        try:
            return super().invoke(context)
        except click.UsageError as error:
            # What click's parser raises does not say of which command.
            name = context.invoked_subcommand
            if error.ctx is None and name is not None and (command := self.get_command(context, name)) is not None:
                error.ctx = click.Context(command, parent=context, info_name=name)
            raise

    def list_commands(self, _context: click.Context) -> list[str]:
        return list(self.commands)

    def find(self, name: str) -> click.Command | None:
        return self.commands.get(name)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        found = self.find(name)
        if found is None:
            known = self.list_commands(context)
            near = get_close_matches(name, known, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"The verbs are {', '.join(known)}"
            fact = f"There is no verb {name}"
            raise UsageError(fact, remedy=hint)
        return found


class WithSubverbs(click.Command):
    """A verb with further ones below it: `package RUN`, and `package test PACKAGE`."""

    def __init__(self, *args: Any, subverbs: Iterable[click.Command], **options: Any) -> None:
        super().__init__(*args, **options)
        self.subverbs = {str(command.name): command for command in subverbs}

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        found = self.subverbs.get(args[0]) if args else None
        if found is None:
            self._require_no_misspelt(args)
            return super().make_context(info_name, args, parent, **extra)
        return found.make_context(f"{info_name} {found.name}", args[1:], parent, **extra)

    def _require_no_misspelt(self, args: list[str]) -> None:
        """Tell who has written a verb below this one nearly right, which else were one argument too many."""
        most = sum(parameter.nargs for parameter in self.params if isinstance(parameter, click.Argument))
        words = list(takewhile(lambda word: not word.startswith("-"), args))
        near = get_close_matches(words[0], self.subverbs, n=1) if len(words) > most >= 0 else []
        if near:
            fact = f"There is no verb {self.name} {words[0]}"
            raise UsageError(fact, remedy=f"Did you mean {self.name} {near[0]}?")


class WithParameters(click.Command):
    """A command on a notebook: `-p NAME VALUE` may also be written `-p NAME=VALUE`, and its help lists parameters."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        options = {name for one in self.params for name in one.opts if name.startswith("-")}
        words = list(_separated(args, options | set(self.get_help_option_names(context))))
        context.meta[WORDS] = tuple(words)
        return super().parse_args(context, words)

    def invoke(self, context: click.Context) -> Any:
        given: list[tuple[str, str]] = list(context.params["parameters"])
        for name, value in given:
            other = next(one for called, one in given if called == name)
            if other != value:
                fact = f"-p {name} is given twice, with two values. Give it once."
                raise click.UsageError(fact, context)
        return super().invoke(context)

    def format_epilog(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_epilog(context, formatter)
        # The help is shown before the arguments are read, so they are read here, as far as they are right.
        lenient = click.Context(self, info_name=context.info_name, resilient_parsing=True)
        given, _, _ = self.make_parser(lenient).parse_args(list(context.meta.get(WORDS, ())))
        if isinstance(given.get("notebook"), str):
            _write_parameters(given["notebook"], formatter)


def _write_parameters(notebook: str, formatter: click.HelpFormatter) -> None:
    from cellops.flows.parameters import parameters

    try:
        rows = [_described(parameter) for parameter in parameters(notebook)]
    except NoNotebookError:
        raise
    except CellopsError as error:
        rows = [("not listed", printable(error.text()))]
    with formatter.section(printable(f"Parameters of {notebook}")):
        formatter.write_dl(rows or [("none", "A cell that begins with %%mlops parameters declares them.")], col_max=40)


def _described(parameter: ParameterDescription) -> tuple[str, str]:
    """The declaration of a parameter, and what else is known of it."""
    kind = "" if parameter.kind is None else f": {parameter.kind}"
    default = "" if parameter.default is None else f" = {parameter.default}"
    said = [
        "required" if parameter.required else "",
        "its type takes no value from outside" if parameter.kind is None else "",
        *parameter.choices,
        parameter.problem or "",
        parameter.help,
    ]
    return printable(f"{parameter.name}{kind}{default}"), printable("; ".join(filter(None, said)))


def _separated(words: list[str], options: Collection[str]) -> Iterator[str]:
    """The words with names and values of parameters apart.

    Raises
    ------
    click.UsageError
        When a parameter has no value: another option or nothing stands in its place.
    """
    rest = iter(words)
    for word in rest:
        yield word
        if word in PARAMETER:
            given = next(rest, None)
            name, equals, value = (given or "").partition("=")
            if given in options or not (equals and name.isidentifier()):
                name, value = _pair(word, given, options, rest)
            yield from (name, value)


def _pair(word: str, name: str | None, options: Collection[str], rest: Iterator[str]) -> tuple[str, str]:
    if name is None or name in options:
        fact = f"{word} has neither a name nor a value. Write {word} NAME VALUE."
        raise click.UsageError(fact)
    value = next(rest, None)
    if value is None or value in options:
        but = "" if value is None else f", or {word} {name}={value} if that is the value"
        fact = f"{word} {name} has no value. Write {word} {name} VALUE{but}."
        raise click.UsageError(fact)
    return name, value
