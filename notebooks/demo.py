"""The whole way on real flights: train, track, package, serve, watch. `make demo` runs this."""

import http.client
import json
import os
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "demo-output"
PARAMETERS = {"train_months": "[1, 2, 3]", "seed": "7", "max_iterations": "150"}
LABELS_AFTER = pd.Timedelta(hours=6)
"""When it is known whether a flight was late: the longest of these flights takes six hours."""
STAGES = 5
JSON = dict[str, object]


def main() -> None:
    started = time.perf_counter()
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir()
    later = OUTPUT / "later_flights.parquet"

    stage(1, "Execute notebooks/flight_delays.ipynb by papermill, and track its run in MLflow")
    print(
        "  Its first cells read a year of flights; the cell that trains takes the longest, up to a minute or two",
        flush=True,
    )
    # The kernel works in the notebook's folder.
    parameters = PARAMETERS | {"later": os.path.relpath(later, ROOT / "notebooks")}
    given = [word for name, value in parameters.items() for word in ("-p", name, value)]
    cellops("execute", "notebooks/flight_delays.ipynb", *given, "--output", str(OUTPUT / "flight_delays.ipynb"))

    stage(2, "Export the package: model, contract, environment, digests")
    package = OUTPUT / "package"
    cellops("package", "last", "--output", str(package))

    stage(3, "Serve it, and replay the flights of April hour by hour, with their labels hours later")
    flights = pd.read_parquet(later)
    log = OUTPUT / "prediction_log"
    with served(package, log) as client:
        replay(client, flights[flights["time"].dt.month == 4], package)

    stage(4, "Hold the logged predictions of April against the package")
    cellops("drift", str(package), "--log", str(log), "--output", str(OUTPUT / "drift_april_served"))

    stage(5, "Hold April to December against the package, month by month: performance beside drift")
    report = OUTPUT / "drift_by_month"
    cellops("drift", str(package), str(later), "--time", "time", "--label", "late", "--output", str(report))

    summary(time.perf_counter() - started)


def stage(number: int, title: str) -> None:
    print(f"\n[{number}/{STAGES}] {title}", flush=True)


def cellops(*words: str) -> None:
    """Type a command as a person would, and stop the demo where it fails."""
    print(f"$ {typed(words)}", flush=True)
    done = subprocess.run([sys.executable, "-m", "cellops", *words], cwd=ROOT, check=False)
    if done.returncode:
        sys.exit(f"The demo stops here: cellops {words[0]} ended with exit code {done.returncode}")


def typed(words: Sequence[str]) -> str:
    """A command as it can be pasted into a shell in this checkout."""
    return shlex.join([".venv/bin/cellops", *(word.replace(str(ROOT) + os.sep, "") for word in words)])


class Client:
    """Talks to the server as any client of KServe's protocol would, over one connection."""

    def __init__(self, url: str, token: str, name: str) -> None:
        place = urlsplit(url)
        self._connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=60)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.name = name

    def post(self, path: str, body: JSON, **headers: str) -> http.client.HTTPMessage:
        """Send a question or labels; gives the headers of the answer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request("POST", path, json.dumps(body), self._headers | named)
        response = self._connection.getresponse()
        answer: JSON = json.loads(response.read())
        if response.status != http.HTTPStatus.OK:
            sys.exit(f"The server answered {response.status}: {answer}")
        return response.headers


@contextmanager
def served(package: Path, log: Path) -> Iterator[Client]:
    """Start `cellops serve` on a free port and stop it as an operator would."""
    token = secrets.token_urlsafe(16)
    words = ["serve", str(package), "--port", "0", "--log", str(log)]
    print(f"$ CELLOPS_SERVER_TOKEN=… {typed(words)}", flush=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "cellops", *words],
        cwd=ROOT,
        env=os.environ | {"CELLOPS_SERVER_TOKEN": token},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Client(address(process), token, package.name)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


def address(process: "subprocess.Popen[str]") -> str:
    """The address in the line that the server prints when it is ready."""
    assert process.stdout is not None
    for line in process.stdout:
        print(f"  {line.rstrip()}", flush=True)
        if " on http://" in line:
            return line.partition(" on ")[2].split()[0]
    sys.exit("The server did not start")


def replay(client: Client, flights: pd.DataFrame, package: Path) -> None:
    """Send each hour's departures as one request, and labels once the replayed clock has passed their arrival."""
    inputs = [field["name"] for field in json.loads((package / "contract" / "schema.json").read_text())["inputs"]]
    waiting: list[tuple[pd.Timestamp, list[JSON]]] = []
    begun = time.perf_counter()
    sent = 0
    for hour, departures in flights.groupby("time"):
        assert isinstance(hour, pd.Timestamp)
        while waiting and waiting[0][0] <= hour:
            client.post("/feedback", {"labels": waiting.pop(0)[1]})
        request = f"april-{hour:%d-%H}"
        rows = departures[inputs].astype(object).where(departures[inputs].notna(), None).to_dict("records")
        when = hour.isoformat()
        question = {"instances": rows}
        told = client.post(f"/v1/models/{client.name}:predict", question, X_Request_Id=request, X_Event_Time=when)
        prediction = told["X-Prediction-Id"]
        known = hour + LABELS_AFTER
        labels = [
            {"prediction_id": f"{prediction}:{row}", "label": late, "observed": known.isoformat()}
            for row, late in enumerate(departures["late"].tolist())
        ]
        waiting.append((known, labels))
        sent += len(rows)
    for _, labels in waiting:
        client.post("/feedback", {"labels": labels})
    seconds = time.perf_counter() - begun
    print(f"  {sent:,} flights answered and labelled in {seconds:.1f} s, {sent / seconds:,.0f} a second", flush=True)


def summary(seconds: float) -> None:
    shown = OUTPUT.relative_to(ROOT)
    store = os.environ.get("MLFLOW_TRACKING_URI", "sqlite:///.cellops/mlflow.db")
    print(
        f"""
Done in {seconds:.0f} s. Where everything lies:
  executed notebook   {shown}/flight_delays.ipynb
  run in MLflow       .venv/bin/mlflow ui --backend-store-uri {store}
  package             {shown}/package
  prediction log      {shown}/prediction_log
  report by month     {shown}/drift_by_month/drift.html (and drift.json)
  report of April     {shown}/drift_april_served/drift.html, from the server's own log
Try it by hand: .venv/bin/jupyter lab notebooks/flight_delays.ipynb"""
    )


if __name__ == "__main__":
    main()
