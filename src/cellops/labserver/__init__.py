"""The JupyterLab face: handlers of the Jupyter Server, behind its own authentication."""

from typing import Any

from cellops.version import __version__ as __version__  # `jupyter server extension list` shows it


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(server: Any) -> None:
    from jupyter_server.utils import url_path_join

    from cellops.labserver.runs import RunsHandler

    path = url_path_join(server.web_app.settings["base_url"], "cellops", "runs")
    server.web_app.add_handlers(".*$", [(path, RunsHandler)])
