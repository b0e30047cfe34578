"""Contracts that decode and yet make no sense: refused when the package is opened."""

import base64
import hashlib
import json

import numpy as np
import pandas as pd
import pytest

from cellops.data.profile import profile
from cellops.errors import IntegrityError
from cellops.packaging.consistency import require_consistent
from cellops.packaging.load import load_package, read_contract
from cellops.records.contract import Contract
from cellops.records.gate import GateFigure, Group
from cellops.records.profile import ColumnKind, QuantileSketch


def rewrite(package, part, change):
    """Change a part of the contract and its digest, as one would who builds packages of his own."""
    path, manifest = package / "contract" / f"{part}.json", package / "manifest.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    listed = json.loads(manifest.read_text())
    for file in listed["files"]:
        if file["path"] == f"contract/{part}.json":
            content = path.read_bytes()
            file.update(size=len(content), sha256=hashlib.sha256(content).hexdigest())
    manifest.write_text(json.dumps(listed))


def numeric(document):
    return next(column for column in document["columns"] if column["bins"].get("edges"))


CHANGES = {
    "dtype": ("schema", lambda d: d["inputs"][0].update(dtype="nonsense")),
    "one class": ("schema", lambda d: d.update(classes=[0])),
    "no inputs": ("schema", lambda d: d.update(inputs=[])),
    "an input twice": ("schema", lambda d: d["inputs"].append(d["inputs"][0])),
    "limits": ("schema", lambda d: d["inputs"][2].update(minimum=9.0, maximum=1.0)),
    "ragged parity": ("parity", lambda d: d["inputs"]["distance"].pop()),
    "parity without a column": ("parity", lambda d: d["inputs"].pop("distance")),
    "too few probabilities": ("parity", lambda d: d["probabilities"][0].pop()),
    "a tolerance that any answer keeps": ("parity", lambda d: d.update(tolerance=0.5)),
    "no edges": ("profile", lambda d: numeric(d)["bins"].update(edges=[])),
    "no bins": ("profile", lambda d: numeric(d)["bins"].update(edges=None)),
    "edges that fall": ("profile", lambda d: numeric(d)["bins"]["edges"].reverse()),
    "negative counts": ("profile", lambda d: numeric(d)["bins"]["counts"].__setitem__(0, -5)),
    "too few counts": ("profile", lambda d: numeric(d)["bins"]["counts"].pop()),
    "another kind": ("profile", lambda d: numeric(d).update(kind="text")),
    "a column twice": ("profile", lambda d: d["columns"].append(d["columns"][0])),
    "quantiles of one value": ("profile", lambda d: numeric(d)["sketch"].update(values=[3.0, 3.0], cumulative=[1, 2])),
    "quantiles without rows": ("profile", lambda d: numeric(d)["sketch"].update(values=[3.0, 4.0], cumulative=[2, 2])),
    "a distance below zero": ("profile", lambda d: numeric(d)["sketch"].update(distance_error=-1.0)),
    "quantiles": ("profile", lambda d: numeric(d)["sketch"].update(cumulative=[])),
    "a huge figure": ("performance", lambda d: d["measures"][0].update(value=1e308)),
    "bounds that fall": ("performance", lambda d: d["measures"][0].update(low=0.9, high=0.1)),
    "output": ("output", lambda d: d["bins"].update(edges=[])),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_contract_that_contradicts_itself(name, flights_package):
    part, change = CHANGES[name]
    rewrite(flights_package, part, change)
    for opening in (read_contract, load_package):
        with pytest.raises(IntegrityError, match="contradicts itself") as caught:
            opening(flights_package)
        assert caught.value.data["path"] == f"contract/{part}.json"


def figure(**changes):
    group = Group(name="UA", rows=90, counted=40, value=0.7, low=0.6, high=0.8)
    return GateFigure(name="min_group(recall, carrier)", value=0.7, groups=(group.replace(**changes),))


@pytest.mark.parametrize(
    "figures",
    [
        (figure(), figure()),
        (figure(rows=-1),),
        (figure(counted=91),),
        (figure(value=1e300),),
        (figure(low=0.9),),
    ],
    ids=["twice", "fewer rows than none", "more counted than rows", "a huge figure", "bounds that fall"],
)
def test_groups_that_no_model_has(figures, flights_contract):
    require_consistent(flights_contract.replace(groups=(figure(),)))
    with pytest.raises(IntegrityError, match=r"contract/groups.json contradicts itself"):
        require_consistent(flights_contract.replace(groups=figures))


def test_honest_contracts_pass(flights_contract, cancer_model, diabetes_model):
    for contract in (flights_contract, cancer_model.contract(), diabetes_model.contract()):
        require_consistent(contract)


@pytest.fixture(scope="module")
def related(flights_contract: Contract) -> Contract:
    """A contract whose profile has relations and free text."""
    random = np.random.default_rng(0)
    one = random.normal(size=1_000)
    notes = [f"late {word} of {other}" for word, other in random.integers(0, 900, (1_000, 2))]
    table = pd.DataFrame({"one": one, "two": one + random.normal(size=1_000) / 4, "note": notes})
    contract = flights_contract.replace(profile=profile(table))
    require_consistent(contract)
    return contract


def as_base64(hashes):
    return base64.b64encode(np.asarray(hashes, dtype="<u4").tobytes()).decode()


RELATIONS = {
    "huge weights": lambda r: {"weights": ((1e308, 1e308), (1e308, 1e308))},
    "ragged weights": lambda r: {"weights": ((1.0,), (0.0, 1.0))},
    "huge ranks": lambda r: {"scores": tuple((*scores[:-1], 1e300) for scores in r.scores)},
    "a tiny deviation": lambda r: {"deviations": (5e-324, 1.0)},
    "a huge deviation": lambda r: {"deviations": (1e308, 1.0)},
    "other columns": lambda r: {"names": ("one", "three")},
    "errors without bins": lambda r: {"errors": r.errors.replace(bins=None)},
    "errors that are times": lambda r: {"errors": r.errors.replace(kind=ColumnKind.DATETIME)},
}
TEXTS = {
    "no Base64": lambda t: {"known": "@@@@"},
    "half a hash": lambda t: {"known": "AAAA"},
    "hashes that fall": lambda t: {"known": as_base64([2, 1])},
    "endless hashes": lambda t: {"known": as_base64(np.arange(1_000_000))},
    "lengths below zero": lambda t: {"lengths": QuantileSketch(values=(-5.0,), cumulative=(t.rows,))},
    "lengths of other rows": lambda t: {"lengths": QuantileSketch(values=(5.0,), cumulative=(1,))},
    "endless words": lambda t: {"words": tuple(map(str, range(2_000))), "rows_with": (1,) * 2_000},
    "a word twice": lambda t: {"words": ("late", "late"), "rows_with": (30, 30)},
}


@pytest.mark.parametrize("name", RELATIONS)
def test_relations_that_cannot_be_are_refused(name, related):
    held = related.profile.relations
    changed = related.profile.replace(relations=held.replace(**RELATIONS[name](held)))
    with pytest.raises(IntegrityError, match="contradicts itself"):
        require_consistent(related.replace(profile=changed))


@pytest.mark.parametrize("name", TEXTS)
def test_texts_that_cannot_be_are_refused(name, related):
    *others, note = related.profile.columns
    changed = related.profile.replace(columns=(*others, note.replace(text=note.text.replace(**TEXTS[name](note.text)))))
    with pytest.raises(IntegrityError, match="words of column note"):
        require_consistent(related.replace(profile=changed))


def test_text_of_numbers_is_refused(related):
    one, *others = related.profile.columns
    changed = related.profile.replace(columns=(one.replace(text=others[-1].text), *others))
    with pytest.raises(IntegrityError, match="words of column one"):
        require_consistent(related.replace(profile=changed))


@pytest.mark.parametrize("label", ["many", True, None, 10**400])
def test_labels_of_a_regression_that_are_no_numbers(diabetes_model, label):
    contract = diabetes_model.contract()
    wrong = contract.parity.replace(labels=[label, *contract.parity.labels[1:]])
    with pytest.raises(IntegrityError, match="a label is no number"):
        require_consistent(contract.replace(parity=wrong))
