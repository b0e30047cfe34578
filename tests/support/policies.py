"""A package in memory behind the whole application, with what an operator declares."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cellops.packaging.load import LoadedPackage
from cellops.serving.limits import Limits
from cellops.serving.logs import LogPlace, Logs
from cellops.serving.policies import NOTHING, Declared
from cellops.serving.server import build_app
from cellops.settings import load
from support.served import TOKEN
from support.wire import Wire


@contextmanager
def on(package: LoadedPackage, declared: Declared = NOTHING, folder: Path | None = None) -> Iterator[Wire]:
    logs = None if folder is None else Logs.open(LogPlace(folder), package.contract.schema, load(folder))
    app = build_app(package, Limits(max_bytes=1_000_000, max_rows=1000), TOKEN, logs, declared=declared)
    yield Wire(package, app)
    app.close()
    if logs is not None:
        logs.close()


def handled(wire: Wire) -> dict[tuple[str, str], float]:
    """Rows by what was done to them and with what, as the metrics count them."""
    lines = wire.read("/metrics")[2].decode().splitlines()
    found = {}
    for line in lines:
        if line.startswith("cellops_handled_rows_total{"):
            labels = dict(part.split("=") for part in line.partition("{")[2].partition("}")[0].split(","))
            found[labels["handling"].strip('"'), labels["of"].strip('"')] = float(line.rpartition(" ")[2])
    return found
