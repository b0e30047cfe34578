"""A real FTP server on a free port: a file system that only fsspec reaches, with user and password."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import ThreadedFTPServer

USER, PASSWORD = "keeper", "a-long-pass-word"


@contextmanager
def ftp_server(folder: Path, hidden: Path | None = None) -> Iterator[str]:
    """Serve a folder, and give its address with user and password; nobody may read the files in the hidden one."""
    authorizer = DummyAuthorizer()
    authorizer.add_user(USER, PASSWORD, str(folder), perm="elradfmw")
    if hidden is not None:
        authorizer.override_perm(USER, str(hidden), perm="eladfmw")
    handler = type("Handler", (FTPHandler,), {"authorizer": authorizer})
    server = ThreadedFTPServer(("127.0.0.1", 0), handler)
    port = server.socket.getsockname()[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"timeout": 0.1, "handle_exit": False}, daemon=True)
    thread.start()
    try:
        yield f"ftp://{USER}:{PASSWORD}@127.0.0.1:{port}/steps"
    finally:
        server.close_all()
        thread.join(timeout=10)
