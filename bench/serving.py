"""How many requests a second `cellops serve` answers, beside a bare ASGI echo of the same uvicorn in the same run.

Run it as `python bench/serving.py`; it needs `wrk`. Everything is on: token, contract, log, metrics. One process each.
The model alone, in a loop without a server, says what no server can go beyond.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

TOKEN = "bench"
CONNECTIONS = 16
UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}
ECHO = textwrap.dedent(
    """
    import socket, uvicorn

    async def app(scope, receive, send):
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})

    listener = socket.create_server(("127.0.0.1", 0))
    print(f"Echo on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    config = uvicorn.Config(app, lifespan="off", access_log=False, log_level="warning")
    uvicorn.Server(config).run(sockets=[listener])
    """
)
LUA = """
local file = io.open("{body}", "rb")
wrk.method = "POST"
wrk.body = file:read("*a")
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer {token}"
done = function(summary) io.write("refused " .. summary.errors.status .. "\\n") end
"""


@dataclass(frozen=True)
class Load:
    requests: float
    """A second."""
    median: float
    """Latency in milliseconds; so is the next."""
    tail: float


def build_package(folder: Path) -> tuple[Path, list[list[float]]]:
    """A logistic regression on 30 numbers, and rows to ask about."""
    import mlflow.sklearn

    from cellops.capture.environment.description import read_environment
    from cellops.packaging.build import build_package as build
    from cellops.packaging.contract import build_contract
    from cellops.records.package import Provenance

    data = load_breast_cancer(as_frame=True)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(data.data[:400], data.target[:400])
    mlflow.sklearn.save_model(model, folder / "model", pip_requirements=["scikit-learn"], serialization_format="skops")
    contract = build_contract(
        model, (data.data[:400], data.target[:400]), (data.data[400:], data.target[400:]), suite=None
    )
    provenance = Provenance(
        run="bench",
        mlflow_run_id=None,
        notebook=None,
        commit=None,
        dirty=False,
        seed=None,
        created="2013-01-01T00:00:00+00:00",
        cellops="bench",
        model_type="sklearn.pipeline.Pipeline",
        model_format="skops",
    )
    package = build(folder / "model", contract, read_environment(), provenance, folder / "cancer", name="cancer")
    return package, data.data[:100].to_numpy().tolist()


@contextmanager
def started(command: list[str], folder: Path) -> Iterator[str]:
    """A server that has said that it is ready; gives its address."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("CELLOPS_", "MLFLOW_"))}
    settings = {"CELLOPS_SERVER_TOKEN": TOKEN, "CELLOPS_PROJECT": str(folder)}
    process = subprocess.Popen(command, cwd=folder, env=bare | settings, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        ready = process.stdout.readline()
        yield ready.partition(" on ")[2].split()[0]
    finally:
        process.terminate()
        process.wait()


def load(url: str, question: object, folder: Path, seconds: int) -> Load:
    """Ask as fast as the server answers, after a second of warming up."""
    body, script = folder / "body.json", folder / "ask.lua"
    body.write_text(json.dumps(question))
    script.write_text(LUA.format(body=body, token=TOKEN))
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", "--latency", "-s", str(script), url]
    for duration in (1, seconds):
        said = subprocess.run([*command, f"-d{duration}s"], check=True, capture_output=True, text=True).stdout
    if "refused 0\n" not in said:
        raise SystemExit(f"{url} refused requests:\n{said}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert rate is not None
    return Load(float(rate[1]), _percentile(said, 50), _percentile(said, 99))


def alone(package: Path, rows: list[list[float]], seconds: int) -> Load:
    """The model as the server calls it, in a loop."""
    from cellops.data.decoder import decode_rows
    from cellops.packaging.load import load_package

    loaded = load_package(package)
    columns = decode_rows(loaded.contract.schema, rows)
    times = []
    until = time.perf_counter() + seconds
    while (begun := time.perf_counter()) < until:
        loaded.predictor.predict(columns)
        times.append(time.perf_counter() - begun)
    median, tail = np.quantile(times, (0.5, 0.99)) * 1e3
    return Load(len(times) / sum(times), median, tail)


def _percentile(said: str, share: int) -> float:
    found = re.search(rf"\s{share}%\s+([\d.]+)(us|ms|s)\n", said)
    assert found is not None
    return float(found[1]) * UNITS[found[2]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=5, help="for each measurement")
    seconds = parser.parse_args().seconds
    if shutil.which("wrk") is None:
        print("wrk is not installed: the servers are not measured (Debian and Ubuntu: apt-get install wrk)")
        return
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        package, rows = build_package(folder)
        (folder / "echo.py").write_text(ECHO)
        print("| server | rows | req/s | p50 ms | p99 ms | of echo |")
        print("|---|---|---|---|---|---|")
        serve = [sys.executable, "-m", "cellops", "serve", str(package), "--port", "0"]
        with started([sys.executable, "echo.py"], folder) as echo, started(serve, folder) as ours:
            for count in (1, 100):
                asked = questions(echo, ours, rows[:count])
                loads = {name: load(url, question, folder, seconds) for name, (url, question) in asked.items()}
                floor = next(iter(loads.values())).requests
                loads["the model alone"] = alone(package, rows[:count], seconds)
                for name, measured in loads.items():
                    times = f"{measured.median:.1f} | {measured.tail:.1f}"
                    print(f"| {name} | {count} | {measured.requests:.0f} | {times} | {measured.requests / floor:.1%} |")


def questions(echo: str, ours: str, rows: list[list[float]]) -> dict[str, tuple[str, object]]:
    """The same rows for each server, with where to send them; the floor first."""
    tensor = {"name": "table", "shape": [len(rows), len(rows[0])], "datatype": "FP64", "data": rows}
    return {
        "bare ASGI echo": (echo, {"instances": rows}),
        "cellops, KServe V1": (f"{ours}/v1/models/cancer:predict", {"instances": rows}),
        "cellops, Open Inference V2": (f"{ours}/v2/models/cancer/infer", {"inputs": [tensor]}),
        "cellops, MLflow": (f"{ours}/invocations", {"inputs": rows}),
    }


if __name__ == "__main__":
    main()
