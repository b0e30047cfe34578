"""A server extension for the tests: doors that wait for one another, and doors behind which work fails."""

import threading

from jupyter_server.utils import url_path_join
from tornado import web

from cellops.errors import NotFoundError, SettingsError, TrackingError, UsageError
from cellops.labserver.handler import CellopsHandler

FAILURES = {
    "usage": lambda: UsageError("usage", remedy="mend it"),
    "not-found": lambda: NotFoundError("not-found", remedy="mend it"),
    "tracking": lambda: TrackingError("tracking", remedy="mend it"),
    "settings": lambda: SettingsError("settings", remedy="mend it"),
    "fault": lambda: RuntimeError("a secret of ours"),
}


class WaitHandler(CellopsHandler):
    """Answers only when the other door has been opened."""

    @web.authenticated
    async def get(self):
        opened = self.settings["test_opened"]
        await self.answer(lambda: opened.wait(60))


class OpenHandler(CellopsHandler):
    @web.authenticated
    async def get(self):
        self.settings["test_opened"].set()
        await self.answer(lambda: True)


class FailHandler(CellopsHandler):
    @web.authenticated
    async def get(self):
        def work():
            make = FAILURES[self.get_query_argument("kind")]
            raise make()

        await self.answer(work)


def _jupyter_server_extension_points():
    return [{"module": "doors"}]


def _load_jupyter_server_extension(server):
    server.web_app.settings["test_opened"] = threading.Event()
    base = server.web_app.settings["base_url"]
    doors = {"wait": WaitHandler, "open": OpenHandler, "fail": FailHandler}
    server.web_app.add_handlers(".*$", [(url_path_join(base, "doors", name), door) for name, door in doors.items()])
