"""How the faces read a command: verbs with their nearest name, parameters, and click's errors as fact and remedy."""

from collections.abc import Iterator
from difflib import get_close_matches
from itertools import islice

import click

from cellops.errors import UsageError

PARAMETER = ("-p", "--parameter")


class Verbs(click.Group):
    """A group that names the nearest verb for one that does not exist, and lists its verbs in the order of the work."""

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


class WithParameters(click.Command):
    """A command whose `-p NAME VALUE` may also be written `-p NAME=VALUE`."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(context, list(_separated(args)))


def _separated(words: list[str]) -> Iterator[str]:
    rest = iter(words)
    for word in rest:
        yield word
        if word in PARAMETER:
            given = next(rest, "")
            name, equals, value = given.partition("=")
            if equals and name.isidentifier():
                yield from (name, value)
            else:
                yield from (given, *islice(rest, 1))


def explained(error: click.ClickException) -> tuple[str, str]:
    """A click error as fact and remedy, each in one line."""
    context = getattr(error, "ctx", None)
    fact, _, hint = error.format_message().replace("\n", " ").partition(". ")
    where = f"See: {context.command_path} --help" if context is not None else "See: cellops --help"
    return fact.rstrip("."), f"{hint} {where}".strip()
