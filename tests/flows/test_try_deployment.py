"""A package tried in a fresh environment: what passes, what fails and says why, and what is left of it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cellops import settings as settings_module
from cellops.cli import main
from cellops.errors import DeploymentError
from cellops.flows.clean import clean, removable
from cellops.flows.deciding import deployment_of, report_of
from cellops.flows.try_deployment import try_deployment
from cellops.packaging.deployment import own_wheel, requirements
from cellops.packaging.deployment.environment import PLACE
from cellops.packaging.layout import SERVING
from cellops.packaging.load import read_contract
from cellops.packaging.manifest import write
from cellops.packaging.storing import store_package
from cellops.records.deployment import DeploymentReport, DeploymentStep
from cellops.settings import Settings
from support.served import build

WAIT = 120
TEST = ("package", "test", "--python", sys.executable)
"""In this Python, whichever the package says that its run had."""
ANSWERS = """
import json, sys
from pathlib import Path
from cellops.data.decoder import decode_columns
from cellops.packaging.load import load_package
from cellops.settings import BUILT_IN_TRUSTED_TYPES
held = load_package(Path(sys.argv[1]), trusted_types=BUILT_IN_TRUSTED_TYPES)
answers = held.predictor.predict(decode_columns(held.contract.schema, held.contract.parity.inputs))
chances = [[chance.hex() for chance in row] for row in answers.probabilities.tolist()]
print(json.dumps([answers.labels.tolist(), chances]))
"""


@pytest.fixture(scope="module")
def flights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("flights", tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    folder = tmp_path_factory.mktemp("deployment")
    (folder / ".cellops").mkdir()
    (folder / "temporary").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(folder / "temporary"))  # where the servers' copies of packages are
        yield settings_module.load(folder)


@pytest.fixture(scope="module")
def report(flights: Path, held: Settings) -> Iterator[DeploymentReport]:
    """The test deployment of a good package; its environment is kept for the others."""
    done = try_deployment(
        flights, python=sys.executable, seconds=1, keep=True, output=held.project / "report.json", settings=held
    )
    assert done.passed, done.steps
    yield done
    shutil.rmtree(held.folder / PLACE)


@pytest.fixture
def inside(held: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(held.project)
    return held.project


def environments(held: Settings) -> list[Path]:
    return [path for path in (held.folder / PLACE).glob("*") if path.is_dir()]


def started_below(folder: Path) -> list[str]:
    """The processes that name a folder, or something in it."""
    listed = subprocess.run(["ps", "-ww", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if str(folder) in line]


def test_a_good_package_passes_every_step(report: DeploymentReport, flights: Path, held: Settings) -> None:
    assert [step.step for step in report.steps] == list(DeploymentStep)
    assert report.environment is not None
    pinned = [line for line in (flights / SERVING).read_text().splitlines() if not line.startswith("#")]
    assert (report.environment.distributions, report.environment.reused) == (len(pinned), False)
    assert [(one.rows, one.different, one.largest) for one in report.parity] == [(10, (), 0.0)] * 3
    assert {one.protocol for one in report.parity} == {"Open Inference V2", "KServe V1", "MLflow"}
    assert report.load is not None
    assert report.load.errors == 0
    assert report.load.requests > 0
    assert 0 < report.load.p50_ms <= report.load.p99_ms
    assert "rows are in the prediction log" in report.steps[-1].said
    kept = report_of(report.digest, held).read_bytes()
    assert kept == (held.project / "report.json").read_bytes()
    assert DeploymentReport.from_json(kept) == report
    evidence = deployment_of(report.digest, None, held)
    assert evidence is not None
    assert evidence.passed
    assert len(environments(held)) == 1
    assert not started_below(held.project)


def test_an_archived_package_answers_bit_for_bit_in_a_fresh_environment(
    report: DeploymentReport, flights: Path, held: Settings
) -> None:
    stored = store_package(read_contract(flights), str(held.project / "archive"))
    (place,) = environments(held)
    command = [str(place / "bin" / "python"), "-I", "-c", ANSWERS, stored]
    labels, chances = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    parity = read_contract(Path(stored)).contract.parity
    assert parity.probabilities is not None
    assert labels == parity.labels
    assert chances == [[chance.hex() for chance in row] for row in parity.probabilities]


def test_a_package_that_answers_otherwise_fails_and_its_server_says_why(
    report: DeploymentReport, flights: Path, inside: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = shutil.copytree(flights, tmp_path / "other")
    path = other / "contract" / "parity.json"
    parity = json.loads(path.read_text())
    parity["probabilities"][3] = [0.5, 0.5]
    path.write_text(json.dumps(parity))
    write(other, "other", None)
    with pytest.raises(SystemExit) as left:
        main([*TEST, str(other), "-o", "other.json"])
    told = capsys.readouterr()
    assert left.value.code == 3
    assert "✗ start" in told.out
    assert "parity row 3" in told.out
    assert "has failed at its step start: The server ends with exit code 1" in told.err
    failed = DeploymentReport.from_file(inside / "other.json")
    assert (failed.passed, [step.passed for step in failed.steps]) == (False, [True, True, False])
    assert failed.environment is not None
    assert failed.environment.reused
    assert not started_below(inside)


def test_a_lock_that_cannot_be_installed_leaves_no_environment(
    flights: Path, held: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(held.project)
    other = shutil.copytree(flights, tmp_path / "other")
    (other / SERVING).write_text("numpy==0.0.1\n")
    write(other, "other", None)
    for name in [name for name in os.environ if name.startswith(("UV_", "PIP_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("UV_OFFLINE", "1")
    before = environments(held)
    with pytest.raises(SystemExit) as left:
        main([*TEST, str(other)])
    told = capsys.readouterr()
    assert left.value.code == 1
    assert "✗ environment" in told.out
    assert "The lock of the package cannot be installed" in told.err
    assert environments(held) == before
    assert not report_of(read_contract(other).digest, held).exists()


@pytest.mark.parametrize("moment", ["Installing", "Starting"])
def test_a_signal_leaves_neither_process_nor_half_an_environment(
    report: DeploymentReport, flights: Path, held: Settings, tmp_path: Path, moment: str
) -> None:
    own = tmp_path / ".cellops"
    own.mkdir()
    if moment == "Starting":
        (own / PLACE).symlink_to(held.folder / PLACE, target_is_directory=True)
    command = [sys.executable, "-u", "-m", "cellops", *TEST, str(flights)]
    number = signal.SIGINT if moment == "Installing" else signal.SIGTERM
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": os.environ | {"TMPDIR": str(tmp_path)}}
    with subprocess.Popen(command, cwd=tmp_path, text=True, **pipes) as tester:
        assert tester.stdout is not None
        for line in tester.stdout:
            if line.startswith(moment):
                tester.send_signal(number)
                break
        _, errors = tester.communicate(timeout=WAIT)
    assert tester.returncode == (130 if number == signal.SIGINT else 128 + signal.SIGTERM), errors
    assert not started_below(tmp_path)
    left = [path.name for path in (own / PLACE).glob("*") if path.is_dir()]
    assert left == ([] if moment == "Installing" else [environments(held)[0].name])
    assert not (own / "deployment-tests").exists()
    assert not list(tmp_path.glob("cellops-*"))


def test_clean_takes_environments_that_nobody_works_in(held: Settings, tmp_path: Path) -> None:
    from filelock import FileLock

    place = tmp_path / ".cellops" / PLACE / "one"
    place.mkdir(parents=True)
    (place / "file").write_text("four")
    found = settings_module.load(tmp_path)
    with FileLock(f"{place}.lock"):
        assert place not in removable(found)
    assert place in removable(found)
    assert clean([place]) == 4
    assert not place.exists()


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://example.org/simple",
        "-e git+https://example.org/evil.git",
        "evil @ https://example.org/evil.whl",
        "./evil.whl",
        "-r other.txt",
        "numpy>=2",
        "numpy==2.0 --config-settings=x=y",
        "numpy==2.0 --hash=sha256:ab --index-url=https://example.org",
    ],
)
def test_requirements_that_name_anything_but_versions_are_refused(line: str) -> None:
    with pytest.raises(DeploymentError, match="holds what is no distribution with its version"):
        requirements.read({SERVING: f"scipy==1.17.1\n{line}\n".encode()})


def test_requirements_are_pins_with_hashes_and_markers_and_cellops_stands_apart() -> None:
    digest = "a" * 64
    serving = (
        f'# for serving\nnumpy==2.4.6 \\\n    --hash=sha256:{digest}\ncellops==9.9\ncolorama==0.4 ; os_name == "nt"\n'
    )
    found = requirements.read({SERVING: serving.encode()})
    assert found.cellops == "9.9"
    assert [line.split("==")[0] for line in found.lines] == ["numpy", "colorama"]
    with pytest.raises(DeploymentError, match="names no distributions"):
        requirements.read({SERVING: b"# of no index: cellops==0.1.0\n"})


def test_the_wheel_of_this_cellops_is_whole_and_always_the_same(tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    made, again = own_wheel.build(tmp_path), own_wheel.build(tmp_path / "again")
    assert made.read_bytes() == again.read_bytes()
    with zipfile.ZipFile(made) as wheel:
        names = set(wheel.namelist())
    assert {"cellops/__main__.py", "cellops/py.typed", "cellops/monitoring/templates/report.html"} <= names
    assert not [name for name in names if "__pycache__" in name]
