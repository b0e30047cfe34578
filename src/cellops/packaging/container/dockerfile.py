"""The Dockerfile of a package: layers from what changes least to what changes most, and nobody is root."""

import json
from collections.abc import Iterable

from cellops.packaging.container.image import DATA, PACKAGE, PORT, READY, USER, Image
from cellops.packaging.layout import SERVING

PROBE = (
    "import urllib.request as r; "
    f"r.build_opener(r.ProxyHandler({{}})).open('http://127.0.0.1:{PORT}{READY}', timeout=4)"
)
"""Ready or not: an answer other than 200 raises. Proxies of the environment are for other addresses."""
INSTALL = """\
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \\
    pip install --no-cache-dir --no-deps --root-user-action=ignore"""
"""With the builder's own configuration of pip, if it is given: it may hold a password, and stays out of the image."""
TEXT = """\
# docker build -t {image} .
# docker run --rm -p 127.0.0.1:{port}:{port} -e CELLOPS_SERVER_TOKEN {image}
# An index of your own: docker build --secret id=pip,src=$HOME/.config/pip/pip.conf -t {image} .

FROM python:{python}-slim AS requirements
COPY {serving} /serving.txt
# Without cellops, so that a new release of it leaves the layer of the libraries as it is.
RUN grep -v '^cellops==' /serving.txt > /libraries.txt

FROM python:{python}-slim
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 CELLOPS_FOLDER={data}
{system}RUN useradd --uid {user} --no-create-home --shell /usr/sbin/nologin cellops \\
    && install --directory --owner={user} --group={user} {data}
COPY --from=requirements /libraries.txt /libraries.txt
{install} -r /libraries.txt
# Another place to have cellops from: --build-arg CELLOPS=https://…/cellops-{cellops}-py3-none-any.whl
ARG CELLOPS=cellops=={cellops}
{install} "$CELLOPS"
# Readable for the server's user, whatever the umask of who built the package; writable for root alone.
COPY --chmod=755 . {package}
USER {user}:{user}
WORKDIR {package}
VOLUME {data}
EXPOSE {port}
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD {probe}
# The token comes with CELLOPS_SERVER_TOKEN; without one the server does not start.
CMD {command}
"""
SYSTEM = """\
RUN apt-get update && apt-get install --yes --no-install-recommends {packages} \\
    && rm -rf /var/lib/apt/lists/*
"""
COMMAND = ("cellops", "serve", PACKAGE, "--host", "0.0.0.0", "--port", str(PORT))  # noqa: S104 - inside of a container
IGNORED = """\
# Nothing but what the manifest lists: the server refuses a package with anything else in it.
"""


def dockerfile(image: Image) -> str:
    return TEXT.format(
        image=image.name,
        port=PORT,
        python=image.python,
        serving=SERVING,
        data=DATA,
        system=SYSTEM.format(packages=" ".join(image.system)) if image.system else "",
        user=USER,
        install=INSTALL,
        cellops=image.cellops,
        package=PACKAGE,
        probe=json.dumps(["python", "-c", PROBE]),
        command=json.dumps(COMMAND),
    )


def dockerignore(entries: Iterable[str]) -> str:
    """Everything is left out but these, which stand in the package's folder: no `.env` gets into an image."""
    return IGNORED + "".join(f"{line}\n" for line in ("*", *(f"!{entry}" for entry in sorted(entries))))
