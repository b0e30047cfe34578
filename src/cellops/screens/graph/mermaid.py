"""The graph in the language of Mermaid, which GitHub and JupyterLab draw in Markdown."""

from collections.abc import Iterator

from cellops.records.step import StepGraph
from cellops.screens.graph.words import details, on_arrow


def mermaid(graph: StepGraph) -> str:
    """Write the graph as a flowchart from top to bottom."""
    return "\n".join(_lines(graph)) + "\n"


def _lines(graph: StepGraph) -> Iterator[str]:
    names = {step.name: f"s{number}" for number, step in enumerate(graph.steps)}
    yield "flowchart TD"
    for step in graph.steps:
        yield f'  {names[step.name]}["<b>{step.name}</b><br>{details(step)}"]'
    for edge in graph.edges:
        yield f'  {names[edge.producer]} -->|"{"<br>".join(on_arrow(edge))}"| {names[edge.consumer]}'
    wrong = sorted({name for problem in graph.errors for name in problem.steps})
    if wrong:
        yield "  classDef wrong stroke:#c62828,stroke-width:2px"
        yield f"  class {','.join(names[name] for name in wrong if name in names)} wrong"
