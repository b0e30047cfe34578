"""Files in chunks show what they show as a whole: counts exactly, and what is wrong wherever it stands."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from cellops.errors import InputError, NotFoundError
from cellops.flows.data_windows import Wanted, data_windows
from cellops.monitoring.drift import compare
from cellops.monitoring.observed import ObservedWindow
from cellops.monitoring.window_part import WindowPart, in_turn
from cellops.packaging.contract import build_contract
from cellops.packaging.load import LoadedPackage
from cellops.packaging.predictor import SklearnPredictor
from cellops.records.finding import Finding
from cellops.records.package import Manifest, Provenance

ROWS = 3_000
BY_MONTH = Wanted(time="time", label=None, by="month")
CHUNKS = Wanted(time="time", label=None, by="month", chunk_rows=700)


def quiet(_: str) -> None:
    """Hear of nothing."""


def table(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    size = random.normal(size=rows)
    return pd.DataFrame(
        {
            "kind": random.choice(["a", "b", "c"], rows),
            "size": size,
            "count": random.integers(0, 5, rows),
            "late": (size + random.normal(size=rows) > 0).astype(int),
            "time": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(rows) * 90 * 24 // rows, unit="h"),
        }
    )


@pytest.fixture(scope="module")
def loaded() -> LoadedPackage:
    inputs, late = table().drop(columns=["late", "time"]), table()["late"]
    encode = make_column_transformer((OneHotEncoder(), ["kind"]), remainder="passthrough")
    model = make_pipeline(encode, LogisticRegression()).fit(inputs, late)
    contract = build_contract(model, (inputs, late), (inputs, late))
    provenance = Provenance(
        run="3f2a91c0",
        mlflow_run_id=None,
        notebook=None,
        commit=None,
        dirty=False,
        seed=None,
        created="2024-01-01T00:00:00+00:00",
        cellops="0.1.0",
        model_type="sklearn.pipeline.Pipeline",
        model_format="skops",
    )
    return LoadedPackage(
        path=Path("model"),
        manifest=Manifest(version=1, name="model", run=None, files=()),
        digest="0" * 64,
        contract=contract,
        provenance=provenance,
        predictor=SklearnPredictor(model, contract.schema),
    )


def read(loaded: LoadedPackage, path: Path, wanted: Wanted) -> tuple[list[ObservedWindow], list[Finding]]:
    windows, findings = data_windows(loaded, path, wanted, quiet)
    return list(in_turn(loaded.contract, windows)), findings


def same(parts: list[ObservedWindow], whole: list[ObservedWindow]) -> None:
    """The same counts, missing values, moments and figures."""
    for one, other in zip(parts, whole, strict=True):
        assert (one.label, one.start, one.end, one.rows) == (other.label, other.start, other.end, other.rows)
        assert one.labelled_rows == other.labelled_rows
        assert one.output is not None
        assert other.output is not None
        for here, there in zip((*one.columns, one.output), (*other.columns, other.output), strict=True):
            assert here.current is not None
            assert there.current is not None
            assert here.current.bins == there.current.bins
            if here.current.moments is not None and there.current.moments is not None:
                assert here.current.moments.mean == pytest.approx(there.current.moments.mean, abs=1e-12)
        assert one.performance is not None
        assert other.performance is not None
        for figure, expected in zip(one.performance.measures, other.performance.measures, strict=True):
            assert figure.value == pytest.approx(expected.value, abs=1e-9)


def to_parquet(rows: pd.DataFrame, folder: Path) -> Path:
    rows.to_parquet(folder / "later.parquet")
    return folder / "later.parquet"


def to_csv(rows: pd.DataFrame, folder: Path) -> Path:
    rows.to_csv(folder / "later.csv", index=False)
    return folder / "later.csv"


def to_folder(rows: pd.DataFrame, folder: Path) -> Path:
    for number, begin in enumerate(range(0, len(rows), 1_100)):
        (folder / "later" / f"part={number}").mkdir(parents=True)
        rows.iloc[begin : begin + 1_100].to_parquet(folder / "later" / f"part={number}" / "rows.parquet", index=False)
    return folder / "later"


@pytest.mark.parametrize("write", [to_parquet, to_csv, to_folder])
def test_chunks_show_what_the_whole_shows(
    loaded: LoadedPackage, tmp_path: Path, write: Callable[[pd.DataFrame, Path], Path]
) -> None:
    rows = table(seed=1)
    rows.loc[rows.index % 7 == 0, "size"] += 0.5
    path = write(rows.sample(frac=1, random_state=0), tmp_path)
    whole, chunks = read(loaded, path, BY_MONTH), read(loaded, path, CHUNKS)
    assert [window.label for window in whole[0]] == ["2024-01", "2024-02", "2024-03"]
    same(chunks[0], whole[0])
    assert chunks[1] == whole[1] == []


def test_the_report_of_chunks_judges_as_that_of_the_whole(loaded: LoadedPackage, tmp_path: Path) -> None:
    rows = table(seed=2)
    rows.loc[rows["time"] >= "2024-02-01", "size"] += 1.0
    path = to_parquet(rows, tmp_path)
    reports = [
        compare(loaded.contract, data_windows(loaded, path, wanted, quiet)[0], package="p", digest="0", source="s")
        for wanted in (BY_MONTH, CHUNKS)
    ]
    verdicts = [[(c.column, c.verdict) for w in report.windows for c in w.columns] for report in reports]
    assert verdicts[0] == verdicts[1]
    assert ("size", "major") in verdicts[0]


def test_parts_merge_in_any_order(loaded: LoadedPackage, tmp_path: Path) -> None:
    path = to_parquet(table(seed=3).drop(columns="time"), tmp_path)
    parts = []
    for begin in range(0, ROWS, 500):
        chunk = to_parquet(table(seed=3).iloc[begin : begin + 500].drop(columns="time"), tmp_path / "..")
        windows, _ = data_windows(loaded, chunk, Wanted(None, None, "month", chunk_rows=10_000), quiet)
        parts += [window for window in windows if isinstance(window, WindowPart)]
    one = WindowPart.merged([*parts[3:], WindowPart.merged(parts[:3])])
    other = WindowPart.merged(parts[::-1])
    (whole,), _ = data_windows(loaded, path, Wanted(None, None, "month", chunk_rows=10_000), quiet)
    assert isinstance(whole, WindowPart)
    for part in (one, other):
        assert [column.counts for column in part.columns] == [column.counts for column in whole.columns]
        sketches = [
            (c.seen.sketch, w.seen.sketch)
            for c, w in zip(part.columns, whole.columns, strict=True)
            if c.seen and w.seen
        ]
        assert sketches
        assert all(sketch == expected for sketch, expected in sketches)


def test_a_bad_value_in_a_late_chunk_costs_its_column_alone(loaded: LoadedPackage, tmp_path: Path) -> None:
    folder = tmp_path / "later"
    folder.mkdir()
    table(seed=1).to_parquet(folder / "0.parquet")
    table(seed=2).assign(size="large").to_parquet(folder / "1.parquet")
    table(seed=3).drop(columns="count").to_parquet(folder / "2.parquet")
    (window,), findings = read(loaded, folder, Wanted(None, None, "month", chunk_rows=700))
    told = {column.reference.name: column for column in window.columns}
    assert told["kind"].current is not None
    assert told["kind"].current.rows == 3 * ROWS
    assert told["size"].current is None
    assert told["size"].finding is not None
    assert "of kind number and is now of kind text" in told["size"].finding.seen
    assert told["count"].finding is not None
    assert told["count"].finding.seen == "The column is not there"
    assert [finding.code for finding in findings] == ["rows-not-scored"]
    assert findings[0].where == f"{2 * ROWS} rows"


def test_infinite_and_missing_values_in_a_late_chunk_are_counted(loaded: LoadedPackage, tmp_path: Path) -> None:
    rows = table(seed=1)
    rows.loc[2_500:, "size"] = np.nan
    rows.loc[2_400:2_450, "size"] = np.inf
    path = to_parquet(rows, tmp_path)
    wanted = Wanted(None, None, "month", chunk_rows=600)
    (window,), _ = read(loaded, path, wanted)
    (whole,), _ = read(loaded, path, Wanted(None, None, "month"))
    size = next(column.current for column in window.columns if column.reference.name == "size")
    expected = next(column.current for column in whole.columns if column.reference.name == "size")
    assert size is not None
    assert expected is not None
    assert size.missing == 500
    assert size.bins == expected.bins
    assert size.sketch is not None
    assert size.sketch.cumulative[-1] == 2_500


def test_a_cell_that_is_unreadable_late_is_named_by_its_row(loaded: LoadedPackage, tmp_path: Path) -> None:
    rows = table(seed=1).astype({"size": object})
    rows.loc[[1_000, 2_900], "size"] = "abc"
    path = to_csv(rows, tmp_path)
    whole, chunks = (read(loaded, path, wanted)[1] for wanted in (BY_MONTH, CHUNKS))
    assert chunks == whole
    assert chunks[0].where == "column size, rows 1000, 2900"


def test_a_row_without_a_time_is_named_by_its_number_in_the_file(loaded: LoadedPackage, tmp_path: Path) -> None:
    rows = table(seed=1).astype({"time": object})
    rows.loc[1_500, "time"] = "soon"
    path = to_csv(rows, tmp_path)
    with pytest.raises(InputError, match="the first of them row 1500"):
        read(loaded, path, CHUNKS)


@pytest.mark.parametrize("make", [to_parquet, to_csv])
def test_files_of_no_use_are_refused_in_chunks_too(
    loaded: LoadedPackage, tmp_path: Path, make: Callable[[pd.DataFrame, Path], Path]
) -> None:
    with pytest.raises(InputError, match="The table has no rows"):
        read(loaded, make(table().iloc[:0], tmp_path), CHUNKS)
    with pytest.raises(InputError, match="has none of the model's columns") as refused:
        read(loaded, make(table()[["late", "time"]], tmp_path), CHUNKS)
    assert "Its columns are: late, time" in refused.value.remedy
    with pytest.raises(InputError, match="has no column truth"):
        read(loaded, make(table(), tmp_path), Wanted("time", "truth", "month", chunk_rows=500))
    with pytest.raises(NotFoundError):
        read(loaded, tmp_path / "nowhere.csv", CHUNKS)
    with pytest.raises(NotFoundError, match=r"nowhere\.parquet"):
        read(loaded, tmp_path / "nowhere.parquet", BY_MONTH)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no Parquet file"):
        read(loaded, tmp_path / "empty", BY_MONTH)


def with_another(frame: pd.DataFrame, name: str, path: Path) -> Path:
    """A file in which a second column has the name of a first one."""
    values = [frame[name].tolist()[::-1], *(frame[column].tolist() for column in frame)]
    names = [name, *frame.columns]
    if path.suffix == ".csv":
        lines = [",".join(map(str, row)) for row in zip(*values, strict=True)]
        path.write_text("\n".join([",".join(names), *lines]) + "\n")
    else:
        path.parent.mkdir(exist_ok=True)
        pq.write_table(pa.Table.from_arrays(list(map(pa.array, values)), names), path)
    return path


@pytest.mark.parametrize("wanted", [BY_MONTH, CHUNKS], ids=["at once", "in chunks"])
@pytest.mark.parametrize("name", ["later.csv", "later.parquet", "folder/later.parquet"])
def test_columns_of_one_name_cost_themselves_alone(
    loaded: LoadedPackage, tmp_path: Path, name: str, wanted: Wanted
) -> None:
    frame = table().assign(time=table()["time"].astype(str))
    path = with_another(frame, "size", tmp_path / name)
    windows, findings = read(loaded, path.parent if "/" in name else path, wanted)
    (tmp_path / "plain").mkdir()
    frame.to_parquet(tmp_path / "plain" / "once.parquet")
    alone, _ = read(loaded, tmp_path / "plain", wanted)
    assert [window.rows for window in windows] == [window.rows for window in alone]
    for window, once in zip(windows, alone, strict=True):
        told = {one.reference.name: one for one in window.columns}
        assert told["size"].current is None
        assert told["size"].finding is not None
        assert told["size"].finding.seen == "2 columns have this name"
        for column in once.columns:
            if column.reference.name != "size":
                seen = told[column.reference.name].current
                assert seen is not None
                assert column.current is not None
                assert seen.bins == column.current.bins
    (refused,) = (finding for finding in findings if finding.code == "window-not-scored")
    assert "2 columns are called size" in refused.seen


@pytest.mark.parametrize("wanted", [BY_MONTH, CHUNKS], ids=["at once", "in chunks"])
def test_a_truth_that_is_there_twice_costs_itself_alone_unless_it_was_asked_for(
    loaded: LoadedPackage, tmp_path: Path, wanted: Wanted
) -> None:
    path = with_another(table().assign(time=table()["time"].astype(str)), "late", tmp_path / "later.csv")
    windows, findings = read(loaded, path, wanted)
    assert [finding.code for finding in findings] == ["label-not-compared"]
    assert {window.labelled_rows for window in windows} == {0}
    assert all(one.current is not None for window in windows for one in window.columns)
    with pytest.raises(InputError, match="2 columns called late"):
        read(loaded, path, replace(wanted, label="late"))


@pytest.mark.parametrize("wanted", [BY_MONTH, CHUNKS], ids=["at once", "in chunks"])
def test_a_time_that_is_there_twice_is_refused(loaded: LoadedPackage, tmp_path: Path, wanted: Wanted) -> None:
    path = with_another(table().assign(time=table()["time"].astype(str)), "time", tmp_path / "later.csv")
    with pytest.raises(InputError, match="2 columns called time"):
        read(loaded, path, wanted)


def test_a_carriage_return_in_a_late_line_is_found(loaded: LoadedPackage, tmp_path: Path) -> None:
    path = to_csv(table(), tmp_path)
    path.write_bytes(path.read_bytes() + b'"a\rb",1,2,0,2024-03-01\nx\ry,1,2,0,2024-03-01\n')
    with pytest.raises(InputError, match="carriage return outside of quotes"):
        read(loaded, path, CHUNKS)


def test_a_folder_whose_files_differ_is_read_in_chunks(loaded: LoadedPackage, tmp_path: Path) -> None:
    table(seed=1).to_parquet(tmp_path / "0.parquet")
    table(seed=2).drop(columns="late").to_parquet(tmp_path / "1.parquet")
    (window,), _ = read(loaded, tmp_path, Wanted(None, None, "month"))
    assert (window.rows, window.labelled_rows) == (2 * ROWS, ROWS)


@pytest.mark.parametrize("wanted", [Wanted(None, None, "month"), Wanted(None, None, "month", chunk_rows=700)])
@pytest.mark.parametrize("column", ["size", "count"])
def test_a_column_that_holds_truths_and_then_numbers_costs_itself_alone(
    loaded: LoadedPackage, tmp_path: Path, wanted: Wanted, column: str
) -> None:
    table(seed=1).assign(**{column: True}).to_parquet(tmp_path / "0.parquet")
    table(seed=2).to_parquet(tmp_path / "1.parquet")
    (window,), _ = read(loaded, tmp_path, wanted)
    told = {one.reference.name: one for one in window.columns}
    assert told[column].current is None
    assert told[column].finding is not None
    assert told[column].finding.code == "column-not-compared"
    others = [one.current for name, one in told.items() if name != column]
    assert [one.rows for one in others if one is not None] == [2 * ROWS] * 2


@pytest.mark.parametrize("wanted", [Wanted(None, None, "month"), Wanted(None, None, "month", chunk_rows=700)])
def test_a_renamed_column_is_told_beside_what_is_missing(loaded: LoadedPackage, tmp_path: Path, wanted: Wanted) -> None:
    path = to_parquet(table(seed=1).rename(columns={"size": "Size"}), tmp_path)
    (window,), findings = read(loaded, path, wanted)
    assert {one.reference.name for one in window.columns if one.current is None} == {"size"}
    assert [finding.remedy.partition(":")[0] for finding in findings if finding.code == "column-renamed"] == [
        "Column size seems to be called Size now"
    ]


def test_a_table_that_spells_all_columns_otherwise_is_refused_with_their_names(
    loaded: LoadedPackage, tmp_path: Path
) -> None:
    path = to_csv(table().drop(columns="time").rename(columns=str.upper), tmp_path)
    with pytest.raises(InputError, match="has none of the model's columns") as refused:
        read(loaded, path, Wanted(None, None, "month"))
    assert refused.value.remedy == "Call them as in training: KIND is kind, SIZE is size, COUNT is count"
