"""Write reference.md from the code: verbs, settings, errors, HTTP routes. `make docs` runs this; a test compares.

`python docs/reference.py PATH` writes to PATH instead.
"""

import ast
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from cellops import errors, magics, setting_sources, settings
from cellops.cli import verbs
from cellops.data.expectations.registry import RULES
from cellops.serving import errors as serving_errors

PAGE = Path(__file__).with_name("reference.md")
HEAD = """# Reference

Written from the code by `make docs`; do not edit.
"""


def main() -> None:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE
    target.write_text(render(), encoding="utf-8")
    print(f"Wrote {target.name}", file=sys.stderr)


def render() -> str:
    """The whole page."""
    return "\n".join([HEAD, *_verbs(), *_expectations(), *_settings(), *_errors()])


def _verbs() -> Iterator[str]:
    yield "## In a terminal\n"
    for command in verbs.terminal.commands.values():
        yield from _command(command, f"cellops {command.name}")
    yield "## In a notebook\n"
    yield (
        "On a line, `%mlops VERB`: " + ", ".join(f"`{n}`" for n in magics.line_verbs.list_commands(_context())) + ".\n"
    )
    for command in magics.line_verbs.commands.values():
        yield from _command(command, f"%mlops {command.name}")
    for command in magics.cell_verbs.commands.values():
        yield from _command(command, f"%%mlops {command.name}")


def _context() -> click.Context:
    return click.Context(magics.line_verbs)


def _command(command: click.Command, name: str) -> Iterator[str]:
    names = ["-h", "--help"]
    with click.Context(
        command, info_name=name, max_content_width=100, terminal_width=100, help_option_names=names
    ) as context:
        text = command.get_help(context)
    yield f"### `{name}`\n\n```text\n{text}\n```\n"
    for below in getattr(command, "subverbs", {}).values():
        yield from _command(below, f"{name} {below.name}")


def _expectations() -> Iterator[str]:
    yield "## Expectations\n"
    yield (
        "One a line in a cell `%%mlops expect TABLE`, with literals, lists of them or variables. Every rule also takes "
        "`mostly`, the least share of rows that must satisfy it, `severity` (error, warning or info) and `reason`, and "
        "for servers `action` (reject, warn or impute) with `default`. "
        "Rules on values leave missing ones out. Those that can be held against a single row are checked on requests "
        "too.\n"
    )
    yield "| rule | arguments | on single rows | what it demands |\n|---|---|---|---|"
    for name, rule in RULES.items():
        given = ", ".join(str(p).partition(":")[0] + _default(p) for p in inspect.signature(rule).parameters.values())
        said = " ".join((rule.__doc__ or "").split())
        yield f"| `{name}` | `{given}` | {'yes' if rule.row_wise else ''} | {said} |"
    yield ""


def _default(parameter: inspect.Parameter) -> str:
    return "" if parameter.default is parameter.empty else f"={parameter.default!r}"


def _settings() -> Iterator[str]:
    yield "## Settings\n"
    yield "From the environment, else from the table `[tool.cellops]` of the project's pyproject.toml.\n"
    yield "An empty variable counts as not set.\n"
    yield "| in the environment | in pyproject.toml | default | meaning |\n|---|---|---|---|"
    meanings = _attribute_docs(settings.Settings)
    for field in msgspec.structs.fields(settings.Settings):
        written = f"`{field.name}`" if field.name != "project" else ""
        default = "" if field.default is msgspec.NODEFAULT else f"`{field.default}`"
        variable = f"{setting_sources.PREFIX}{field.name.upper()}"
        yield f"| `{variable}` | {written} | {default} | {meanings[field.name]} |"
    yield ""


def _attribute_docs(kind: type) -> dict[str, str]:
    """The docstrings below the attributes of a class."""
    body = ast.parse(inspect.getsource(kind)).body[0]
    assert isinstance(body, ast.ClassDef)
    found = {}
    for statement, after in zip(body.body, body.body[1:], strict=False):
        match statement, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = " ".join(text.split())
            case _:
                pass
    return found


def _errors() -> Iterator[str]:
    yield "## Errors\n"
    yield "Every error says the fact, the value received and the remedy, and carries `code` and `data`.\n"
    yield "| class | code | when |\n|---|---|---|"
    for name, kind in (vars(errors) | vars(serving_errors)).items():
        if inspect.isclass(kind) and issubclass(kind, errors.CellopsError):
            yield f"| `{name}` | `{kind.code}` | {(kind.__doc__ or '').splitlines()[0]} |"
    yield ""


if __name__ == "__main__":
    main()
