"""What waits for a challenger in the shadow is bounded, in requests and in bytes, and is handed over in order."""

import queue

import numpy as np
import pytest

from cellops.data.decoder import Columns
from cellops.data.matrix import Matrix, Places
from cellops.packaging.predictor import Predictions
from cellops.serving.dataplane import Call
from cellops.serving.shadow.waiting import Shown, Waiting, size_of


def shown(columns: Columns, name: str = "1") -> Shown:
    call = Call(prediction_id=name, request_id=name, time=0, received=0, protocol="v2")
    return Shown(columns, call, Predictions(np.zeros(1), None))


def test_requests_are_bounded_and_come_in_their_order() -> None:
    waiting = Waiting(most=2)
    assert [waiting.put(shown({"hour": np.zeros(1)}, name)) for name in "abc"] == [True, True, False]
    assert waiting.is_full()
    assert [waiting.take(1).call.prediction_id for _ in range(2)] == ["a", "b"]
    assert not waiting.is_full()
    with pytest.raises(queue.Empty):
        waiting.take(0.01)


@pytest.mark.parametrize(
    "columns",
    [
        {"distance": np.zeros(1000)},
        Matrix(Places(["distance", "hour"]), np.zeros((500, 2))),
        {"note": np.array(["x" * 7992, None], dtype=object)},
    ],
)
def test_bytes_are_bounded_whatever_holds_them(columns: Columns) -> None:
    assert 8000 <= size_of(columns) <= 8016
    waiting = Waiting(most_bytes=20_000)
    assert [waiting.put(shown(columns)) for _ in range(3)] == [True, True, False]
    waiting.take(1)
    assert waiting.put(shown(columns))  # what is gone takes no room


def test_a_request_larger_than_the_room_is_never_taken() -> None:
    waiting = Waiting(most_bytes=100)
    assert not waiting.put(shown({"distance": np.zeros(1000)}))
    assert waiting.put(shown({"distance": np.zeros(1)}))
