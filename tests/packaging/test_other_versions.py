"""A package goes where its format allows, and says why where not: other Pythons, and an older scikit-learn."""

import sys
from pathlib import Path

import pytest

from cellops.errors import PackageError
from cellops.packaging.load import load_package
from support import peers

LOAD = """
import sys
from pathlib import Path
from cellops.errors import CellopsError
from cellops.packaging.load import load_package
from cellops.packaging.parity import replay
from cellops.packaging.versions import explained
for folder in sys.argv[1:]:
    try:
        loaded = load_package(Path(folder), allow_pickle=True)
        with explained(loaded.environment):
            replay(loaded.contract, loaded.predictor)
        print("the same answers")
    except CellopsError as error:
        print(type(error).__name__, error)
"""
HERE = ".".join(map(str, sys.version_info[:2]))


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("versions")
    return {
        "boosted": peers.package(peers.boosted(), folder, "boosted"),
        "linear": peers.package(peers.linear(), folder, "linear"),
        "pickled": peers.package(peers.linear(), folder, "pickled", pickled=True),
    }


def load(where: str, *packages: Path) -> list[str]:
    said = peers.run(where, LOAD, *map(str, packages), PYTHONPATH=str(peers.ROOT / "src"), PYTHONDONTWRITEBYTECODE="")
    return said.splitlines()


@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_another_python_loads_skops_and_refuses_a_pickle(packages: dict[str, Path], version: str) -> None:
    boosted, linear, pickled = load(f"python{version}", *packages.values())
    assert (boosted, linear) == ("the same answers", "the same answers")
    if version == HERE:
        assert pickled == "the same answers"
    else:
        assert pickled.startswith(
            f"PackageError The model is kept as a pickle of Python {HERE}, which Python {version}"
        )
        assert f"Use Python {HERE}" in pickled


def test_an_older_scikit_learn_says_which_one_the_model_needs(packages: dict[str, Path]) -> None:
    import sklearn

    for said in load("older", packages["boosted"], packages["linear"]):
        assert said.startswith(("PackageError", "TrustError"))
        assert f"fitted with scikit-learn {sklearn.__version__}, and here is scikit-learn 1.7" in said
        assert "install the versions in environment/lock.txt" in said


def test_the_pickle_of_this_python_is_loaded_and_that_of_another_is_not(
    packages: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    load_package(packages["pickled"], allow_pickle=True)
    monkeypatch.setattr("cellops.packaging.versions.sys.version", "3.99.1 (main)")
    with pytest.raises(PackageError, match=r"pickle of Python 3\.\d+, which Python 3\.99 may not read"):
        load_package(packages["pickled"], allow_pickle=True)
