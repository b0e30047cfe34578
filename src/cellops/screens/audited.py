"""An audit: the verdict, then what it rests on, each part in a few lines."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from cellops.records.audit import Audit, Piece, Requirement, Trusted
from cellops.records.finding import Severity
from cellops.screens.console import count, findings, plain, say, shown

BY = {
    Trusted.FORMAT: "[green]trusted by its format[/]",
    Trusted.BUILT_IN: "[green]trusted by cellops[/]",
    Trusted.SETTINGS: "[yellow]trusted by your settings[/]",
    Trusted.NOBODY: "[red]trusted by nobody[/]",
}
QUIET = frozenset({Trusted.FORMAT, Trusted.BUILT_IN})
MOST_LINES = 12


def audited(done: Audit, *, everything: bool = False, as_json: bool = False) -> None:
    if as_json:
        # Escaped beyond ASCII: names of others can hold what moves or reorders the text of a terminal.
        print(json.dumps({**done.to_dict(), "refused": done.refused}, indent=2))
        return
    mark = "[red]✗[/]" if done.refused else "[yellow]![/]" if done.runs_code else "[green]✓[/]"
    called = {Path(done.path).name, Path(done.path).stem, ""}
    name = f" ({plain(done.name)})" if done.name is not None and done.name not in called else ""
    say(f"[bold]{plain(shown(done.path))}[/]{name}")
    say(f"{mark} {plain('Refused before anything is loaded' if done.refused else done.verdict)}")
    findings(done.findings)
    if done.digest and done.name:
        bad = sum(one.severity is Severity.ERROR and one.code == "integrity" for one in done.findings)
        held = "" if bad else ", all as the manifest says"
        size = f"{done.size / 1e6:.1f} MB"
        _line("digests", f"{count(done.files, 'file')}, {size}{held}; SHA-256 of the manifest {done.digest[:16]}")
    _line("signature", _signature(done))
    _model(done, everything=everything)
    for code in done.features:
        defined = f": {plain(', '.join(code.functions))}" if code.functions else ""
        imports = f", imports {plain(', '.join(code.imports))}" if code.imports else ""
        _line("features", f"{plain(code.path)}{defined}{imports}")
    if done.mlflow:
        _line("MLflow", _loaders(done.mlflow))
    if done.requirements:
        _line("installs", _installed(done.requirements))


def _line(name: str, text: str) -> None:
    say(f"  {name:<10} {text}")


def _signature(done: Audit) -> str:
    if not done.signatures:
        return "[red]nobody has signed it[/]" if done.keys_wanted else "nobody has signed it, and no keys are trusted"
    said = []
    for one in done.signatures:
        state = (
            "[red]does not hold[/]" if not one.holds else "[green]trusted[/]" if one.trusted else "not a trusted key"
        )
        said.append(f"{plain(one.key[:60])} {state}")
    return ", ".join(said)


def _model(done: Audit, *, everything: bool) -> None:
    if done.model_format is None:
        return
    kinds = Counter((piece.kind, piece.trusted) for piece in done.model)
    parts = [f"{count(number, kind)} {BY[trusted]}" for (kind, trusted), number in sorted(kinds.items())]
    _line("model", f"{plain(done.model_format)}{': ' if parts else ''}{', '.join(parts)}")
    _pieces([piece for piece in done.model if everything or piece.trusted not in QUIET], everything=everything)


def _pieces(pieces: list[Piece], *, everything: bool) -> None:
    most = len(pieces) if everything else MOST_LINES
    for piece in pieces[:most]:
        note = f" [dim]{plain(piece.note)}[/]" if piece.note else ""
        say(f"    {plain(piece.name)} {BY[piece.trusted]}{note}")
    if len(pieces) > most:
        say(f"    [dim]and {len(pieces) - most} more; --all names them[/]")


def _loaders(pieces: Iterable[Piece]) -> str:
    said = [
        f"{plain(piece.name)} {plain(piece.note)}" if piece.trusted in QUIET else f"[red]{plain(piece.name)}[/]"
        for piece in pieces
    ]
    return ", ".join(said[:MOST_LINES])


def _installed(requested: tuple[Requirement, ...]) -> str:
    files = Counter(line.path for line in requested)
    foreign = sum(bool(line.foreign) for line in requested)
    bad = f", [yellow]{foreign} not of an index[/]" if foreign else ", all by name from an index"
    return ", ".join(f"{number} of {plain(path)}" for path, number in files.items()) + bad
