"""A sweep: `cellops sweep` beside bare executions of the same code, Optuna called by hand, and a loop over papermill.

Run it as a script; it prints a Markdown table. Each side is whole processes, two at a time, in one run: the floor
executes the code of the notebook in two processes that import once; Optuna calls it as a function in two processes over
one study in a file; papermill executes the notebook in two processes, one kernel a trial. Ours executes it in a fresh
kernel a trial, with a record, an executed notebook and a run in MLflow for each, in a project with a tracking store.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import nbformat

PARAMETERS = "lr: float = 0.1\nleaf: int = 20"
WORK = """
import numpy as np
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import roc_auc_score
generator = np.random.default_rng(7)
x = generator.normal(size=(4000, 20))
y = (x[:, 0] * x[:, 1] + x[:, 2] + generator.normal(size=4000) > 0).astype(int)
fitted = GradientBoostingClassifier(learning_rate=lr, n_estimators=ROUNDS, min_samples_leaf=leaf, random_state=7)
fitted.fit(x[:3000], y[:3000])
auc = roc_auc_score(y[3000:], fitted.predict_proba(x[3000:])[:, 1])
"""
FLOOR = """
import sys
code, trials = compile(open(sys.argv[1]).read(), "work", "exec"), int(sys.argv[2])
for number in range(trials):
    exec(code, {"lr": 0.01 + number / 1000, "leaf": 5 + number})
"""
OPTUNA = """
import sys, optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
code, trials = compile(open(sys.argv[1]).read(), "work", "exec"), int(sys.argv[2])
def objective(trial):
    names = {"lr": trial.suggest_float("lr", 0.01, 0.3, log=True), "leaf": trial.suggest_int("leaf", 5, 50)}
    exec(code, names)
    return names["auc"]
optuna.logging.set_verbosity(optuna.logging.ERROR)
storage = JournalStorage(JournalFileBackend(sys.argv[3]))
study = optuna.create_study(direction="maximize", storage=storage, study_name="bench", load_if_exists=True)
study.optimize(objective, n_trials=trials)
"""
PAPERMILL = """
import sys, papermill
notebook, trials, output = sys.argv[1], int(sys.argv[2]), sys.argv[3]
for number in range(trials):
    given = {"lr": 0.01 + number / 1000, "leaf": 5 + number}
    papermill.execute_notebook(notebook, f"{output}-{number}.ipynb", parameters=given, progress_bar=False)
"""
LENGTH = """
import sys, time
code, length = open(sys.argv[1]).read(), float(sys.argv[2])
def taken(rounds):
    before = time.process_time()
    exec(compile(code.replace("ROUNDS", str(rounds)), "work", "exec"), {"lr": 0.1, "leaf": 20})
    return time.process_time() - before
taken(1)
few, many = min(taken(5), taken(5)), taken(85)
print(max(1, round(5 + 80 * (length - few) / (many - few))))
"""
"""Prints how many rounds of boosting take so many seconds of a processor, once all is imported."""
AT_ONCE = 2


def rounds_of(length: float, folder: Path) -> int:
    """How many rounds of boosting take so many seconds on this machine, two at a time as later."""
    script = folder / "length.py"
    script.write_text(WORK, encoding="utf-8")
    own = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", LENGTH, str(script), str(length)]
    running = [subprocess.Popen(command, env=own, stdout=subprocess.PIPE, text=True) for _ in range(AT_ONCE)]
    said = [process.communicate()[0] for process in running]
    return round(sum(map(int, said)) / len(said))


def seconds(commands: list[list[str]], folder: Path) -> tuple[float, float]:
    """Of processes that run at once: how long they take, and their share of the processors with that of their own."""
    own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    own |= {"PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir()) / "cellops-bench"), "OMP_NUM_THREADS": "1"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    before, started = os.times(), time.perf_counter()
    running = [subprocess.Popen(command, cwd=folder, env=own, **quiet) for command in commands]
    for command, process in zip(commands, running, strict=True):
        if process.wait():
            raise subprocess.CalledProcessError(process.returncode, command)
    taken, after = time.perf_counter() - started, os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return taken, spent


def prepare(folder: Path, rounds: int) -> tuple[Path, Path, Path]:
    """The code as a script, and as notebooks for cellops and for papermill."""
    code = WORK.replace("ROUNDS", str(rounds))
    script = folder / "work.py"
    script.write_text(code, encoding="utf-8")
    ours, theirs = folder / "ours.ipynb", folder / "theirs.ipynb"
    write(["%load_ext cellops", f"%%mlops parameters\n{PARAMETERS}", f"%%mlops run{code}"], ours)
    write([PARAMETERS, code], theirs)
    return script, ours, theirs


def write(sources: list[str], path: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    for cell in notebook.cells:
        if cell.source.startswith("lr"):
            cell.metadata["tags"] = ["parameters"]
    nbformat.write(notebook, path)


def bench(folder: Path, trials: int, rounds: int, sides: set[str], turns: int) -> None:
    script, ours, theirs = prepare(folder, rounds)
    each = str(trials // AT_ONCE)
    python = [sys.executable, "-c"]
    search = [
        *(sys.executable, "-m", "cellops", "sweep", str(ours), "-p", "lr", "0.01:0.3:log", "-p", "leaf", "5..50"),
        *("--metric", "auc", "--jobs", str(AT_ONCE)),
    ]
    seconds([[sys.executable, "-m", "cellops", "execute", str(ours)]], folder)  # a project has a tracking store
    commands = {
        "bare executions in two processes": [[*python, FLOOR, str(script), each]] * AT_ONCE,
        "`cellops sweep --jobs 2`": [[*search, "--trials", str(trials)]],
        "Optuna by hand, two processes": [[*python, OPTUNA, str(script), each, str(folder / "study.log")]] * AT_ONCE,
        "papermill in a loop, two processes": [
            [*python, PAPERMILL, str(theirs), each, str(folder / f"executed-{number}")] for number in range(AT_ONCE)
        ],
    }
    floor = next(iter(commands))
    asked = [side for side in commands if side == floor or not sides or any(word in side for word in sides)]
    found: dict[str, list[tuple[float, float]]] = {side: [] for side in asked}
    for _ in range(turns):
        for side in asked:
            found[side].append(seconds(commands[side], folder))
            (folder / "study.log").unlink(missing_ok=True)
    print(f"| {trials} trials, two at a time | s | of the bare executions | processors, s |\n|---|---|---|---|")
    for side, runs in found.items():
        # Each beside the bare executions of its own turn: what else the machine does is the same for both.
        ratio = median(taken / bare for (taken, _), (bare, _) in zip(runs, found[floor], strict=True))
        taken, spent = (median(each) for each in zip(*runs, strict=True))
        print(f"| {side} | {taken:.1f} | {ratio:.2f} | {spent:.1f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=40, help="of each side")
    parser.add_argument("--length", type=float, default=2.0, help="of a trial, in seconds of a processor")
    parser.add_argument("--turns", type=int, default=1, help="of all sides, of which the median counts")
    parser.add_argument("--side", action="append", default=[], help="a word of its name; the bare executions always")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / ".cellops").mkdir()
        rounds = rounds_of(given.length, folder)
        bench(folder, given.trials, rounds, set(given.side), given.turns)


if __name__ == "__main__":
    main()
