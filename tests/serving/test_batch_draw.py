"""The rows that a drift profile is counted from: drawn evenly, the same however the batch is cut, and said."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from cellops.errors import UsageError
from cellops.flows.score import score
from cellops.monitoring import drift_profile
from cellops.monitoring.window_part import WindowPart
from cellops.records.batch import OnBad
from cellops.serving.batch.draw import drawn, one_of
from support.batches import RULE, batch, package, table
from support.loaded import loaded


@pytest.mark.parametrize("every", [1, 2, 7, 24])
def test_of_each_so_many_rows_one_is_drawn_however_they_are_cut(every: int) -> None:
    whole = drawn(every, 0, 10_000)
    assert np.bincount(whole // every).tolist() == [1] * len(whole)
    assert len(whole) in (10_000 // every, 10_000 // every + 1)
    cuts = [0, 1, 3, 999, 4_000, 4_001, 10_000]
    parts = [drawn(every, a, b - a) + a for a, b in pairwise(cuts)]
    assert np.concatenate(parts).tolist() == whole.tolist()


def test_each_place_among_so_many_is_drawn_as_often() -> None:
    """Rows that repeat, as each day's hours do, are all seen."""
    places = np.bincount(drawn(24, 0, 240_000) % 24, minlength=24)
    assert np.abs(places / 10_000 - 1 / 24).max() < 4 * np.sqrt(1 / 24 * 23 / 24 / 10_000)


def test_no_more_are_drawn_than_wished() -> None:
    for total in (1, 199_999, 200_000, 200_001, 1_234_567):
        assert len(drawn(one_of(total, 200_000), 0, total)) <= 200_000
        assert len(drawn(one_of(total, 200_000), 0, total)) > min(total, 200_000) / 2.01


def profile(path: Path) -> WindowPart:
    model = loaded(task="classification")
    return drift_profile.from_bytes(path.read_bytes(), model.contract, model.digest)


def test_the_profile_is_that_of_the_drawn_rows_and_says_so(tmp_path: Path) -> None:
    frame = table(950)
    frame.to_parquet(tmp_path / "in.parquet")
    model, seen = loaded(task="classification"), []
    for rows in (950, 97):
        done = batch(tmp_path / "in.parquet", tmp_path / "out.parquet", model, rows=rows, profile_rows=300, force=True)
        assert (done.report.rows, done.report.profiled) == (950, 238)
        seen.append(profile(tmp_path / "out.parquet.drift"))
    kept = drawn(4, 0, 950)
    frame.iloc[kept].to_parquet(tmp_path / "drawn.parquet")
    batch(tmp_path / "drawn.parquet", tmp_path / "own.parquet", model, rows=None)
    own = profile(tmp_path / "own.parquet.drift")
    for one in seen:
        assert (one.rows, one.drawn_of) == (len(kept), 950)
        assert [each.counts for each in one.columns] == [each.counts for each in own.columns]
        assert one.output is not None
        assert own.output is not None
        assert one.output.counts == own.output.counts
        (finding,) = [each for each in one.observed(model.contract).findings if each.code == "rows-sampled"]
        assert "238 of 950 rows" in finding.seen
    assert own.drawn_of is None
    assert not [each for each in own.observed(model.contract).findings if each.code == "rows-sampled"]


def test_rows_set_aside_are_seen_and_have_no_answer(tmp_path: Path) -> None:
    frame = table(400)
    frame.loc[::3, "distance"] = 1.0
    frame.to_parquet(tmp_path / "in.parquet")
    done = batch(tmp_path / "in.parquet", tmp_path / "out.parquet", on_bad=OnBad.SET_ASIDE, profile_rows=200)
    assert done.report.set_aside
    model = loaded(RULE, task="classification")
    own = drift_profile.from_bytes((tmp_path / "out.parquet.drift").read_bytes(), model.contract, model.digest)
    answered = frame["distance"].iloc[drawn(2, 0, 400)].ne(1.0).sum()
    assert own.rows == 200
    assert own.output is not None
    assert own.output.rows == answered


@pytest.mark.parametrize("given", ["some", "0", -1, ""])
def test_another_number_is_refused(given: str, tmp_path: Path) -> None:
    (tmp_path / "of").mkdir()
    table(5).to_parquet(tmp_path / "in.parquet")
    with pytest.raises(UsageError, match="number of rows, or from all"):
        score(package(tmp_path / "of"), tmp_path / "in.parquet", tmp_path / "out.parquet", profile_rows=given)
