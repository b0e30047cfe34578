"""What values hold where nothing else looks: a frame's attributes, a fill value, the trees of a booster."""

from typing import Any

from cellops.capture.values.allowance import Allowance

BOOSTERS = {("xgboost.core", "Booster"), ("lightgbm.basic", "Booster")}
OBJECTS_OF_A_ROUND = 10
"""As many objects are looked at while the trees of one round of boosting are written out."""
OF_FRAMES = frozenset({"_mgr", "_item_cache", "_attrs", "_flags", "_name", "_index", "_cacher", "_is_copy"})
"""What pandas keeps in a frame or a series itself."""
GENERATORS = ("bit_generator", "_bit_generator")


def beside(table: Any) -> list[Any]:
    """What a table says beside its cells and labels, where it is not what most tables say."""
    library = type(table).__module__.partition(".")[0]
    if library == "numpy" and hasattr(table, "hardmask"):
        return [table.fill_value, table.hardmask]
    if library != "pandas":
        return []
    index = getattr(table, "index", table)
    freq = getattr(index, "freqstr", None)
    attributes = getattr(table, "attrs", None)
    flags = getattr(table, "flags", None)
    strict = getattr(flags, "allows_duplicate_labels", True) is False
    own = {name: held for name, held in vars(table).items() if name not in OF_FRAMES} if hasattr(table, "_mgr") else {}
    found = {"attrs": attributes, "freq": freq, "unique labels": strict, "own attributes": own}
    return [(name, held) for name, held in found.items() if held]


def is_booster(value: Any) -> bool:
    """Whether a value is a model of xgboost or lightgbm, which keep it where python does not see it."""
    return (type(value).__module__, type(value).__qualname__) in BOOSTERS


def booster_content(booster: Any, allowance: Allowance) -> bytes:
    """A booster as its own library writes it; raises `SpentError` where that takes too long."""
    if type(booster).__module__ == "xgboost.core":
        allowance.visit(OBJECTS_OF_A_ROUND * booster.num_boosted_rounds())
        return bytes(booster.save_raw("ubj"))
    allowance.visit(OBJECTS_OF_A_ROUND * booster.num_trees())
    return bytes(booster.model_to_string(num_iteration=-1).encode())


def spawned(generator: Any) -> int:
    """How many generators one of numpy has spawned: the next one depends on it, and the state does not say it."""
    bits = next((getattr(generator, name) for name in GENERATORS if hasattr(generator, name)), None)
    return int(getattr(getattr(bits, "seed_seq", None), "n_children_spawned", 0))
