"""Fixture notebooks of proofs: a session, what happens behind it, and what executing its runs again has to show."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path

import msgspec
import nbformat

from cellops.errors import CellopsError
from cellops.flows.verify import TOLERANCE, verify
from cellops.records.proof import CellProof, Comparison, Proof, Verdict
from cellops.settings import load
from support.fixtures import Step, Struct

OWN = ".cellops"


class Truth(Struct, frozen=True, kw_only=True):
    """What is known of a run, and so what verifying it has to say."""

    run: str
    verdict: str | None = None
    first: str | None = None
    """The first thing that differs, as `CELL: KIND NAME`."""
    cause: str | None = None
    """The code of the likeliest cause."""
    notes: tuple[str, ...] = ()
    """A piece of each thing of which the verdict does not speak."""
    refused: str | None = None
    """The code of the error in place of a verdict."""
    says: str = ""
    """A piece of that error."""
    tolerance: float = TOLERANCE
    commands: bool = False


class Session(Struct, frozen=True, kw_only=True):
    """What a notebook's metadata say of its session."""

    title: str
    truths: tuple[Truth, ...]
    order: tuple[Step, ...] = ()
    """What a person does; without it every cell is executed once, from top to bottom."""
    files: dict[str, str] = msgspec.field(default_factory=dict)
    """What stands in the project, or beside it, by its path from there."""
    variables: dict[str, str] = msgspec.field(default_factory=dict)
    """Environment variables of both, the session and its verification; `{project}` is the project's folder."""
    recorded: dict[str, str] = msgspec.field(default_factory=dict)
    """Those that hold in the session only."""
    earlier: str = ""
    """What is executed before capturing begins."""
    executed: dict[str, str] | None = None
    """The parameters with which `cellops execute` makes the session, in place of a person."""
    meanwhile: str = ""
    """Python that is executed in the project between the session and its verification."""


@dataclass
class Fixture:
    """A notebook, as `support.fixtures.Driver` takes it, with what is known of its runs."""

    path: Path
    session: Session
    cells: dict[str, str]
    order: tuple[Step, ...]

    @classmethod
    def read(cls, path: Path) -> "Fixture":
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        session = msgspec.convert(notebook.metadata["session"], Session)
        cells = {cell.id: cell.source for cell in notebook.cells}
        return cls(path, session, cells, session.order or tuple(Step(cell=name) for name in cells))

    def variables(self, folder: Path) -> Mapping[str, str]:
        return {name: text.replace("{project}", str(folder)) for name, text in self.session.variables.items()}


def truth_of(stated: Truth, cells: Mapping[int, str | None]) -> tuple[Truth, Proof | None]:
    """What verifying a run says, in the words of what is known of it.

    Parameters
    ----------
    cells
        The ids of the session's cells by their places on the trail.
    """
    told = Truth(run=stated.run, tolerance=stated.tolerance, commands=stated.commands)
    try:
        proof = verify(stated.run, tolerance=stated.tolerance, commands_allowed=stated.commands, settings=load())
    except CellopsError as error:
        return msgspec.structs.replace(told, refused=error.code, says=_piece(stated.says, error.text())), None
    cause = proof.causes[0].code if proof.causes else None
    told = msgspec.structs.replace(told, verdict=proof.verdict.value, first=_first(proof, cells), cause=cause)
    return msgspec.structs.replace(told, notes=_notes(stated.notes, proof.notes)), proof


def _notes(stated: tuple[str, ...], said: tuple[str, ...]) -> tuple[str, ...]:
    """The notes of a proof, each as the piece of it that is stated."""
    pieces = [next((piece for piece in stated if piece in note), note) for note in said]
    return tuple(sorted(pieces, key=lambda piece: stated.index(piece) if piece in stated else len(stated)))


def _piece(stated: str, said: str) -> str:
    return stated if stated and stated in said else said


def _first(proof: Proof, cells: Mapping[int, str | None]) -> str | None:
    """The first thing that differs."""
    for cell in proof.cells:
        found = _differing(cell)
        if found is not None:
            return f"{cells[cell.order]}: {found.kind} {found.name}"
    return None


def _differing(cell: CellProof) -> Comparison | None:
    return next((one for one in cell.comparisons if _differs(one)), None)


def _differs(one: Comparison) -> bool:
    return one.verdict in {Verdict.DIVERGED, Verdict.WITHIN_TOLERANCE}


def in_short(proof: Proof | None) -> str:
    """What of a proof a failing test shows."""
    if proof is None:
        return ""
    found = [
        f"{cell.source}\n  {one}" for cell in proof.cells for one in cell.comparisons if one.verdict != "identical"
    ]
    return "\n".join([*found, *map(str, proof.modules), *map(str, proof.causes), *proof.notes])


def contents(folder: Path) -> dict[str, bytes]:
    """All files of a person's project."""
    files = (path for path in folder.rglob("*") if path.is_file())
    shown = ((path.relative_to(folder), path) for path in files)
    return {
        str(name): path.read_bytes()
        for name, path in shown
        if OWN not in name.parts and "__pycache__" not in name.parts
    }


@contextmanager
def feed() -> Iterator[str]:
    """The address of a server that says another number each time it is asked, and `same` below `/same`."""
    numbers = count(1)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said = b"same" if self.path == "/same" else str(next(numbers)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
