"""Detectors of concept drift: those of River themselves, in one shape."""

import sys

import numpy as np
import pytest

from cellops.errors import InputError, UsageError
from cellops.records.concept_drift import ConceptDrift
from cellops.stats.concept_drift import OVER_ERRORS, OVER_VALUES, concept_drift


@pytest.fixture
def river():
    return pytest.importorskip("river.drift", reason="River is not installed")


def stream(detector: str, rows: int = 1500) -> np.ndarray:
    """So many rows before a change, and as many after it."""
    random = np.random.default_rng(0)
    if detector in OVER_ERRORS:
        return (random.random(2 * rows) < np.repeat([0.1, 0.5], rows)).astype(float)
    return np.concatenate([random.normal(0, 1, rows), random.normal(3, 1, rows)])


@pytest.mark.parametrize("detector", [*OVER_ERRORS, *OVER_VALUES])
def test_a_change_is_found_soon_and_the_answer_is_always_the_same(river, detector: str) -> None:
    rows = 300 if detector == "kswin" else 1500  # it sorts its window for every value
    found = concept_drift(stream(detector, rows), detector)
    assert any(rows <= place < rows + 400 for place in found.drifts)
    assert found.drifted
    assert found.rows == 2 * rows
    assert found == concept_drift(stream(detector, rows), detector)
    assert ConceptDrift.from_json(found.to_json()) == found
    assert bool(found.warnings) == (detector in OVER_ERRORS)


def test_it_is_what_river_says(river) -> None:
    expected, adwin = [], river.ADWIN(delta=0.01)
    for place, value in enumerate(stream("adwin")):
        adwin.update(value)
        if adwin.drift_detected:
            expected.append(place)
    assert list(concept_drift(stream("adwin"), delta=0.01).drifts) == expected != []


def test_a_quiet_stream_and_one_that_says_nothing(river) -> None:
    assert not concept_drift(np.random.default_rng(1).normal(size=2000)).drifted
    assert concept_drift([]).rows == concept_drift([np.nan]).rows == 0
    holes = np.insert(stream("adwin"), 0, [np.nan, np.nan])
    assert concept_drift(holes).drifts == tuple(place + 2 for place in concept_drift(stream("adwin")).drifts)


def test_what_does_not_fit_is_refused(river) -> None:
    with pytest.raises(UsageError, match="no such detector"):
        concept_drift([1.0], "oracle")
    with pytest.raises(UsageError, match="does not have these options"):
        concept_drift([1.0], "adwin", alpha=3)
    with pytest.raises(InputError, match="takes errors"):
        concept_drift([0.3], "ddm")
    for bad in (["a"], [[1.0]], [np.inf]):
        with pytest.raises(InputError, match="A stream must"):
            concept_drift(bad)


def test_without_river_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "river", None)
    with pytest.raises(UsageError, match="cellops\\[stream\\]"):
        concept_drift([1.0])
