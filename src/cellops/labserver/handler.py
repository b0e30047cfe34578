"""What every handler shares: work beside the event loop, and errors that say the remedy."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import msgspec
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import ApiPath, to_os_path

from cellops.errors import CellopsError, NotFoundError, TrackingError, UsageError

STATUS = {
    UsageError: HTTPStatus.BAD_REQUEST,
    NotFoundError: HTTPStatus.NOT_FOUND,
    TrackingError: HTTPStatus.SERVICE_UNAVAILABLE,
}


class CellopsHandler(APIHandler):
    """A handler whose answer is the work's result, or an error as `{"message", "remedy"}`."""

    async def answer(self, work: Callable[[], object]) -> None:
        """Do the work in a thread, so that a slow tracking server never blocks the Jupyter server."""
        try:
            status, body = HTTPStatus.OK, await asyncio.to_thread(work)
        except CellopsError as error:
            status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), HTTPStatus.CONFLICT)
            body = {"message": error.fact, "remedy": error.remedy}
        except Exception:
            self.log.exception("cellops: %s failed", self.request.path)
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            body = {"message": "cellops could not answer", "remedy": "See the log of the Jupyter server"}
        self.set_status(status)
        await self.finish(msgspec.json.encode(body))

    def number(self, name: str, default: int, most: int) -> int:
        """A whole number from 1 to `most` in the query.

        Raises
        ------
        UsageError
            When it is anything else.
        """
        given: str = self.get_query_argument(name, str(default))
        if given.isascii() and given.isdigit() and len(given) <= len(str(most)) and 1 <= int(given) <= most:
            return int(given)
        fact = f"{name} is not a whole number from 1 to {most}"
        raise UsageError(fact, received=given, remedy=f"Leave {name} out, or ask for {default}")

    def folder(self) -> str:
        """The folder in which the person works: that of the query, below the server's root.

        Raises
        ------
        UsageError
            When it leads out of the root.
        """
        given: str = self.get_query_argument("folder", "")
        if ".." in given.replace("\\", "/").split("/"):
            fact = "folder leads out of the server's root"
            raise UsageError(fact, received=given, remedy="Give a path below the root, without '..'")
        path: str = to_os_path(ApiPath(given), self.root())
        return path

    def root(self) -> str:
        settings: dict[str, Any] = self.settings
        root: str = settings["server_root_dir"]
        return root
