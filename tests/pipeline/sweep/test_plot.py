"""The picture of a sweep: well-formed, with every trial, and with the texts of others escaped."""

import xml.etree.ElementTree as ET

import pytest

from cellops.pipeline.sweep.plot import plot
from cellops.records.sweep import SweepBegun, Trial, TrialState
from support.sweeps import BEGUN

SVG = "{http://www.w3.org/2000/svg}"


def begun(space: dict[str, str], log: tuple[str, ...] = (), metric: str = "auc") -> SweepBegun:
    return BEGUN.replace(space=space, log=log, metric=metric)


def trial(number: int, value: float | None, state: TrialState = TrialState.COMPLETED, **values: object) -> Trial:
    return Trial(number=number, values=values, state=state, value=value)  # type: ignore[arg-type]


def drawn(picture: str, look: str) -> list[ET.Element]:
    return [one for one in ET.fromstring(picture).iter() if look in (one.get("class") or "").split()]


def test_every_trial_is_drawn() -> None:
    trials = [trial(number, 0.5 + number / 100, lr=10.0**-number, kernel="rbf") for number in range(5)]
    trials += [
        trial(5, 0.4, TrialState.PRUNED, lr=0.1, kernel="rbf"),
        trial(6, None, TrialState.FAILED, lr=1.0, kernel="x"),
    ]
    picture = plot(begun({"lr": "1e-5:1:log", "kernel": "rbf,x"}, ("lr",)), trials)
    assert len(drawn(picture, "dot")) == 4 * 3  # one of five is the best, and each stands in three panels
    assert len(drawn(picture, "best")) == 3
    assert len(drawn(picture, "pruned")) == len(drawn(picture, "failed")) == 1
    assert len(drawn(picture, "so-far")) == 1
    assert "trial 6, failed" in picture


def test_texts_of_others_are_escaped() -> None:
    nasty = '</svg><script>alert("1")</script>\x1b[31m'
    picture = plot(begun({nasty: "a,b"}, metric=nasty), [trial(0, 0.5, **{nasty: nasty})])
    assert "<script>" not in picture
    assert "\x1b" not in picture
    ET.fromstring(picture)


def test_texts_are_cut_as_they_are_shown_and_trials_are_counted_from_0() -> None:
    picture = plot(begun({"k": "a,b"}), [trial(0, 0.5, k="\x1b" * 60)])
    words = [one.text or "" for one in ET.fromstring(picture).iter(f"{SVG}text")]
    assert max(map(len, words)) < 160
    assert not [word for word in words if word.startswith("-")]


@pytest.mark.parametrize("values", [[0.5], [0.5, 0.5], [1e-300, 1e300], [-1.0, 0.0], [0.0]])
def test_any_numbers_have_an_axis(values: list[float]) -> None:
    trials = [trial(n, value, x=value, n=n, flag=bool(n), none=None) for n, value in enumerate(values)]
    picture = plot(begun({"x": "", "n": "", "flag": "", "none": ""}), trials)
    assert "nan" not in picture
    ET.fromstring(picture)
