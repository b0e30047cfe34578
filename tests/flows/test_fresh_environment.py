"""Runs of a small environment, executed again in one that is built from their lock."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cellops.errors import VerificationError
from cellops.flows.verify import verify
from cellops.records.proof import Verdict
from cellops.settings import Settings, load
from support.kernel import Kernel

NEEDED = ("click", "cloudpickle", "filelock", "ipykernel", "msgspec", "numpy", "xxhash")
OLDER = "packaging==24.0"
"""Of a package that this environment has in a newer version."""
SOURCE = Path(__file__).parents[2] / "src"
CELLS = (
    "import numpy as np\nimport packaging",
    "noise = np.random.default_rng(7).normal(size=100)",
    "%%mlops run --name seeded\nmean = float(noise.mean())",
    "%%mlops run --name versioned\nversion = packaging.__version__.split('.')\nyear = int(version[0])",
    "fresh = np.random.default_rng()",
    "%%mlops run --name unseeded\ndrawn = float(fresh.random())",
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A project whose runs were made in a small environment of their own."""
    folder = tmp_path_factory.mktemp("fresh")
    project = folder / "project"
    project.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CELLOPS_PROJECT", str(project))
        patch.setenv("CELLOPS_WRITER", "false")
        patch.delenv("PYTHONPATH", raising=False)
        found = load()
        record(project, install(folder / "environment"), folder / "jupyter")
        yield found


def install(folder: Path) -> Path:
    """Make an environment with what a kernel with cellops needs, and give its Python."""
    uv = [str(Path(sys.executable).with_name("uv"))]
    python = folder / "bin" / "python"
    lines = (SOURCE.parent / "constraints.txt").read_text().splitlines(keepends=True)
    tested = folder.with_name("constraints.txt")
    tested.write_text("".join(line for line in lines if not line.startswith("packaging==")))
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
    pip = [*uv, "pip", "install", "--quiet", "--python", str(python)]
    subprocess.run([*pip, "-c", str(tested), *NEEDED, OLDER], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "cellops.pth").write_text(f"{SOURCE}\n")
    return python


def record(project: Path, python: Path, specifications: Path) -> None:
    """Have the cells executed by the Python of an environment."""
    specification = specifications / "kernels" / "python3" / "kernel.json"
    specification.parent.mkdir(parents=True)
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    specification.write_text(json.dumps({"argv": argv, "display_name": "small", "language": "python"}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(specifications))
        kernel = Kernel(project, {})
    try:
        for source in ("%load_ext cellops", *CELLS):
            done = kernel.run(source)
            assert done.status == "ok", done.traceback
        (used,) = {run.environment.distributions["packaging"] for run in kernel.closed() if run.environment}
        assert used == OLDER.partition("==")[2]
    finally:
        kernel.stop()


def test_a_seeded_run_is_identical_in_a_new_environment(settings: Settings) -> None:
    proof = verify("seeded", environment="fresh", settings=settings)
    assert (proof.verdict, proof.causes, proof.packages) == (Verdict.IDENTICAL, (), {}), proof.cells
    assert (proof.environment, proof.notes) == ("fresh", ())


def test_a_package_of_another_version_is_put_right_by_a_new_environment(settings: Settings) -> None:
    same = verify("versioned", settings=settings)
    assert same.verdict is Verdict.DIVERGED
    assert same.causes[0].code == "changed-package"
    assert same.packages["packaging"][0] == "24.0"
    fresh = verify("versioned", environment="fresh", settings=settings)
    assert (fresh.verdict, fresh.packages) == (Verdict.IDENTICAL, {}), fresh.cells


def test_what_nobody_has_seeded_diverges_in_a_new_environment_too(settings: Settings) -> None:
    proof = verify("unseeded", environment="fresh", settings=settings)
    assert proof.verdict is Verdict.DIVERGED
    assert proof.causes[0].code == "unseeded-randomness"


def test_a_lock_that_cannot_be_rebuilt_is_one_line(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith(("UV_", "PIP_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path))
    with pytest.raises(VerificationError, match="The lock of the run cannot be rebuilt: ") as refused:
        verify("seeded", environment="fresh", settings=settings)
    assert "\n" not in refused.value.text()
