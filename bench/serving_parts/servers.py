"""The servers that are measured, each as a process of its own: started, waited for, asked, ended."""

import json
import os
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import pandas as pd

from serving_parts.load import LoadError, Question
from serving_parts.models import Model

PEERS = Path(__file__).parent.parent.parent / ".peers"
TOKEN = "bench"
READY = 120
ECHO = textwrap.dedent(
    """
    import sys

    async def app(scope, receive, send):
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})

    if __name__ == "__main__":
        import uvicorn

        uvicorn.run(app, port=int(sys.argv[1]), lifespan="off", access_log=False, log_level="warning")
    """
)
BENTO = textwrap.dedent(
    """
    import bentoml, joblib, numpy as np, pandas as pd

    @bentoml.service(workers=1)
    class Bench:
        def __init__(self):
            self.model = joblib.load("model.joblib")
            self.names = getattr(self.model, "feature_names_in_", None)

        @bentoml.api(route="/predict")
        def predict(self, inputs: list[list[float | int | str | None]]) -> list:
            return self.model.predict(pd.DataFrame(inputs, columns=self.names)).tolist()
    """
)
LIT = textwrap.dedent(
    """
    import sys
    import joblib, litserve, pandas as pd

    class Bench(litserve.LitAPI):
        def setup(self, device):
            self.model = joblib.load("model.joblib")

        def predict(self, request):
            frame = pd.DataFrame(request["inputs"], columns=self.model.feature_names_in_)
            return {"predictions": self.model.predict(frame).tolist()}

    if __name__ == "__main__":
        litserve.LitServer(Bench(), accelerator="cpu").run(
            port=int(sys.argv[1]), generate_client_file=False, log_level="error"
        )
    """
)
Ask = Callable[[str, Model, pd.DataFrame], Question]


@dataclass(frozen=True)
class Server:
    """How a server is started in a folder on a port, and how it is asked."""

    title: str
    command: Callable[[Model, Path, int], list[str]]
    ask: Ask
    ready: str = "/"
    environment: str | None = None
    """The environment below .peers that it needs; None for our own."""
    installs: tuple[str, ...] = ()
    """What the environment is made of, where the Makefile does not make it."""


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = json.loads(rows.to_json(orient="records"))
    return records


def _lists(rows: pd.DataFrame) -> list[list[Any]]:
    return list(json.loads(rows.to_json(orient="split"))["data"])


def _instances(url: str, model: Model, rows: pd.DataFrame) -> Question:
    of_numbers = all(dtype.kind == "f" for dtype in rows.dtypes)
    body = {"instances": rows.to_numpy().tolist() if of_numbers else _records(rows)}
    return Question.json(f"{url}/v1/models/{model.name}:predict", body, Authorization=f"Bearer {TOKEN}")


def _invocations(url: str, _model: Model, rows: pd.DataFrame) -> Question:
    return Question.json(
        f"{url}/invocations", {"dataframe_split": json.loads(rows.to_json(orient="split", index=False))}
    )


def _inputs(path: str) -> Ask:
    return lambda url, _model, rows: Question.json(f"{url}{path}", {"inputs": _lists(rows)})


def _infer(url: str, model: Model, rows: pd.DataFrame) -> Question:
    tensor = {"name": "inputs", "shape": [*rows.shape], "datatype": "FP64", "data": rows.to_numpy().ravel().tolist()}
    return Question.json(f"{url}/v2/models/{model.name}/infer", {"inputs": [tensor]})


def _echo(_model: Model, folder: Path, port: int) -> list[str]:
    (folder / "echo.py").write_text(ECHO)
    return [sys.executable, "echo.py", str(port)]


def _echo_granian(_model: Model, folder: Path, port: int) -> list[str]:
    (folder / "echo.py").write_text(ECHO)
    granian = _program("granian", "granian")
    return [granian, "--interface", "asginl", "--workers", "1", "--port", str(port), "--no-ws", "echo:app"]


def ours(*options: str) -> Callable[[Model, Path, int], list[str]]:
    return lambda model, _folder, port: [
        *(sys.executable, "-m", "cellops", "serve", str(model.package), "--port", str(port)),
        *options,
    ]


def _mlflow(model: Model, _folder: Path, port: int) -> list[str]:
    served = [_program("mlflow", "mlflow"), "models", "serve", "--model-uri", str(model.folder), "--port", str(port)]
    return [*served, "--env-manager", "local", "--workers", "1"]


def _mlserver(model: Model, folder: Path, port: int) -> list[str]:
    joblib.dump(model.estimator, folder / "model.joblib")
    settings = {
        "name": model.name,
        "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": "./model.joblib"},
    }
    server = {"parallel_workers": 0, "http_port": port, "grpc_port": free_port(), "metrics_port": free_port()}
    (folder / "model-settings.json").write_text(json.dumps(settings))
    (folder / "settings.json").write_text(json.dumps({**server, "host": "127.0.0.1", "debug": False}))
    return [_program("bench-mlserver", "mlserver"), "start", "."]


def _bento(model: Model, folder: Path, port: int) -> list[str]:
    joblib.dump(model.estimator, folder / "model.joblib")
    (folder / "service.py").write_text(BENTO)
    return [_program("bentoml", "bentoml"), "serve", "service:Bench", "--port", str(port), "--host", "127.0.0.1"]


def _lit(model: Model, folder: Path, port: int) -> list[str]:
    joblib.dump(model.estimator, folder / "model.joblib")
    (folder / "lit.py").write_text(LIT)
    return [_program("litserve", "python"), "lit.py", str(port)]


ECHOES = {"echo": Server("bare ASGI echo, uvicorn", _echo, _instances)}
SERVERS = {
    "cellops": Server("cellops", ours(), _instances),
    "granian": Server(
        "bare ASGI echo, granian", _echo_granian, _instances, environment="granian", installs=("granian", "uvloop")
    ),
    "mlflow": Server("mlflow models serve", _mlflow, _invocations, "/ping", "mlflow"),
    "mlserver": Server(
        "MLServer, sklearn",
        *(_mlserver, _infer, "/v2/health/ready", "bench-mlserver"),
        installs=("mlserver", "mlserver-sklearn", "uvloop<0.22"),
    ),
    "bentoml": Server("BentoML", _bento, _inputs("/predict"), "/readyz", "bentoml", ("bentoml", "pandas")),
    "litserve": Server("LitServe", _lit, _inputs("/predict"), "/health", "litserve", ("litserve", "pandas")),
}


def missing(server: Server) -> str | None:
    """Why a server cannot be measured here; its environment is made where pip can make it."""
    if server.environment is None:
        return None
    python = PEERS / server.environment / "bin" / "python"
    if python.exists():
        return None
    if not server.installs:
        return f"`make peers` sets up .peers/{server.environment}"
    import sklearn

    uv = [str(Path(sys.executable).with_name("uv"))]
    wanted = [*server.installs, f"scikit-learn=={sklearn.__version__}"]
    for command in (
        [*uv, "venv", "--quiet", "--python", sys.executable, str(PEERS / server.environment)],
        [*uv, "pip", "install", "--quiet", "--python", str(python), *wanted],
    ):
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            return f"it cannot be installed: {done.stderr.strip().splitlines()[-1:]}"
    return None


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def started(server: Server, model: Model, folder: Path, **more: str) -> Iterator[tuple[str, int]]:
    """A server that answers, with more settings in its environment; gives its address and its process."""
    folder.mkdir(parents=True)
    (folder / ".cellops").mkdir()
    port = free_port()
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("CELLOPS_", "MLFLOW_"))}
    if server.environment is not None:
        bare.pop("PYTHONPATH", None)
    # Peers find their own programs by the path.
    path = f"{PEERS / server.environment / 'bin'}:{bare['PATH']}" if server.environment else bare["PATH"]
    settings = {"CELLOPS_SERVER_TOKEN": TOKEN, "PATH": path}
    with (folder / "said").open("w") as said:
        process = subprocess.Popen(
            server.command(model, folder, port),
            cwd=folder,
            env=bare | settings | more,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(process, url, server, folder)
        yield url, process.pid
    finally:
        # One that has not started is no more.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 15)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)


def _wait(process: "subprocess.Popen[bytes]", url: str, server: Server, folder: Path) -> None:
    until = time.monotonic() + READY
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(url + server.ready, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise LoadError((folder / "said").read_text()[-2000:])


def _program(environment: str, name: str) -> str:
    return str(PEERS / environment / "bin" / name)
