"""From a run to a package, and from a package to a server that is ready, each as a whole process.

Run it as a script; it prints a Markdown table. The model is that of notebooks/flight_delays.ipynb, executed once in a
project of its own, which `--project FOLDER` keeps for the next time. `cellops package last` stands beside one
`mlflow.sklearn.log_model` with its defaults, into an empty local store, in a process that is given the same model in a
file; `cellops serve` beside the import of the libraries that its model and its server cannot do without.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "flight_delays.ipynb"
LOG_MODEL = textwrap.dedent(
    """
    import sys
    import mlflow, skops.io

    types = skops.io.get_untrusted_types(file=sys.argv[1])
    model = skops.io.load(sys.argv[1], trusted=types)
    with mlflow.start_run():
        mlflow.sklearn.log_model(model, name="model", skops_trusted_types=types)
    """
)
IMPORTS = "import pandas, sklearn.compose, sklearn.ensemble, sklearn.pipeline, uvicorn"
READY = 60


def variables(project: Path) -> dict[str, str]:
    """Of each process; compiled modules are kept, as an installed package has them."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("CELLOPS_", "MLFLOW_"))}
    own.pop("PYTHONDONTWRITEBYTECODE", None)
    own["PYTHONPYCACHEPREFIX"] = str(Path(tempfile.gettempdir()) / "cellops-bench")
    return own | {"CELLOPS_PROJECT": str(project)}


def run(command: list[str], project: Path, folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, env=variables(project), capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")


def seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def cellops(*words: str) -> list[str]:
    return [sys.executable, "-m", "cellops", *words]


def trained(project: Path) -> None:
    """A run of the notebook, unless the project has one."""
    if (project / ".cellops" / "mlflow.db").exists():
        return
    print("Executing the notebook once: a minute", file=sys.stderr)
    (project / ".cellops").mkdir(parents=True)
    notebook = shutil.copy(NOTEBOOK, project)
    run(cellops("execute", str(notebook), "--output", str(project / "executed.ipynb")), project, project)


def served(package: Path, project: Path, log: Path) -> float:
    """Seconds from the start of the process until its readiness is answered over HTTP."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        cellops("serve", str(package), "--port", "0", "--log", str(log)),
        cwd=project,
        env=variables(project) | {"CELLOPS_SERVER_TOKEN": "bench"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if " on http://" not in line:
            sys.exit(f"The server did not start: {line}")
        url = line.partition(" on ")[2].split()[0]
        with urllib.request.urlopen(f"{url}/v2/health/ready", timeout=READY) as answer:
            assert answer.status == 200
        return time.perf_counter() - begun
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", type=Path, help="a folder that keeps the trained run")
    parser.add_argument("--repetitions", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        project = (given.project or folder / "project").resolve()
        trained(project)
        run(cellops("package", "last", "-o", str(folder / "package")), project, folder)
        model = str(folder / "package" / "model.skops")
        sides: dict[str, Callable[[Path], float]] = {
            "`cellops package last`": lambda place: seconds(
                lambda: run(cellops("package", "last", "-o", str(place / "package")), project, place)
            ),
            "`mlflow.sklearn.log_model`, its defaults": lambda place: seconds(
                lambda: run([sys.executable, "-c", LOG_MODEL, model], place, place)
            ),
            "`cellops serve`, until it is ready": lambda place: served(folder / "package", project, place / "log"),
            "the imports alone: pandas, scikit-learn, uvicorn": lambda place: seconds(
                lambda: run([sys.executable, "-c", IMPORTS], project, place)
            ),
        }
        taken: dict[str, list[float]] = {title: [] for title in sides}
        for _ in range(given.repetitions):
            for title, side in sides.items():
                with tempfile.TemporaryDirectory(dir=folder) as place:
                    taken[title].append(side(Path(place)))
        print("| process | fastest, s | median, s |\n|---|---|---|")
        for title, times in taken.items():
            print(f"| {title} | {min(times):.2f} | {sorted(times)[len(times) // 2]:.2f} |")


if __name__ == "__main__":
    main()
