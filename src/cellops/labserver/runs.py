from pathlib import Path

from jupyter_server.auth.decorator import authorized
from tornado import web

from cellops.labserver.handler import CellopsHandler
from cellops.settings import load

DEFAULT_LIMIT = 50
MOST = 1000


class RunsHandler(CellopsHandler):
    """`GET cellops/runs?limit=N&folder=PATH`: the newest runs of the project to which the folder belongs."""

    auth_resource = "contents"

    @web.authenticated
    @authorized
    async def get(self) -> None:
        await self.answer(self._runs)

    def _runs(self) -> dict[str, object]:
        settings = load(Path(self.folder()).expanduser())
        limit = self.number("limit", DEFAULT_LIMIT, MOST)
        # Not before the first request, and in its thread: what lists runs takes seconds to import.
        from cellops.flows.runs import runs

        return {"project": settings.project.name, "runs": runs(settings, limit=limit)}
