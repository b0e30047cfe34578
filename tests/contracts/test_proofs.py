"""Runs whose truth is known, executed again: a false "identical" fails here, and so does a false "diverged"."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from cellops.capture.journal import read
from cellops.flows.execute import execute
from cellops.records.cell import CellRecord
from cellops.records.proof import Proof
from cellops.settings import load
from support.fixtures import Driver
from support.kernel import Kernel
from support.proofs import Fixture, contents, feed, in_short, truth_of

FOLDER = Path(__file__).parents[1] / "notebooks" / "proof"
FIXTURES = [Fixture.read(path) for path in sorted(FOLDER.glob("*.ipynb"))]


def test_there_are_enough_and_they_go_both_ways() -> None:
    verdicts = Counter(truth.verdict for fixture in FIXTURES for truth in fixture.session.truths)
    assert verdicts.total() >= 40
    assert verdicts["identical"] >= 15
    assert verdicts["diverged"] >= 15
    assert [t for t, count in Counter(fixture.session.title for fixture in FIXTURES).items() if count > 1] == []


class Place:
    """The project of a fixture, with the kernels that work in it."""

    def __init__(self, folder: Path, fixture: Fixture, environment: dict[str, str]) -> None:
        self.folder = folder
        self.notebook = folder / "work.ipynb"
        self._fixture = fixture
        self._environment = environment
        self._kernels: list[Kernel] = []

    def start(self, _name: str) -> Kernel:
        session = self._fixture.session
        kernel = Kernel(self.folder, self._environment | session.recorded | {"JPY_SESSION_NAME": str(self.notebook)})
        self._kernels.append(kernel)
        for source in (session.earlier, "%load_ext cellops"):
            assert kernel.wait(kernel.send(source, history=False)).status == "ok"
        return kernel

    def make_session(self) -> None:
        """Have the fixture executed, by a person or by `cellops execute`."""
        if self._fixture.session.executed is None:
            Driver(self._fixture, self.notebook, self.start).drive()  # type: ignore[arg-type]
        else:
            nbformat.write(nbformat.read(self._fixture.path, as_version=4), self.notebook)
            execute(self.notebook, self._fixture.session.executed, settings=load())
        exec(self._fixture.session.meanwhile, {"__name__": "meanwhile"})

    def cells(self) -> dict[int, str | None]:
        """The ids of the cells that were captured, by their places on the trail."""
        journals = (self.folder / ".cellops" / "journal").glob("*.jsonl")
        events = [event for journal in journals for event, _ in read(journal)]
        return {event.order: event.cell_id for event in events if isinstance(event, CellRecord)}

    def stop(self) -> None:
        for kernel in self._kernels:
            kernel.stop()


@pytest.fixture
def place(tmp_path: Path, fixture: Fixture, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name, text in fixture.session.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    with feed() as address:
        own = {"CELLOPS_PROJECT": str(folder), "CELLOPS_WRITER": "false", "FEED": address}
        for name, value in (own | dict(fixture.variables(folder))).items():
            before = os.environ.get(name, "") if name == "PYTHONPATH" else ""
            monkeypatch.setenv(name, f"{value}{os.pathsep}{before}" if before else value)
        made = Place(folder, fixture, {})
        try:
            yield made
        finally:
            made.stop()


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture.path.stem)
def test_the_verdict_is_the_truth(place: Place, fixture: Fixture) -> None:
    place.make_session()
    cells, before = place.cells(), contents(place.folder)
    for stated in fixture.session.truths:
        said, proof = truth_of(stated, cells)
        assert said == stated, in_short(proof)
        if proof is not None:
            assert Proof.from_file(Path(proof.folder) / "proof.json").verdict == proof.verdict
            nbformat.validate(nbformat.read(Path(proof.folder) / "slice.ipynb", as_version=4))
    assert place.cells() == cells
    assert contents(place.folder) == before
