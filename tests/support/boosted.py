"""Models of xgboost and lightgbm of every kind, and altered files of theirs.

`python tests/support/boosted.py COUNT` loads COUNT altered files of each kind and lets them answer; whatever is not
refused must do that without ending the process.
"""

import json
import random
import re
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import xgboost

XGBOOST_KINDS: dict[str, dict[str, Any]] = {
    "xgboost binary": {},
    "xgboost binary dart": {"booster": "dart", "rate_drop": 0.5},
    "xgboost binary linear": {"booster": "gblinear"},
    "xgboost binary early": {"n_estimators": 60, "early_stopping_rounds": 2},
    "xgboost binary pruned": {"gamma": 5, "max_depth": 6},
    "xgboost classes categories": {"enable_categorical": True, "max_cat_to_onehot": 1},
    "xgboost classes forest": {"num_parallel_tree": 3},
    "xgboost classes linear": {"booster": "gblinear"},
    "xgboost numbers": {"objective": "reg:squarederror"},
    "xgboost numbers dart": {"booster": "dart", "rate_drop": 0.5},
    "xgboost numbers quantile": {"objective": "reg:quantileerror", "quantile_alpha": 0.3},
}
LIGHTGBM_KINDS: dict[str, dict[str, Any]] = {
    "lightgbm binary": {},
    "lightgbm binary categories": {"min_data_per_group": 5, "cat_smooth": 1, "min_child_samples": 5},
    "lightgbm binary early": {"n_estimators": 60},
    "lightgbm classes": {},
    "lightgbm classes ova": {"objective": "multiclassova"},
    "lightgbm numbers": {},
    "lightgbm numbers forest": {"boosting_type": "rf", "bagging_freq": 1, "bagging_fraction": 0.5},
    "lightgbm numbers linear": {"linear_tree": True},
    "lightgbm numbers root": {"reg_sqrt": True},
}
KINDS = [*XGBOOST_KINDS, *LIGHTGBM_KINDS]
ROWS, HALF = 400, 200
ODD_NUMBERS = (
    "-1",
    "0",
    "99",
    "2147483648",
    "-2147483648",
    "1e308",
    "1e-320",
    "1e999",
    "nan",
    "4294967295",
    "",
    "7 7",
    "3.5",
)
ODD_VALUES = (-1, -2, 0, 1, 7, 65535, 65536, 2**31 - 1, 2**31, -(2**31), 2**63, 1e308, 1e-45, 0.5, "", None, [], True)
ODD_TEXTS = (
    "0",
    "1",
    "3",
    "99",
    "-1",
    "1E10",
    "[]",
    "[1E0,1E0]",
    "gbtree",
    "dart",
    "multi:softprob",
    "binary:logistic",
)


@dataclass(frozen=True)
class Boosted:
    model: Any
    inputs: pd.DataFrame
    target: pd.Series


def boosted(kind: str) -> Boosted:
    """A fitted estimator of one of `KINDS`, on numbers, integers, booleans and missing values."""
    generator = np.random.default_rng(7)
    inputs = pd.DataFrame(
        {
            "number": generator.normal(size=ROWS),
            "single": generator.normal(size=ROWS).astype("float32"),
            "integer": generator.integers(0, 9, ROWS),
            "flag": generator.random(ROWS) > 0.5,
        }
    )
    group = pd.Series(generator.choice(list("uvwxyz"), ROWS), dtype="category")
    number = inputs["single"] * 3 + inputs["integer"] + 3 * group.isin(list("uxz")) + 20
    inputs.loc[::7, "number"] = np.nan
    if "categories" in kind or "dart" in kind:
        inputs["group"] = group
    if "linear" in kind:
        inputs = inputs.fillna(0).astype(float)
    library, wanted = kind.split()[:2]
    target = number if wanted == "numbers" else (number > 24).astype(int) + (number > 27) * (wanted == "classes")
    return Boosted(_fitted(library, wanted, kind, inputs, target), inputs, target)


def _fitted(library: str, wanted: str, kind: str, inputs: pd.DataFrame, target: pd.Series) -> Any:
    options = {"n_estimators": 4, **(XGBOOST_KINDS | LIGHTGBM_KINDS)[kind]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if library == "xgboost":
            options = {"enable_categorical": "group" in inputs, **options}
            made = xgboost.XGBRegressor(**options) if wanted == "numbers" else xgboost.XGBClassifier(**options)
            held = {"eval_set": [(inputs[HALF:], target[HALF:])], "verbose": False} if "early" in kind else {}
        else:
            options = {"verbose": -1, "num_leaves": 9, **options}
            made = lightgbm.LGBMRegressor(**options) if wanted == "numbers" else lightgbm.LGBMClassifier(**options)
            stop = [lightgbm.early_stopping(2, verbose=False)]
            held = {"eval_set": [(inputs[HALF:], target[HALF:])], "callbacks": stop} if "early" in kind else {}
        rows = HALF if held else ROWS
        return made.fit(inputs[:rows], target[:rows], **held)


def content_of(model: Any) -> tuple[str, bytes]:
    """The name of its format, and the file."""
    if hasattr(model, "get_booster"):
        return "xgboost", bytes(model.get_booster().save_raw("json"))
    return "lightgbm", model.booster_.model_to_string().encode()


def mutant(content: bytes, chance: random.Random) -> bytes:
    """The file with a few values, lengths or lines changed."""
    change = _changed_json if content.startswith(b"{") else _changed_text
    return change(content, chance, chance.choice([1, 1, 1, 2, 3]))


def _places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, list):
        yield place
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, held in inner:
        yield from _places(held, (*place, name))
    if not isinstance(value, dict | list):
        yield place


def _changed_json(content: bytes, chance: random.Random, times: int) -> bytes:
    document = json.loads(content)
    for _ in range(times):
        *path, last = chance.choice(list(_places(document)))
        owner = document
        for name in path:
            owner = owner[name]
        owner[last] = _other(owner[last], chance)
    return json.dumps(document).encode()


def _other(value: Any, chance: random.Random) -> Any:
    if isinstance(value, list):
        shuffled = chance.sample(value, len(value))
        return chance.choice([value[:-1], value[1:], [*value, 1], [*value, -1], shuffled, value + value])
    if isinstance(value, str):
        return chance.choice(ODD_TEXTS)
    if isinstance(value, int | float) and chance.random() < 0.6:
        return value + chance.choice([1, -1, 2, 10])
    return chance.choice(ODD_VALUES)


def _changed_text(content: bytes, chance: random.Random, times: int) -> bytes:
    text = content.decode().partition("\nfeature_importances")[0]
    for _ in range(times):
        if chance.random() < 0.75:
            found = chance.choice(list(re.finditer(r"(?<=[= ])-?[0-9][0-9.e+-]*", text)))
            near = str(int(float(found[0])) + chance.choice([1, -1, 2, 7])) if "n" not in found[0] else "0"
            text = text[: found.start()] + chance.choice([near, *ODD_NUMBERS]) + text[found.end() :]
            continue
        lines = text.split("\n")
        one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
        lines[one : one + 1] = chance.choice([[], [lines[one]] * 2, [lines[other]]])
        text = "\n".join(lines)
    return text.encode()


def main(count: int) -> None:
    from cellops.data.decoder import frame_columns
    from cellops.errors import CellopsError
    from cellops.packaging.contract import build_contract
    from cellops.packaging.formats import FORMATS, Trust

    for number, kind in enumerate(KINDS):
        held, chance = boosted(kind), random.Random(number)
        chosen, content = content_of(held.model)
        schema = build_contract(held.model, (held.inputs, held.target)).schema
        columns = frame_columns(schema, held.inputs[:20])
        counts = {"kind": kind, "answered": 0, "refused": 0, "failed": 0}
        for _ in range(count):
            try:
                predictor = FORMATS[chosen].predictor(FORMATS[chosen].load(mutant(content, chance), Trust()), schema)
                predictor.predict(columns)
                counts["answered"] += 1
            except CellopsError:
                counts["refused"] += 1
            except Exception as error:  # a server answers this with an error id
                counts["failed"] += 1
                print(f"{kind}: {type(error).__name__}: {error}"[:200], file=sys.stderr)
        print(json.dumps(counts), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
