"""Contracts that decode and yet make no sense: refused when the package is opened."""

import hashlib
import json

import pytest

from cellops.errors import IntegrityError
from cellops.packaging.consistency import require_consistent
from cellops.packaging.load import load_package, read_contract


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
    "no edges": ("profile", lambda d: numeric(d)["bins"].update(edges=[])),
    "no bins": ("profile", lambda d: numeric(d)["bins"].update(edges=None)),
    "edges that fall": ("profile", lambda d: numeric(d)["bins"]["edges"].reverse()),
    "negative counts": ("profile", lambda d: numeric(d)["bins"]["counts"].__setitem__(0, -5)),
    "too few counts": ("profile", lambda d: numeric(d)["bins"]["counts"].pop()),
    "another kind": ("profile", lambda d: numeric(d).update(kind="text")),
    "a column twice": ("profile", lambda d: d["columns"].append(d["columns"][0])),
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


def test_honest_contracts_pass(flights_contract, cancer_model, diabetes_model):
    for contract in (flights_contract, cancer_model.contract(), diabetes_model.contract()):
        require_consistent(contract)
