"""The places of a batch: rows are never overwritten by their answers, and what is left says what became of them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from cellops.errors import InputError, UsageError
from cellops.records.batch import OnBad
from support.batches import batch, stopping_after, table


@contextmanager
def files_over_http(folder: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def stored(path: Path, *statements: str) -> Path:
    frame = table(300)  # noqa: F841 - DuckDB finds it
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE trips AS SELECT * FROM frame")
        for statement in statements:
            connection.execute(statement)
    return path


@pytest.mark.parametrize("name", ["in.csv", "linked.csv", "trips.duckdb::trips", "trips.duckdb::main.TRIPS"])
def test_the_answers_never_take_the_place_of_the_rows(name: str, tmp_path: Path) -> None:
    table(50).to_csv(tmp_path / "in.csv", index=False)
    (tmp_path / "linked.csv").symlink_to(tmp_path / "in.csv")
    stored(tmp_path / "trips.duckdb")
    output = tmp_path / ("trips.duckdb::trips" if "::" in name else "in.csv")
    with pytest.raises(UsageError, match="is where the answers would go"):
        batch(tmp_path / name, output, force=True)
    assert len(pd.read_csv(tmp_path / "in.csv")) == 50


def test_what_a_batch_has_written_into_the_folder_of_the_rows_is_none_of_them(tmp_path: Path) -> None:
    frame = table(250)
    frame.loc[3, "distance"] = 1.0
    frame.to_csv(tmp_path / "a.csv", index=False)
    for force in (False, True):
        done = batch(tmp_path, tmp_path / "out.csv", on_bad=OnBad.SET_ASIDE, force=force)
        assert (done.report.rows, done.report.set_aside) == (250, 1)
        assert (tmp_path / "out.csv.rejects.csv").exists()
    with pytest.raises(KeyboardInterrupt):
        batch(
            tmp_path,
            tmp_path / "out.csv",
            on_bad=OnBad.SET_ASIDE,
            force=True,
            perform=stopping_after(1, KeyboardInterrupt()),
        )
    (tmp_path / "out.csv.parts" / "out.csv").write_text("torn")
    assert batch(tmp_path, tmp_path / "out.csv", on_bad=OnBad.SET_ASIDE, resume=True).report.rows == 250


def test_rejects_of_answers_that_were_replaced_go_with_them(tmp_path: Path) -> None:
    frame = table(50)
    frame.assign(distance=1.0).to_csv(tmp_path / "bad.csv", index=False)
    frame.to_csv(tmp_path / "good.csv", index=False)
    for output in (str(tmp_path / "out.csv"), "memory://places/out.csv"):
        bad = batch(tmp_path / "bad.csv", output, on_bad=OnBad.SET_ASIDE, force=True)
        good = batch(tmp_path / "good.csv", output, on_bad=OnBad.SET_ASIDE, force=True)
        assert bad.rejects_file is not None
        assert good.rejects_file is None
        with pytest.raises(FileNotFoundError):
            pd.read_csv(bad.rejects_file)


@pytest.mark.parametrize("name", ["x/y", "cellops_rows", 'a"; DROP TABLE trips; --'])
def test_a_table_may_be_called_as_no_file_can_be(name: str, tmp_path: Path) -> None:
    path = stored(tmp_path / "trips.duckdb")
    batch(f"{path}::trips", f"{path}::{name}")
    with duckdb.connect(str(path), read_only=True) as connection:
        rows = {each: connection.table(each).shape[0] for (each,) in connection.execute("SHOW TABLES").fetchall()}
    assert rows == {"trips": 300, name: 300}


@pytest.mark.parametrize(("order", "error"), [("trip DESC", None), ("random()", InputError)])
def test_a_view_is_gone_on_with_where_its_rows_come_in_the_same_order(
    order: str, error: type[Exception] | None, tmp_path: Path
) -> None:
    path = stored(tmp_path / "trips.duckdb", f"CREATE VIEW shown AS SELECT * FROM trips ORDER BY {order}")
    with pytest.raises(KeyboardInterrupt):
        batch(f"{path}::shown", tmp_path / "out.csv", perform=stopping_after(2, KeyboardInterrupt()))
    if error is None:
        assert batch(f"{path}::shown", tmp_path / "out.csv", resume=True).resumed == 2
        assert pd.read_csv(tmp_path / "out.csv")["trip"].is_unique
        return
    with pytest.raises(error, match="is not what it was"):
        batch(f"{path}::shown", tmp_path / "out.csv", resume=True)


def test_the_parts_of_a_table_wait_on_the_disk_of_its_file(tmp_path: Path) -> None:
    path = stored(tmp_path / "trips.duckdb")
    with pytest.raises(KeyboardInterrupt):
        batch(f"{path}::trips", f"{path}::late", perform=stopping_after(1, KeyboardInterrupt()))
    assert list(tmp_path.glob("trips.duckdb.late.parts/*.part"))


def test_nothing_that_opens_an_address_is_told_or_written(tmp_path: Path) -> None:
    bad = table(20)
    bad.loc[3, "distance"] = 1.0
    bad.to_csv(tmp_path / "in.csv", index=False)
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with files_over_http(tmp_path) as address:
        opened = address.replace("://", "://ada:opens@")
        batch(f"{opened}/in.csv", tmp_path / "out.csv", on_bad=OnBad.SET_ASIDE)
        with pytest.raises(InputError, match=r"^127") as error:
            batch(f"{opened}/other.csv", tmp_path / "none.csv")
    assert "opens" not in error.value.text() + repr(error.value.data)
    written = [path for path in tmp_path.glob("out.csv*") if path.name != "out.csv.drift"]
    assert len(written) == 3
    assert not any(b"opens" in path.read_bytes() for path in written)
