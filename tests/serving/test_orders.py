"""Orders of administrators that take longer than they are waited for."""

import asyncio
import json
import threading
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from cellops.packaging.load import LoadedPackage, load_package
from cellops.packaging.stopping import check_stop
from cellops.serving.actions import Actions
from cellops.serving.admin import AdminTable
from cellops.serving.admin_log import AdminLog
from cellops.serving.app import App
from cellops.serving.auth import Access
from cellops.serving.limits import AdminLimits, Limits
from cellops.serving.logs import LogPlace
from cellops.serving.repository import Reach, Repository, Source
from cellops.settings import load
from support.logs import until
from support.served import TOKEN, build


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> LoadedPackage:
    return load_package(build("narrow", tmp_path_factory.mktemp("narrow")))


def test_an_order_that_is_not_waited_for_goes_on_and_the_answer_says_so(package: LoadedPackage, tmp_path: Path) -> None:
    found, gate = [package], threading.Event()

    def taken(_path: Path) -> LoadedPackage:
        if len(found) > 1:
            gate.wait()
        # As the replay of parity rows does between them.
        check_stop()
        return found[-1]

    repository = Repository(
        Source(taken, lambda _package: None, lambda name: LogPlace(tmp_path / name)), Limits(1000, 10), load(tmp_path)
    )
    repository.start([Path("narrow")])
    repository.attach(Reach(lambda _models: None, lambda act: act()))
    actions = Actions(repository, AdminLog(tmp_path / "admin.jsonl"), lambda _change: None)
    app = App(AdminTable(actions), access=Access(TOKEN), limits=AdminLimits(1000, 10, 0.05))
    found.append(replace(package, digest="2" * 64))

    async def order() -> httpx.Response:
        transport, headers = httpx.ASGITransport(app), {"Authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://server", headers=headers) as http:
            return await http.post("/v2/repository/models/narrow/load")

    try:
        answer = asyncio.run(order())
        assert answer.status_code == 504
        assert "The order is not done after 0.05 s, and goes on" in answer.json()["error"]
        assert repository.packages()[0].digest == package.digest
        gate.set()
        line = until((tmp_path / "admin.jsonl").read_text)
        assert json.loads(line)["result"] == "done"
        assert repository.packages()[0].digest == "2" * 64
    finally:
        gate.set()
        app.close()
        repository.close()
