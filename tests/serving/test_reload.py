"""A real server whose packages are replaced while clients ask it, and who may have that done."""

import hashlib
import json
import shutil
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from cellops.monitoring import prediction_log
from cellops.packaging.manifest import write
from cellops.packaging.parity import Parity
from cellops.serving.tokens import TokenScope, add_token
from support.served import TOKEN, Running, build, running

PATH = "/v2/models/flights/infer"
ROW = {"carrier": "UA", "origin": "EWR", "distance": 1400, "hour": 5, "wind_gust": 20.1}
QUESTION = {
    "inputs": [
        {"name": name, "shape": [1], "datatype": "BYTES" if isinstance(value, str) else "FP64", "data": [value]}
        for name, value in ROW.items()
    ]
}
CLIENTS = 4
WAIT = 60


@dataclass(frozen=True)
class Site:
    """A server with an admin port; its package is a link, so that another takes its place in one step."""

    server: Running
    admin: httpx.Client
    link: Path
    versions: dict[str, Path]
    log: Path

    def place(self, name: str) -> str:
        """Put a version where the server's package lies, and give how the server calls it."""
        beside = self.link.with_name("next")
        beside.symlink_to(self.versions[name])
        beside.replace(self.link)
        return version(self.versions[name])

    def said(self) -> str:
        """The next line that the server says."""
        return self.server.process.stdout.readline().strip()

    def load(self, model: str) -> httpx.Response:
        return self.admin.post(f"/v2/repository/models/{model}/load")

    def answers(self, model: str = "flights") -> str:
        """The version that answers."""
        metadata = self.server.client.get(f"/v2/models/{model}")
        return metadata.json()["versions"][-1] if metadata.status_code == 200 else f"{metadata.status_code}"

    def actions(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.log / "admin.jsonl").read_text().splitlines()]


def version(package: Path) -> str:
    return hashlib.sha256((package / "manifest.json").read_bytes()).hexdigest()[:12]


@pytest.fixture(scope="module")
def versions(flights: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Packages of one model: the first, one of another run, and one whose parity rows are wrong."""
    folder = tmp_path_factory.mktemp("versions")
    made = {"first": flights, "second": folder / "second", "wrong": folder / "wrong"}
    for path in (made["second"], made["wrong"]):
        shutil.copytree(flights, path)
    file = made["wrong"] / "contract" / "parity.json"
    parity = Parity.from_json(file.read_bytes())
    file.write_bytes(parity.replace(labels=[1 - label for label in parity.labels]).to_json())
    for name in ("second", "wrong"):
        write(made[name], "flights", name)
    return made


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    build("narrow", folder)
    shutil.rmtree(folder / "model")
    return folder


@pytest.fixture(scope="module")
def site(versions: dict[str, Path], models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    link = folder / "package"
    link.symlink_to(versions["first"])
    tokens = folder / "tokens.json"
    words = ("--admin-port", "0", "--models", str(models))
    with running(link, folder, *words, server_tokens=str(tokens), log_flush_seconds="0.05") as server:
        for _ in ("log", "stop"):
            server.process.stdout.readline()
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with httpx.Client(base_url=server.admin, headers=headers, timeout=WAIT, trust_env=False) as admin:
            yield Site(server, admin, link, versions, folder / "log")


def test_a_reload_under_load_drops_nothing(site: Site) -> None:
    answered: list[tuple[int, str, str]] = []
    stopped, begun = threading.Event(), threading.Barrier(CLIENTS + 1)

    def ask() -> None:
        headers = dict(site.server.client.headers)
        with httpx.Client(
            base_url=site.server.client.base_url, headers=headers, timeout=WAIT, trust_env=False
        ) as client:
            mine: list[tuple[int, str, str]] = []
            while not stopped.is_set():
                answer = client.post(PATH, json=QUESTION)
                mine.append(
                    (answer.status_code, answer.json().get("model_version", ""), answer.headers["x-prediction-id"])
                )
                if len(mine) == 1:
                    begun.wait(WAIT)
            answered.extend(mine)

    clients = [threading.Thread(target=ask) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    begun.wait(WAIT)
    placed = [version(site.versions["first"])]
    for name in ("second", "first", "second"):
        placed.append(site.place(name))
        if name == "first":
            assert site.load("flights").status_code == 200
        else:
            site.server.process.send_signal(signal.SIGHUP)
        assert site.said() == f"flights: {placed[-2]} → {placed[-1]}"
        assert site.answers() == placed[-1]
    stopped.set()
    for client in clients:
        client.join(WAIT)
    assert {status for status, _, _ in answered} == {200}
    assert {by for _, by, _ in answered} == set(placed)
    site.server.process.send_signal(signal.SIGHUP)
    assert site.said() == f"flights is the same as before, {placed[-1]}"
    wanted = {f"{name}:0": by for _, by, name in answered}
    logged: dict[str, str] = {}
    while len(logged) < len(wanted):
        frame = prediction_log.read(site.log / "flights")
        logged = dict(zip(frame["prediction_id"], frame["package"].str[:12], strict=True))
    assert logged == wanted


def test_a_package_that_fails_its_parity_rows_takes_no_place(site: Site) -> None:
    before = site.place("first")
    assert site.load("flights").status_code == 200
    site.said()
    site.place("wrong")
    answer = site.load("flights")
    assert (answer.status_code, "parity row 0" in answer.json()["error"]) == (400, True)
    assert site.said().startswith("flights answers as before: The server answers otherwise")
    assert site.answers() == before
    (entry,) = site.admin.post("/v2/repository/index", json={"ready": True}).json()
    assert (entry["version"], entry["state"], "parity row 0" in entry["reason"]) == (before, "READY", True)
    assert site.server.client.post(PATH, json=QUESTION).json()["model_version"] == before
    site.place("first")
    assert site.load("flights").status_code == 200
    assert site.admin.post("/v2/repository/index").json()[0]["reason"] == ""
    site.said()


def test_models_of_the_folder_are_loaded_and_unloaded(site: Site) -> None:
    assert [entry["state"] for entry in site.admin.post("/v2/repository/index").json()] == ["READY", "UNAVAILABLE"]
    assert site.answers("narrow") == "404"
    assert site.load("narrow").json() == {}
    assert site.said().startswith("narrow: none → ")
    row = {"single": 12.5, "double": 7.0, "byte": 90}
    answer = site.server.client.post("/v1/models/narrow:predict", json={"instances": [row]})
    assert answer.headers["x-model"].startswith("narrow/versions/")
    label = {"labels": [{"prediction_id": f"{answer.headers['x-prediction-id']}:0", "label": 1}]}
    assert site.server.client.post("/feedback", json=label).json() == {"accepted": 1, "unknown": 0}
    assert 'cellops_labels_total{model="narrow"' in site.admin.get("/metrics").text
    unloaded = site.admin.post("/v2/repository/models/narrow/unload", json={"parameters": {"unload_dependents": False}})
    assert unloaded.json() == {}
    assert site.said().endswith("→ none")
    assert site.answers("narrow") == "404"
    logged: list[str] = []
    while not logged:  # the log is closed when the last request has ended, which nobody waits for
        logged = prediction_log.read(site.log / "narrow")["prediction_id"].tolist()
    assert logged == [label["labels"][0]["prediction_id"]]


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("models/other/load", {}, 404, "flights, narrow"),
        ("models/..%2Fversions/load", {}, 404, "/v2/repository/index"),
        ("models/%2e%2e/load", {}, 404, "flights, narrow"),
        ("models/flights/unload", {}, 400, "only model"),
        ("models/flights/load", {"parameters": {"config": "{}"}}, 400, "parameters"),
        ("index", {"ready": 1}, 400, "ready"),
        ("index", {"models": []}, 400, "may have ready"),
        ("index", [], 400, "object"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_reason(
    site: Site, path: str, body: Any, status: int, said: str
) -> None:
    answer = site.admin.post(f"/v2/repository/{path}", json=body)
    assert (answer.status_code, said in answer.json()["error"]) == (status, True), answer.text


def test_only_tokens_of_the_scope_admin_may_act_and_none_on_the_public_port(site: Site) -> None:
    file = site.log.parent / "tokens.json"
    made = {scope: add_token(file, str(scope), [scope]) for scope in TokenScope}
    asked = "/v2/repository/models/flights/load"

    def status(token: str | None, client: httpx.Client = site.admin, path: str = asked) -> int:
        headers = {"Authorization": f"Bearer {token}" if token else ""}
        return client.post(path, headers=headers).status_code

    assert {scope: status(token) for scope, token in made.items()} == dict.fromkeys(made, 403) | {TokenScope.ADMIN: 200}
    assert [status(None), status("other")] == [401, 403]
    assert status(None, path="/v2/repository/index") == 401
    assert status(made[TokenScope.PREDICT], path="/v2/repository/index") == 403
    assert status(TOKEN, site.server.client) == status(made[TokenScope.ADMIN], site.server.client) == 404
    assert status(TOKEN, site.server.client, "/v2/repository/index") == 404
    assert site.admin.post(PATH, json=QUESTION).status_code == 404
    before = version(site.versions["first"])
    assert site.said() == f"flights is the same as before, {before}"
    assert site.actions()[-1]["who"] == "admin"


def test_every_action_is_written_down_before_it_is_answered(site: Site) -> None:
    known = len(site.actions())
    before, after = site.answers(), site.place("second")
    site.load("flights")
    site.place("wrong")
    site.load("flights")
    site.load("unknown")
    site.place("first")
    site.server.process.send_signal(signal.SIGHUP)
    for _ in range(3):
        site.said()
    done, failed, refused, reread = site.actions()[known:]
    assert (done["who"], done["from"], done["action"], done["model"]) == ("token", "127.0.0.1", "load", "flights")
    assert (done["result"], done["trouble"], done["time"][-6:]) == ("done", "", "+00:00")
    (package,) = done["packages"]
    assert (package["before"][:12], package["after"][:12], package["path"]) == (before, after, str(site.link))
    assert (failed["result"], "parity row 0" in failed["trouble"]) == ("failed", True)
    assert failed["packages"][0]["before"] == failed["packages"][0]["after"] == package["after"]
    assert (refused["result"], refused["model"], refused["packages"]) == ("failed", "unknown", [])
    assert (reread["who"], reread["from"], reread["action"], reread["result"]) == ("SIGHUP", "", "reload", "done")
    assert ((site.log / "admin.jsonl").stat().st_mode & 0o777) == 0o600


def test_nothing_is_done_that_cannot_be_written_down(site: Site) -> None:
    file = site.log / "admin.jsonl"
    before = site.answers()
    kept = file.rename(file.with_name("kept"))
    file.mkdir()
    site.place("second")
    answer = site.load("flights")
    assert (answer.status_code, "admin.jsonl" in answer.json()["error"]) == (400, True)
    file.rmdir()
    kept.write_text(kept.read_text() + '{"cut sh')
    kept.rename(file)
    assert site.answers() == before
    site.place("first")
    site.load("flights")
    site.said()
    *_, cut, last = file.read_text().splitlines()
    assert (cut, json.loads(last)["result"]) == ('{"cut sh', "done")
