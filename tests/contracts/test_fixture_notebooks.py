"""What the records of every fixture notebook say, and what its slices give when they are executed alone."""

import subprocess
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import zip_longest
from pathlib import Path

import pytest
from msgspec.structs import replace

from cellops.records.cell import CellRecord, Outcome
from cellops.records.run import RunClosed, SessionOpened
from support.fixtures import Driver, Expected, Fixture, seen
from support.kernel import Kernel

FOLDER = Path(__file__).parents[1] / "notebooks" / "capture"
FIXTURES = [Fixture.read(path) for path in sorted(FOLDER.glob("*.ipynb"))]

DRAWS_WHEN_IMPORTED = "import rich.style\ndel rich"
"""It draws from python's generator, and whether a library imports it is nothing that a fixture should speak of."""


def test_there_are_enough_and_each_has_a_behaviour_of_its_own() -> None:
    assert len(FIXTURES) >= 30
    assert sum(fixture.interactive for fixture in FIXTURES) * 3 >= len(FIXTURES)
    assert [title for title, count in Counter(fixture.title for fixture in FIXTURES).items() if count > 1] == []
    assert [f.title for f in FIXTURES if not any(e.run for trail in f.expectations().values() for e in trail)] == []


class Kernels:
    """Kernels with cellops, each in a project of its own or in one that they share; started beside each other."""

    def __init__(self, folder: Path, fixture: Fixture) -> None:
        self._folder = folder
        self._fixture = fixture
        self._threads = ThreadPoolExecutor()
        self._started: list[Future[Kernel]] = []

    def begin(self, project: str) -> Future[Kernel]:
        self._started.append(self._threads.submit(self._start, project))
        return self._started[-1]

    def _start(self, project: str) -> Kernel:
        folder = self._folder / project
        if not folder.exists():
            self._make(folder)
        notebook = {"JPY_SESSION_NAME": str(self.notebook), "CELLOPS_PROJECT": str(folder)}
        kernel = Kernel(folder, {"CELLOPS_WRITER": "false", **notebook})
        for cell in (DRAWS_WHEN_IMPORTED, "%load_ext cellops"):
            assert kernel.wait(kernel.send(cell, history=False)).status == "ok"
        return kernel

    @property
    def notebook(self) -> Path:
        return self._folder / "work.ipynb"

    def _make(self, folder: Path) -> None:
        """A project with a commit, where nothing is uncommitted."""
        folder.mkdir()
        for name, text in self._fixture.files.items():
            (folder / name).write_text(text)
        (folder / ".gitignore").write_text("*\n")
        commit = ("-c", "user.name=n", "-c", "user.email=e@example.com", "commit", "-qm", "begin")
        for command in (("init", "-q"), ("add", "-f", ".gitignore", *self._fixture.files), commit):
            subprocess.run(["git", *command], cwd=folder, check=True)

    def stop(self) -> None:
        for started in self._started:
            started.result().stop()
        self._threads.shutdown()


@pytest.fixture
def kernels(tmp_path: Path, fixture: Fixture) -> Iterator[Kernels]:
    found = Kernels(tmp_path, fixture)
    try:
        yield found
    finally:
        found.stop()


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture.path.stem)
def test_its_records_say_what_it_expects_and_its_slices_give_its_values(kernels: Kernels, fixture: Fixture) -> None:
    again, first = kernels.begin("again"), kernels.begin("project")

    def start(name: str) -> Kernel:
        return first.result() if name == "first" else kernels.begin("project").result()

    driver = Driver(fixture, kernels.notebook, start)
    driver.drive()
    closed = {run.run: run for run in first.result().closed()}
    expected = fixture.expectations()
    assert driver.kernels.keys() == expected.keys()
    for name, kernel in driver.kernels.items():
        trail = trail_of(kernel)
        said = [seen(cell, closed.get(cell.run or "")) for cell in trail]
        assert said == [with_tolerance(*pair) for pair in zip_longest(expected[name], said)]
        for run in (closed[cell.run] for cell in trail if cell.run in closed):
            check_alone(again.result(), run, trail, driver.trails[name], fixture.differs)
    assert "capture failed" not in kernel.run("%mlops status").streams


def with_tolerance(expected: Expected | None, said: Expected | None) -> Expected | None:
    """An expectation whose metrics compare as numbers do, and equal to any where they are another one each time."""
    if expected is None or expected.run is None or said is None or said.run is None:
        return expected
    stated = {
        name: said.run.metrics.get(name) if value is None else value for name, value in expected.run.metrics.items()
    }
    return replace(expected, run=replace(expected.run, metrics=pytest.approx(stated)))


def trail_of(kernel: Kernel) -> list[CellRecord]:
    """The cells of one of the kernels of a project, in the order in which they began."""
    opened = [event for event in kernel.events() if isinstance(event, SessionOpened)]
    own = {event.session for event in opened if event.pid == kernel.pid}
    return sorted((cell for cell in kernel.cells() if cell.session in own), key=lambda cell: cell.order)


def check_alone(
    kernel: Kernel, run: RunClosed, trail: list[CellRecord], sources: list[str], differs: str | None
) -> None:
    """The slice of a run gives the run's values in a fresh kernel, or its record tells why it may not."""
    assert run.slice is not None
    if differs is not None:
        told = [finding.code for order in run.slice.cells for finding in trail[order - 1].findings]
        assert run.slice.widened or "unseeded-randomness" in told, differs
        return
    for order in run.slice.cells:
        done = kernel.run(sources[order - 1])
        assert (done.status == "ok") == (trail[order - 1].outcome is Outcome.OK), done
    alone = kernel.closed()[-1]
    assert (alone.parameters, alone.metrics) == (run.parameters, run.metrics)
