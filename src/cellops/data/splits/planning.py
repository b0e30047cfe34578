"""What a person asks of a split as a plan that is whole, or one error that says what is missing."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np

from cellops.data.splits.shares import exact
from cellops.errors import UsageError
from cellops.records.split import SplitPlan

Fractions = float | Sequence[float] | Mapping[str, float]
KINDS = {"stratify": "stratified", "key": "hashed"}
"""Kinds of splits that are not called as the argument that asks for them."""
VERSIONS = {"time": 1, "groups": 1, "stratified": 1, "hashed": 1, "random": 1}
"""Of the algorithms; one grows whenever its plan would divide rows otherwise."""
NAMES = {2: ("train", "test"), 3: ("train", "validation", "test")}
CLOSE = 1e-9
LARGEST_SEED = 2**64
TAKEN = ("findings", "names", "record")
"""What parts have beside tables."""
MOST_PARTS = 100
"""So that the number of a part takes one byte for each row."""


def plan_of(
    *,
    time: str | None = None,
    groups: str | Sequence[str] | None = None,
    stratify: str | Sequence[str] | None = None,
    key: str | Sequence[str] | None = None,
    fractions: Fractions | None = None,
    cuts: Any = None,
    gap: Any = None,
    seed: int = 0,
    salt: str = "",
) -> SplitPlan:
    """The plan of a split; its kind is that of the one argument of the first four which is given, else `random`.

    Raises
    ------
    UsageError
        When arguments contradict each other, or shares do not sum to one.
    """
    asked = {"time": time, "groups": groups, "stratify": stratify, "key": key}
    given = {name: _columns(value) for name, value in asked.items() if value is not None}
    if len(given) > 1:
        fact = "A split is made in one way, and several were asked for"
        remedy = "Give one of time=, groups=, stratify= and key=; cellops.check_split checks the parts for the others"
        raise UsageError(fact, received=", ".join(given), remedy=remedy)
    name, columns = next(iter(given.items()), ("random", ()))
    kind = KINDS.get(name, name)
    if kind != "time" and (cuts is not None or gap is not None):
        fact = "Cuts and gaps belong to a split by time"
        raise UsageError(fact, remedy="Name the column of the times: time='date'")
    points = () if cuts is None else _listed(cuts)
    names, shares = _parts(fractions, len(points))
    return SplitPlan(
        kind=kind,
        version=VERSIONS[kind],
        columns=columns,
        parts=names,
        fractions=shares,
        seed=_seed(seed) if kind in {"groups", "stratified", "random"} else None,
        salt=_salt(salt) if kind == "hashed" else None,
        cuts=points,
        gap=_gap(gap),
    )


def _columns(value: str | Sequence[str]) -> tuple[str, ...]:
    names = (value,) if isinstance(value, str) else tuple(value)
    if not names or not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        fact = "Columns are named by texts, each once"
        raise UsageError(fact, received=value, remedy="Give a name, or a list of names")
    return names


def _listed(cuts: Any) -> tuple[Any, ...]:
    if isinstance(cuts, np.ndarray):
        return tuple(np.atleast_1d(cuts))
    return tuple(cuts) if isinstance(cuts, list | tuple) else (cuts,)


def _parts(fractions: Fractions | None, cuts: int) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """The names of the parts and their shares; none where cuts are given."""
    if cuts:
        if fractions is not None:
            fact = "Cuts say where parts begin, and fractions were given beside them"
            raise UsageError(fact, remedy="Give one of cuts= and fractions=")
        return _named(cuts + 1), ()
    match fractions:
        case None:
            return NAMES[2], (0.8, 0.2)
        case Mapping():
            names, shares = tuple(map(str, fractions)), tuple(fractions.values())
        case int() | float():
            names, shares = NAMES[2], (float(1 - exact([fractions])[0]) if 0 < fractions < 1 else 0.0, fractions)
        case _:
            shares = tuple(fractions)
            names = _named(len(shares))
    _check(names, shares)
    return names, tuple(map(float, shares))


def _named(count: int) -> tuple[str, ...]:
    if count not in NAMES:
        fact = f"{count} parts have no names of their own"
        raise UsageError(fact, remedy="Name them: fractions={'train': 0.6, 'calibration': 0.1, 'test': 0.3}")
    return NAMES[count]


def _check(names: tuple[str, ...], shares: tuple[Any, ...]) -> None:
    is_share = [isinstance(share, float) and 0 < share < 1 for share in shares]
    remedy = "Give shares above 0 and below 1 whose sum is 1: fractions=(0.8, 0.2)"
    if len(shares) < 2 or not all(is_share):  # noqa: PLR2004 - nothing is divided into one
        fact = "The shares of a split are numbers between 0 and 1, two or more"
        raise UsageError(fact, received=shares, remedy=remedy)
    if len(shares) > MOST_PARTS:
        fact = f"A split has {MOST_PARTS} parts at most"
        raise UsageError(fact, received=len(shares), remedy="Divide a part again where more are needed")
    whole = float(sum(exact(shares)))
    if abs(whole - 1) > CLOSE:
        fact = f"The shares of a split sum to {whole:.6g}"
        raise UsageError(fact, received=shares, remedy=remedy)
    strange = [name for name in names if not name.isidentifier() or name.startswith("_") or name in TAKEN]
    if strange:
        fact = "A part is called by a name that Python can write behind a dot"
        raise UsageError(fact, received=strange[0], remedy="Call it train, validation, test …")


def _salt(salt: Any) -> str:
    if not isinstance(salt, str) or any("\ud800" <= letter <= "\udfff" for letter in salt):
        fact = "The salt of a split is a text"
        raise UsageError(fact, received=salt, remedy="Give one: salt='2024'")
    return salt


def _seed(seed: Any) -> int:
    seed = seed.item() if isinstance(seed, np.integer) else seed
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < LARGEST_SEED:
        fact = "The seed of a split is a whole number from 0 on"
        raise UsageError(fact, received=seed, remedy="Give one: seed=7")
    return seed


def _gap(gap: Any) -> int | float | None:
    """A gap as a number: of seconds, or as the column counts."""
    import pandas as pd

    if gap is None:
        return None
    if isinstance(gap, int | float) and not isinstance(gap, bool) and gap >= 0:
        return gap
    if isinstance(gap, str | timedelta | pd.Timedelta):
        try:
            seconds = pd.Timedelta(gap).total_seconds()
        except ValueError:
            seconds = -1.0
        if seconds >= 0:
            return int(seconds) if seconds.is_integer() else seconds
    fact = "A gap is a span of time from 0 on"
    raise UsageError(fact, received=gap, remedy="Give it as '7 days', a timedelta, or a number of seconds")
