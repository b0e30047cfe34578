"""Memory goes back to the system where the C library can do that, and nothing happens where it cannot."""

import sys
from pathlib import Path

import numpy as np
import pytest

from cellops.data import released


def resident() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])


@pytest.fixture(autouse=True)
def _afresh():
    released._trim.cache_clear()
    yield
    released._trim.cache_clear()


def test_what_was_freed_leaves_the_process() -> None:
    held = [np.ones(8_000) for _ in range(1_000)]  # each too small to be given back by itself
    pinned = held[-1]
    del held
    before = resident()
    released.release()
    assert resident() <= before
    assert pinned.sum() == 8_000


def test_other_systems_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(released.ctypes, "CDLL", lambda _: pytest.fail("no library may be looked for"))
    released.release()


def test_a_c_library_without_it_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(released.ctypes, "CDLL", lambda _: object())
    released.release()
