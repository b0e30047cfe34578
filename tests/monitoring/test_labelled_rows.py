"""The rows that performance is told of: all of them, or always the same sample by chance."""

import numpy as np
import pandas as pd
import pytest

from cellops.monitoring.labelled_rows import LEAST, MOST_TOGETHER, LabelledRows, most_of_each
from cellops.monitoring.windows import Window


def labelled(rows: range, most: int = 1_000) -> LabelledRows:
    numbers = np.array(rows, dtype=np.int64)
    truth = np.array([None if number % 5 == 0 else str(number % 3) for number in rows], dtype=object)
    chances = np.column_stack([numbers / 10_000, 1 - numbers / 10_000])
    window = Window("all", None, None, pd.DataFrame(), numbers, chances, truth, numbers)
    held = LabelledRows.of(window, most)
    assert held is not None
    return held


def test_rows_without_a_label_are_left_out_and_the_others_stay_together() -> None:
    held = labelled(range(10))
    assert held.total == held.kept == 8
    assert sorted(held.labels.tolist()) == [1, 2, 3, 4, 6, 7, 8, 9]
    assert all(str(label % 3) == truth for label, truth in zip(held.labels, held.truth, strict=True))
    assert held.probabilities is not None
    assert held.probabilities[:, 0] == pytest.approx(held.labels / 10_000)


def test_the_sample_is_the_same_however_the_rows_are_cut() -> None:
    whole = labelled(range(5_000), most=300)
    parts = [labelled(range(begin, begin + 700), most=300) for begin in range(0, 4_200, 700)]
    parts.append(labelled(range(4_200, 5_000), most=300))
    merged = LabelledRows.merged([LabelledRows.merged(parts[4:], 300), *parts[:4]], 300)
    assert merged.total == whole.total == 4_000
    assert merged.kept == 300
    assert merged.labels.tolist() == whole.labels.tolist()
    assert merged.truth.tolist() == whole.truth.tolist()


def test_the_sample_is_spread_over_all_rows() -> None:
    kept = labelled(range(10_000), most=1_000).labels
    assert np.histogram(kept, np.linspace(0, 10_000, 6))[0].min() > 150


def test_many_windows_keep_fewer_rows_each() -> None:
    assert most_of_each(12) * 12 <= MOST_TOGETHER
    assert most_of_each(10_000) == LEAST


def test_a_window_without_answers_or_labels_has_none() -> None:
    window = Window("all", None, None, pd.DataFrame(), truth=np.array([1]))
    assert LabelledRows.of(window) is None
