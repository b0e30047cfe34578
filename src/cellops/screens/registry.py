"""Registered models, and what has been decided of them."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from cellops.records.registry import Decided, Decision, RegisteredModel, RegisteredVersion, Stage
from cellops.screens.console import console, plain, say

if TYPE_CHECKING:
    from cellops.records.promoted import Promoted

COLOURS = {Stage.PRODUCTION: "green", Stage.STAGING: "yellow", Stage.DEVELOPMENT: "default", Stage.ARCHIVED: "dim"}
DIGITS = 12
"""Of a digest."""


def promoted(made: "Promoted") -> None:
    now, before = made.champion, made.before
    is_new = before is None or before.version != now.version
    word = "is now" if is_new else "is already"
    instead = f", in place of version {plain(before.version)}" if before is not None and is_new else ""
    say(f"[bold]{plain(now.model)} {plain(now.version)}[/] {word} the champion{instead}, in {made.version.stage}")
    metrics = "  ".join(f"{name} {value:.6g}" for name, value in sorted(made.run.metrics.items()))
    say(f"  run {made.run.name} {made.run.run[:8]}  {metrics}".rstrip(), markup=False)
    if made.decision is not None:
        _overridden(made.decision)
    if made.version.package is None and made.version.stage is not Stage.PRODUCTION:
        way = "cellops package RUN -o PACKAGE, cellops package test PACKAGE, cellops promote PACKAGE"
        say(f"  [dim]No package of it is known. Into production: {way}[/]")


def decided(made: Decided, word: str) -> None:
    """What a verb of the registry has done, or that all was so already."""
    version = made.version
    already = "already " if made.decision is None else ""
    aliases = f", {', '.join(version.aliases)}" if version.aliases else ""
    stage = f": {version.stage}" if aliases or version.stage != word else ""
    say(f"[bold]{plain(version.model)} {plain(version.version)}[/] is {already}{word}{stage}{plain(aliases)}")
    if version.package:
        say(f"  package {version.package[:DIGITS]}", markup=False)
    if version.archive and version.stage is Stage.ARCHIVED:
        say(f"  lies in {version.archive}", markup=False)
    if made.replaced is not None:
        say(f"  in place of version {made.replaced.version}", markup=False)


def models(found: Iterable[RegisteredModel], *, history: bool) -> None:
    """A table of versions; with the history, the decisions on each of them."""
    from rich.table import Table

    found = list(found)
    if not found:
        say("No model is registered. Register one with: cellops register RUN")
        return
    table = Table(
        "model", "version", "stage", "aliases", "package", "tested", "last decision", box=None, pad_edge=False
    )
    for model in found:
        for version in model.versions:
            table.add_row(*_row(version))
        for other in model.underway:
            table.add_row(plain(model.name), plain(other.decision.version), "[yellow]is being changed[/]")
    console().print(table)
    if history:
        decisions = {d.id: d for model in found for version in model.versions for d in version.decisions}
        for _, decision in sorted(decisions.items()):
            _history(decision)


def _row(version: RegisteredVersion) -> Iterator[str]:
    last = version.decisions[-1] if version.decisions else None
    test = version.test
    yield plain(version.model)
    yield plain(version.version)
    yield f"[{COLOURS[version.stage]}]{version.stage}[/]"
    yield plain(", ".join(version.aliases))
    yield plain((version.package or "")[:DIGITS])
    yield "" if test is None else "passed" if test.passed else "[red]failed[/]"
    yield "" if last is None else plain(f"{last.verb}, {last.time[:16].replace('T', ' ')} UTC, {last.who}")


def _history(decision: Decision) -> None:
    moved = decision.stage if decision.before == decision.stage else f"{decision.before} → {decision.stage}"
    when = decision.time[:19].replace("T", " ")
    did = f"{decision.verb} version {decision.version}: {moved}"
    say(f"\n[bold]{when} UTC[/]  {plain(did)}  [dim]{plain(decision.who)}[/]")
    for alias, version in decision.aliases.items():
        say(f"  {alias}: {'taken away' if version is None else f'version {version}'}", markup=False)
    for version, stage in decision.others.items():
        say(f"  version {version}: {stage}", markup=False)
    evidence = decision.evidence
    metrics = "  ".join(f"{name} {value:.6g}" for name, value in sorted(evidence.metrics.items()))
    test = evidence.test
    facts = {
        "run": f"{(evidence.run or '')[:8]}  {metrics}".rstrip(),
        "gates": ", ".join(f"{gate} {outcome}" for gate, outcome in evidence.gates.items()),
        "package": (evidence.package or "")[:DIGITS],
        "tested": f"{'passed' if test.passed else 'failed'}, {test.started}" if test else "",
        "archive": evidence.archive or "",
        "reason": decision.reason,
    }
    for name, text in facts.items():
        if text:
            say(f"  {name:<8} {text}", markup=False)
    _overridden(decision)


def _overridden(decision: Decision) -> None:
    if decision.overridden:
        say(f"  [yellow]without what production needs: {plain(', '.join(decision.overridden))}[/]")
