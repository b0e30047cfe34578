"""A package that was built."""

import shlex
from typing import TYPE_CHECKING

from cellops.screens.console import findings, plain, say, shown

if TYPE_CHECKING:
    from cellops.flows.package import Packaged
    from cellops.records.gate import GateFigure
    from cellops.records.package import Conversion, Provenance

MOST_NAMES = 12
"""Inputs that are all named."""


def package(built: "Packaged") -> None:
    schema, files = built.contract.schema, built.manifest.files
    size = sum(file.size for file in files)
    facts = {
        "name": built.manifest.name,
        "run": f"{built.run.name} {built.run.run[:8]}{_among(built)}",
        "files": f"{len(files)}, {size / 1e6:.1f} MB, SHA-256 of the manifest {built.digest[:16]}",
        "inputs": _few([field.name for field in schema.inputs]),
        "output": f"{schema.target}, {schema.task.value}",
    }
    personal = [f"{field.name} ({field.personal})" for field in schema.inputs if field.personal is not None]
    if personal:
        facts["personal"] = f"{', '.join(personal)} in the prediction log"
    facts["model"] = _kept(built.provenance)
    for measure in built.contract.performance.measures if built.contract.performance else ():
        interval = f" [{measure.low:.4f}, {measure.high:.4f}]" if measure.low is not None else ""
        facts[measure.name] = f"{measure.value:.4f}{interval}"
    for figure in built.contract.groups:
        facts[figure.name] = _of_groups(figure)
    say(f"[bold]{plain(shown(built.path))}[/]")
    for name, value in facts.items():
        say(f"  {name:<10} {value}", markup=False)
    findings(built.findings)
    say(f"Serve it with: {shlex.join(['cellops', 'serve', shown(built.path)])}", markup=False)


def _few(names: list[str]) -> str:
    """The names; of many the first and the last."""
    if len(names) <= MOST_NAMES:
        return ", ".join(names)
    return f"{len(names)}: {', '.join(names[: MOST_NAMES - 2])} … {names[-1]}"


def _of_groups(figure: "GateFigure") -> str:
    if figure.value is None:
        return f"not judged: {figure.reason}"
    return f"{figure.value:.4f} ({' and '.join(map(str, figure.extremes))})"


def _among(built: "Packaged") -> str:
    return f", the newest of {built.alike} runs of that name" if built.alike > 1 else ""


def _kept(provenance: "Provenance") -> str:
    made, kept = provenance.conversion, provenance.model_format
    if made is not None:
        kept += f" in {made.precision}, from {made.source}; {_near(made)}"
    return "; ".join([kept, *(f"beside it {file}, which {_near(held)}" for file, held in provenance.exports.items())])


def _near(made: "Conversion") -> str:
    if made.size is not None:
        before, after = made.size
        return (
            f"{after / before:.0%} of its size, other labels for {made.other_labels:,} of {made.rows:,} rows, "
            f"answers differ by up to {made.difference:.2g}"
        )
    return f"answers within {made.difference:.1g} on {made.rows:,} rows"
