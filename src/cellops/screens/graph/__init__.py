"""The steps of a notebook as a picture, as text, and in the languages of other tools."""

from pathlib import Path

from cellops.errors import UsageError
from cellops.records.step import StepGraph
from cellops.screens.console import plain, say
from cellops.screens.graph.mermaid import mermaid
from cellops.screens.graph.svg import svg
from cellops.screens.graph.text import problems, text

__all__ = ["FORMATS", "graph", "problems", "svg", "text"]
FORMATS = ("text", "svg", "json", "mermaid")
BY_SUFFIX = {".svg": "svg", ".json": "json", ".mmd": "mermaid", ".mermaid": "mermaid"}


def graph(found: StepGraph, output: Path | None = None, form: str | None = None) -> None:
    """Show the graph, or write it to a file; a format that is for other programs stands on the output alone.

    Parameters
    ----------
    output
        A file; its suffix says the format where none is given.
    form
        One of `FORMATS`; text by default.

    Raises
    ------
    UsageError
        When nothing says the format of the file, or it is text, or the file cannot be written.
    """
    if output is not None:
        _write(found, output, form or BY_SUFFIX.get(output.suffix.lower(), ""))
        say(f"The graph of {plain(found.notebook)}: {plain(output)}")
    elif form in (None, "text"):
        text(found)
    else:
        print(_drawn(found, form or ""), end="")
        return
    problems(found)


def _drawn(found: StepGraph, form: str) -> str:
    match form:
        case "svg":
            return svg(found)
        case "json":
            return found.to_pretty_json().decode()
        case _:
            return mermaid(found)


def _write(found: StepGraph, output: Path, form: str) -> None:
    if form not in FORMATS[1:]:
        fact = f"The format of {output} is not known"
        raise UsageError(fact, remedy=f"End its name in {', '.join(BY_SUFFIX)}, or give --format svg, json or mermaid")
    try:
        output.write_text(_drawn(found, form), encoding="utf-8")
    except OSError as error:
        fact = f"{output} cannot be written: {error.strerror}"
        raise UsageError(fact, remedy="Give a file in a folder of yours") from error
