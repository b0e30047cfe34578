"""Data of a run is read again at its version, by the real packages of the systems that keep versions."""

import sys
from pathlib import Path

import pandas as pd
import pytest

import cellops
from cellops.capture.content.fingerprint import fingerprint
from cellops.errors import DataError, UsageError
from cellops.settings import load
from support.kernel import Kernel

FIRST = pd.DataFrame({"id": range(60), "amount": [n * 0.5 for n in range(60)]})
SECOND = FIRST.assign(amount=7.0)
RUN = "%%mlops run\nX = table[['id']]\nmodel = LinearRegression().fit(X, table['amount'])"
HEAD = "import cellops, pandas as pd\nfrom sklearn.linear_model import LinearRegression\n"


def ran(kernel: Kernel, source: str) -> str:
    """The key of a run on the table that some source reads."""
    for cell in (f"{HEAD}{source}", RUN):
        done = kernel.run(cell)
        assert done.status == "ok", done
    return kernel.closed()[-1].run


def test_a_delta_table_is_read_at_the_version_that_the_run_used(loaded: Kernel) -> None:
    deltalake = pytest.importorskip("deltalake")
    folder = loaded.project / "tables" / "the flights"
    deltalake.write_deltalake(folder, FIRST)
    deltalake.write_deltalake(folder, SECOND, mode="overwrite")
    settings = load(loaded.project)
    old = ran(
        loaded, "from deltalake import DeltaTable\ntable = DeltaTable('tables/the flights', version=0).to_pandas()"
    )
    new = ran(loaded, "table = DeltaTable('tables/the flights').to_pandas()")
    deltalake.write_deltalake(folder, FIRST[:5], mode="append")

    for run, frame, version in ((old, FIRST, "0"), (new, SECOND, "1")):
        found = cellops.dataset(run, "the flights", settings=settings)
        assert (found.name, found.kind, found.version, found.verified) == ("tables/the flights", "delta", version, True)
        assert fingerprint("t", "table", found.table()).digest == fingerprint("t", "table", frame).digest

    deltalake.DeltaTable(folder).vacuum(0, dry_run=False, enforce_retention_duration=False)
    with pytest.raises(DataError, match=r"1 of 1 files of version 0 .* were removed") as caught:
        cellops.dataset(old, "the flights", settings=settings)
    assert "vacuum" in caught.value.remedy
    for file in sorted(folder.rglob("*"), reverse=True):
        file.unlink() if file.is_file() else file.rmdir()
    deltalake.write_deltalake(folder, SECOND)
    with pytest.raises(DataError, match=r"Version 0 .* is not the one that the run has read"):
        cellops.dataset(old, "the flights", settings=settings)
    with pytest.raises(DataError, match="no version 1"):
        cellops.dataset(new, "the flights", settings=settings)


def empty(cache: Path) -> None:
    for file in [file for file in cache.rglob("*") if file.is_file()]:
        file.unlink()


def test_what_dvc_tracks_is_had_from_its_cache_and_its_remote(loaded: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = pytest.importorskip("dvc.repo")
    project = loaded.project
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(project.parent / "site"))
    with repo.Repo.init(str(project), no_scm=True) as made, made.config.edit() as configuration:
        configuration["remote"]["origin"] = {"url": str(project.parent / "remote")}
        configuration["core"]["remote"] = "origin"
    (project / "data").mkdir()
    FIRST.to_csv(project / "data" / "flights.csv", index=False)
    FIRST.to_csv(project / "alone.csv", index=False)
    with repo.Repo(str(project)) as tracking:
        tracking.add(["data", "alone.csv"])
        tracking.push()
    settings = load(project)
    runs = [ran(loaded, f"table = pd.read_csv('{name}')") for name in ("data/flights.csv", "alone.csv")]
    names = ("flights.csv", "alone.csv")
    found = [cellops.dataset(run, name, settings=settings) for run, name in zip(runs, names, strict=True)]
    assert [one.kind for one in found] == ["file", "file"]

    SECOND.to_csv(project / "data" / "flights.csv", index=False)
    (project / "alone.csv").unlink()
    with repo.Repo(str(project)) as tracking:
        tracking.add("data")
    for run, name in zip(runs, names, strict=True):
        kept = cellops.dataset(run, name, settings=settings)
        assert (kept.kind, kept.verified) == ("dvc", True)
        pd.testing.assert_frame_equal(kept.table(), FIRST)

    empty(project / ".dvc" / "cache")
    pd.testing.assert_frame_equal(cellops.dataset(runs[1], "alone.csv", settings=settings).table(), FIRST)
    (project.parent / "remote").rename(project.parent / "away")
    empty(project / ".dvc" / "cache")
    with pytest.raises(DataError, match=r"DVC does not have alone\.csv") as caught:
        cellops.dataset(runs[1], "alone.csv", settings=settings)
    assert "dvc fetch" in caught.value.remedy


@pytest.mark.parametrize("package", ["deltalake", "dvc", "lakefs_sdk"])
def test_a_package_that_is_not_installed_is_named_with_its_extra(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cellops.data.versions.delta import delta_table
    from cellops.data.versions.dvc import dvc_file
    from cellops.data.versions.lakefs import lakefs_object

    for name in [package, *(name for name in sys.modules if name.startswith(f"{package}."))]:
        monkeypatch.setitem(sys.modules, name, None)
    asked = {
        "deltalake": lambda: delta_table(tmp_path, "0"),
        "dvc": lambda: dvc_file(tmp_path / "a", tmp_path / "a", "md5:0", tmp_path),
        "lakefs_sdk": lambda: lakefs_object("lakefs://a/b", "c", tmp_path),
    }
    with pytest.raises(UsageError, match=r"cellops\[(delta|dvc|lakefs)\]"):
        asked[package]()
