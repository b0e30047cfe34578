"""Forked kernels are what started ones are, and nothing is left of them."""

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from zipfile import ZipFile

import pytest
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from cellops.capture.temporary import temporary_folder
from cellops.pipeline.forkserver.candidates import modules_of_file
from cellops.pipeline.forkserver.ending import Ahead
from cellops.pipeline.forkserver.forkserver import ForkServer, started_early
from cellops.pipeline.forkserver.process import ForkedKernel
from cellops.pipeline.kernel import KernelManager, forking_command
from support.processes import started

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only")

MODULES = ("numpy", "pandas", "sklearn.ensemble")


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    with ForkServer(MODULES) as started:
        yield started


@asynccontextmanager
async def kernel(
    server: ForkServer | None, folder: Path, environment: dict[str, str] | None = None
) -> AsyncIterator[tuple[KernelManager, AsyncKernelClient]]:
    with temporary_folder() as sockets:
        manager = KernelManager(kernel_name="python3")
        manager.use_sockets(sockets)
        if server is not None:
            manager.use_forkserver(server)
        await manager.start_kernel(env={**os.environ, **(environment or {})}, cwd=str(folder))
        client = manager.client()
        client.start_channels()
        try:
            await client.wait_for_ready(timeout=60)
            yield manager, client
        finally:
            client.stop_channels()
            await manager.shutdown_kernel()


def process_of(manager: KernelManager) -> Any:
    """What a kernel manager takes for the process of its kernel."""
    assert isinstance(manager.provisioner, LocalProvisioner)
    return manager.provisioner.process


async def printed(client: AsyncKernelClient, code: str) -> str:
    """What a cell prints; the traceback of one that fails is an error here."""
    texts: list[str] = []

    def hear(message: dict[str, Any]) -> None:
        texts.append(message["content"].get("text", "") if message["msg_type"] == "stream" else "")

    reply = await client.execute_interactive(code, output_hook=hear, timeout=120)
    assert reply["content"]["status"] == "ok", reply["content"]
    return "".join(texts)


def told(server: ForkServer | None, folder: Path, code: str, environment: dict[str, str] | None = None) -> str:
    """What a cell prints in a kernel of its own, which was forked if there is a server."""

    async def ask() -> str:
        async with kernel(server, folder, environment) as (manager, client):
            assert isinstance(process_of(manager), ForkedKernel) == (server is not None)
            return await printed(client, code)

    return asyncio.run(ask())


SHOWN = """
import os, signal, sys
print([sys.argv[0], sys.path, sys.flags, os.getcwd(), os.getpgid(0) == os.getpid(), os.getsid(0) == os.getpid()])
print(signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGCHLD), signal.getsignal(signal.SIGTERM))
own = {"JPY_PARENT_PID", "JPY_SESSION_NAME", "PYDEVD_USE_FRAME_EVAL"}  # the last is set by the debugger's import
print(sorted((name, value) for name, value in os.environ.items() if name not in own))
import multiprocessing
print(sys.modules["__mp_main__"] is sys.modules["__main__"], sys.modules["__main__"])
print(os.path.realpath("/proc/self/fd/0"))
"""


def test_a_forked_kernel_looks_like_a_started_one(server: ForkServer, tmp_path: Path) -> None:
    forked, started = told(server, Path.cwd(), SHOWN), told(None, Path.cwd(), SHOWN)
    before, after = forked.splitlines(), started.splitlines()
    assert before[:-1] == after[:-1]
    assert before[-1] == "/dev/null"


def test_a_forked_kernel_can_import_the_debugger_that_it_does_without(server: ForkServer) -> None:
    code = "import sys; print('debugpy' in sys.modules); import debugpy; print(debugpy.__name__)"
    assert told(server, Path.cwd(), code) == "False\ndebugpy\n"


def test_the_environment_is_that_of_each_kernel(server: ForkServer) -> None:
    code = "import os; print(os.environ.get('OWN'))"
    assert told(server, Path.cwd(), code, {"OWN": "mine"}) == "mine\n"
    assert told(server, Path.cwd(), code) == "None\n"


def test_names_and_modules_of_one_kernel_are_not_in_the_next(server: ForkServer) -> None:
    told(server, Path.cwd(), "import numpy, this; kept = 1; numpy.kept = 2")
    code = "import sys, numpy; print('kept' in globals(), hasattr(numpy, 'kept'), 'this' in sys.modules)"
    assert told(server, Path.cwd(), code) == "False False False\n"


def test_each_kernel_draws_its_own_random_numbers(server: ForkServer) -> None:
    code = "import random, numpy, uuid; print(random.random(), numpy.random.rand(), uuid.uuid4(), sep='\\n')"
    drawn = [line for _ in range(3) for line in told(server, Path.cwd(), code).splitlines()]
    assert len(set(drawn)) == 9


PARALLEL = """
import numpy as np, pandas as pd, multiprocessing, subprocess, sys, threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from joblib import Parallel, delayed
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
generator = np.random.default_rng(1)
wide = generator.normal(size=(600, 600))
print(round(float(np.abs(wide @ np.linalg.inv(wide) - np.eye(600)).max()), 6))
X, y = generator.normal(size=(4000, 8)), generator.integers(0, 2, 4000)
print(HistGradientBoostingClassifier(max_iter=5, random_state=1).fit(X, y).score(X, y) > 0.5)
print(RandomForestClassifier(4, n_jobs=2, random_state=1).fit(X, y).score(X, y) > 0.9)
print(Parallel(n_jobs=2)(delayed(abs)(-i) for i in range(3)), list(ThreadPoolExecutor(2).map(abs, [-1])))
print(multiprocessing.get_context("fork").Pool(2).map(abs, [-1, -2]))
print(subprocess.run([sys.executable, "-c", "print('child')"], capture_output=True, text=True).stdout.strip())
table = pd.DataFrame({"key": ["a", "b"] * 5000, "value": range(10_000)})
print(table.groupby("key")["value"].sum().to_dict())
"""


def test_threads_and_processes_work_in_a_forked_kernel(server: ForkServer) -> None:
    shown = told(server, Path.cwd(), PARALLEL)
    assert shown == told(None, Path.cwd(), PARALLEL)
    assert shown.splitlines()[:3] == ["0.0", "True", "True"]


def test_arrow_reads_and_writes_with_its_threads_in_a_forked_kernel(server: ForkServer, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    code = f"""
import pandas as pd
pd.DataFrame({{"a": range(300_000), "b": "x"}}).to_parquet({str(tmp_path / "t.parquet")!r}, row_group_size=1000)
print(int(pd.read_parquet({str(tmp_path / "t.parquet")!r})["a"].sum()))
"""
    assert told(server, Path.cwd(), code) == f"{sum(range(300_000))}\n"


def test_what_a_kernel_has_not_closed_is_written_at_its_end(server: ForkServer, tmp_path: Path) -> None:
    file, late = tmp_path / "open.txt", tmp_path / "late.txt"
    told(
        server,
        Path.cwd(),
        f"import atexit; held = open({str(file)!r}, 'w'); held.write('all')\n"
        f"class Late:\n    def __del__(self):\n        open({str(late)!r}, 'w').write('too')\n"
        "ring = [Late()]; ring.append(ring)",
    )
    assert (file.read_text(), late.read_text()) == ("all", "too")


def test_what_a_module_of_the_project_has_not_closed_is_written_too(server: ForkServer, tmp_path: Path) -> None:
    archive, log, ended = tmp_path / "a.zip", tmp_path / "log.txt", tmp_path / "ended.txt"
    (tmp_path / "keeps_open.py").write_text(
        "import threading, zipfile\n"
        f"log = open({str(log)!r}, 'w')\narchive = zipfile.ZipFile({str(archive)!r}, 'w')\n"
        f"def end():\n    threading.main_thread().join()\n    open({str(ended)!r}, 'w').write('ended')\n"
        "threading.Thread(target=end).start()\n",
        encoding="utf-8",
    )
    told(
        server,
        Path.cwd(),
        f"import sys; sys.path.append({str(tmp_path)!r}); import keeps_open\n"
        "keeps_open.log.write('all'); keeps_open.archive.writestr('b', 'too')",
    )
    assert (log.read_text(), ZipFile(archive).read("b"), ended.read_text()) == ("all", b"too", "ended")


def test_an_interrupt_reaches_the_cell(server: ForkServer) -> None:
    async def interrupt() -> tuple[str, str]:
        async with kernel(server, Path.cwd()) as (manager, client):
            begun = asyncio.Event()

            def hear(message: dict[str, Any]) -> None:
                if message["msg_type"] == "stream":
                    begun.set()

            code = "import threading; print('begun', flush=True); threading.Event().wait()"
            asked = asyncio.ensure_future(client.execute_interactive(code, output_hook=hear, timeout=60))
            await asyncio.wait_for(begun.wait(), 60)
            await manager.interrupt_kernel()
            return (await asked)["content"]["ename"], await printed(client, "print('alive')")

    assert asyncio.run(interrupt()) == ("KeyboardInterrupt", "alive\n")


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "the kernel was killed by signal 9 (SIGKILL)"),
        ("import os; os._exit(7)", "the kernel ended by itself with exit code 7"),
    ],
)
def test_how_a_kernel_ended_is_known(server: ForkServer, code: str, cause: str) -> None:
    async def end() -> str:
        async with kernel(server, Path.cwd()) as (manager, client):
            client.execute(code)
            await asyncio.wait_for(asyncio.to_thread(process_of(manager).wait), 60)
            return await manager.cause_of_death()

    assert asyncio.run(end()).startswith(cause)


def test_kernels_end_with_the_process_that_they_were_forked_from(tmp_path: Path) -> None:
    pipe = tmp_path / "fifo"
    os.mkfifo(pipe)
    code = f"""
import threading
held = open({str(pipe)!r}, "w")
print("begun", file=held, flush=True)
threading.Event().wait()
"""

    before = children(os.getpid())

    async def lose() -> tuple[int | None, bool]:
        with ForkServer() as own:
            async with kernel(own, Path.cwd()) as (manager, client):
                client.execute(code)
                with await asyncio.to_thread(pipe.open) as held:
                    held.readline()
                    [parent] = children(os.getpid(), besides=before)
                    os.kill(parent, signal.SIGKILL)
                    assert await asyncio.to_thread(held.read) == ""  # the end of the file is the kernel's
                ended = process_of(manager).wait(60)
            async with kernel(own, Path.cwd()) as (manager, client):
                return ended, isinstance(process_of(manager), ForkedKernel)

    assert asyncio.run(lose()) == (-9, False)


def test_a_killed_owner_leaves_nothing_running(tmp_path: Path) -> None:
    owner = f"""
import os, sys, threading
from cellops.pipeline.forkserver.process import ForkingProcess
process = ForkingProcess([sys.executable], os.environ, {str(tmp_path)!r})
print(process.problem([]), flush=True)
threading.Event().wait()
"""
    with started([sys.executable, "-c", owner], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "None\n"
        [found] = children(running.pid)
        watched = os.pidfd_open(found)
        running.kill()
        assert select.select([watched], [], [], 60)[0], "it goes on after a minute"


def children(process: int, besides: Collection[int] = ()) -> list[int]:
    """The processes that another has started, in any of its threads."""
    lists = [path.read_text() for path in Path(f"/proc/{process}/task").glob("*/children")]
    return [int(number) for text in lists for number in text.split() if int(number) not in besides]


def test_a_fork_that_fails_costs_no_other_kernel(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os\nfork, left = os.fork, [1]\n"
        "def once():\n"
        "    if not left: raise BlockingIOError(11, 'no more processes')\n"
        "    left.pop()\n"
        "    return fork()\n"
        "os.fork = once"
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])

    async def fork_twice() -> tuple[bool, bool, str]:
        async with kernel(own, Path.cwd(), {"PYTHONPATH": path}) as (one, client):
            async with kernel(own, Path.cwd(), {"PYTHONPATH": path}) as (other, _):
                forked = isinstance(process_of(one), ForkedKernel), isinstance(process_of(other), ForkedKernel)
            return *forked, await printed(client, "print('alive')")

    with ForkServer() as own:
        assert asyncio.run(fork_twice()) == (True, False, "alive\n")


def test_nobody_waits_for_a_process_that_has_not_begun_and_is_given_up(tmp_path: Path) -> None:
    pipe = tmp_path / "fifo"
    os.mkfifo(pipe)
    never = f"import threading; f = open({str(pipe)!r}, 'w'); print(1, file=f, flush=True); threading.Event().wait()"
    command = [sys.executable, "-c", never, "-m", "ipykernel_launcher", "-f", "x"]
    with ForkServer() as own, ThreadPoolExecutor(1) as pool:
        started = pool.submit(own.start, command, os.environ, str(tmp_path))
        with pipe.open() as held:
            held.readline()
            own.give_up()
            assert held.read() == ""  # the end of the file is that of the process
        assert started.result(60) is None


def test_a_process_that_begins_ahead_forks_the_first_kernel() -> None:
    with ForkServer() as server:
        server.begin(lambda: forking_command("python3"), os.environ, str(Path.cwd()))
        begun = told(server, Path.cwd(), "import os; print(os.getppid())")
        assert told(server, Path.cwd(), "import os; print(os.getppid())") == begun


def test_a_process_that_begins_ahead_of_nothing_leaves_nothing() -> None:
    with ForkServer() as server:
        server.begin(lambda: forking_command("python3"), os.environ, str(Path.cwd()))
    assert server.start(["python", "-m", "ipykernel_launcher"], os.environ, str(Path.cwd())) is None


def test_a_program_beside_kernels_outlives_what_it_was_forked_from(tmp_path: Path) -> None:
    said, place = tmp_path / "said", dict(os.environ)
    os.mkfifo(said)  # it cannot begin before somebody reads what it says
    with ForkServer() as server:
        server.begin(lambda: forking_command("python3"), place, str(tmp_path))
        program = server.program(("sync", "--help"), place, tmp_path, said)
        assert program is not None
    assert program.poll() is None
    assert "cellops sync [OPTIONS]" in said.read_text(encoding="utf-8")
    assert program.wait() == 0
    assert program.poll() == 0


def test_a_program_that_fails_says_why(tmp_path: Path) -> None:
    said, place = tmp_path / "said", dict(os.environ)
    with ForkServer() as server:
        server.begin(lambda: forking_command("python3"), place, str(tmp_path))
        program = server.program(("sinc",), place, tmp_path, said)
        assert program is not None
        program.wait()
    assert "sinc" in said.read_text(encoding="utf-8")


def test_where_no_kernel_can_be_forked_no_program_is(tmp_path: Path) -> None:
    with ForkServer() as server:
        server.begin(lambda: None, {}, str(tmp_path))
        assert server.program(("sync", "--help"), {}, tmp_path, tmp_path / "said") is None


def test_a_process_that_was_started_early_forks_the_kernels_that_it_fits() -> None:
    before = children(os.getpid())
    with started_early(os.environ, Path.cwd()) as early, ForkServer(early=early) as server:
        [parent] = children(os.getpid(), besides=before)
        server.begin(lambda: forking_command("python3"), os.environ, str(Path.cwd()))
        assert told(server, Path.cwd(), "import os; print(os.getppid())") == f"{parent}\n"
    assert children(os.getpid(), besides=before) == []


def test_a_process_that_was_started_early_and_does_not_fit_is_ended() -> None:
    with started_early({**os.environ, "OWN": "early"}, Path.cwd()) as early, ForkServer(early=early) as server:
        assert told(server, Path.cwd(), "import os; print(os.environ.get('OWN'))") == "None\n"
        assert early is not None
        assert early.fork([], os.environ, str(Path.cwd())) is None


@pytest.mark.parametrize("is_needed", [True, False])
def test_what_a_notebook_seems_to_need_is_imported_early_and_counts_where_it_is_needed(
    tmp_path: Path, is_needed: bool
) -> None:
    notebook = tmp_path / "own.ipynb"
    notebook.write_text(json.dumps({"cells": [{"cell_type": "code", "source": ["import numpy.fft"]}]}), "utf-8")
    modules = modules_of_file(notebook)
    assert modules[0] == "numpy.fft"
    before = children(os.getpid())
    with started_early(os.environ, tmp_path, notebook) as early:
        [parent] = children(os.getpid(), besides=before)
        with ForkServer(modules if is_needed else (), early=early) as server:
            code = "import os, sys; print(os.getppid(), 'numpy.fft' in sys.modules)"
            found, is_there = told(server, tmp_path, code).split()
    assert (int(found) == parent, is_there) == (is_needed, str(is_needed))


def test_a_notebook_that_cannot_be_read_seems_to_need_nothing(tmp_path: Path) -> None:
    (tmp_path / "torn.ipynb").write_text('{"cells": [{"cell_type": "code"', encoding="utf-8")
    (tmp_path / "old.ipynb").write_text('{"worksheets": []}', encoding="utf-8")
    assert [modules_of_file(tmp_path / name) for name in ("torn.ipynb", "old.ipynb", "none.ipynb")] == [(), (), ()]


def test_modules_that_came_after_the_fork_are_told_from_those_before(monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = Ahead.now()
    monkeypatch.setitem(sys.modules, "came_later", ModuleType("came_later"))
    monkeypatch.setitem(sys.modules, "came_last", ModuleType("came_last"))
    assert ahead.later() == ["came_later", "came_last"]
    monkeypatch.delitem(sys.modules, ahead.last)
    monkeypatch.setitem(sys.modules, ahead.last, ModuleType(ahead.last))  # imported anew, it stands at the end
    assert ahead.later() == ["came_later", "came_last"]


ENVIRONMENT = """
import numpy, pandas, sklearn.ensemble
from cellops.capture.environment.description import prepare, read_environment
found = read_environment(prepare())
pools = tuple(sorted(found.thread_pools, key=str))
print(found.replace(imported=(), thread_pools=pools).to_json().decode())
"""
"""In a forked kernel more is imported: what others need, too, and some of it earlier."""


def test_a_run_in_a_forked_kernel_records_the_same_environment(server: ForkServer) -> None:
    assert told(server, Path.cwd(), ENVIRONMENT) == told(None, Path.cwd(), ENVIRONMENT)


def test_a_kernel_that_is_not_installed_begins_nothing() -> None:
    with ForkServer() as server:
        server.begin(lambda: forking_command("no-such-kernel"), os.environ, str(Path.cwd()))
        assert "a" in told(server, Path.cwd(), "print('a')")


def test_what_is_no_kernel_of_ipython_is_not_forked(server: ForkServer) -> None:
    assert server.start([sys.executable, "-m", "other_kernel", "-f", "x"], os.environ, str(Path.cwd())) is None


def test_an_interpreter_without_cellops_forks_nothing(tmp_path: Path) -> None:
    bare = [sys.executable, "-I", "-S", "-m", "ipykernel_launcher", "-f", "x"]
    with ForkServer() as own:
        assert own.start(bare, os.environ, str(tmp_path)) is None
