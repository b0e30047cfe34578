"""The graph for a terminal: boxes, level by level; for a pipe, one line a step."""

import sys
from itertools import groupby

from cellops.records.step import Step, StepGraph, StepProblem
from cellops.screens.console import COLOURS, console, count, in_notebook, plain, say
from cellops.screens.graph.words import details, levels


def text(graph: StepGraph) -> None:
    """Show the steps with what they take and give."""
    shown = levels(graph)
    in_levels = f" in {count(len(shown), 'level')}" if graph.levels else ", which wait for each other"
    say(f"{plain(graph.notebook)}: {count(len(graph.steps), 'step')}{in_levels}")
    if sys.stdout.isatty() or in_notebook():
        _boxes(graph)
        return
    widest = max(len(step.name) for step in graph.steps)
    for number, level in enumerate(shown, start=1):
        for step in map(graph.step, level):
            flows = "  ".join(part for part in (details(step), *_takes(graph, step)) if part)
            say(f"{number if graph.levels else ' '}  {step.name:<{widest}}  {plain(flows)}")


def problems(graph: StepGraph) -> None:
    """What is wrong with the steps, in the order of the cells, with what to do about it; the same remedy once."""
    for _, group in groupby(graph.problems, key=lambda one: (one.where, one.code, one.remedy)):
        told = list(group)
        for problem in told:
            say(f"[{COLOURS[problem.severity]}]{problem.severity.value}[/] {_place(problem)}: {plain(problem.seen)}")
        say(f"  [dim]{plain(told[0].remedy)} ({told[0].code})[/]")


def _place(problem: StepProblem) -> str:
    return plain(problem.where)


def _boxes(graph: StepGraph) -> None:
    from rich.columns import Columns
    from rich.panel import Panel

    wrong = {name: COLOURS[one.severity] for one in reversed(graph.problems) for name in one.steps[:1]}
    wrong |= {name: "red" for one in graph.errors for name in one.steps}
    out = console()
    for number, level in enumerate(levels(graph)):
        if number:
            out.print("  [dim]↓[/]")
        panels = [
            Panel(
                "\n".join(plain(line) for line in (details(step), *_takes(graph, step))),
                title=f"[bold]{plain(step.name)}[/]",
                title_align="left",
                border_style=wrong.get(step.name, "none"),
                expand=False,
            )
            for step in map(graph.step, level)
        ]
        out.print(Columns(panels))


def _takes(graph: StepGraph, step: Step) -> list[str]:
    """What it takes from each step that it waits for."""
    files = "its turn with files"
    return [
        f"takes {', '.join([*edge.names, *([files] if edge.files and not edge.names else [])])} of {edge.producer}"
        for edge in graph.edges
        if edge.consumer == step.name
    ]
