"""A package in its archive: the one that was looked at, with the signatures that it has."""

from pathlib import Path

import pytest

from cellops.errors import IntegrityError, PackageError
from cellops.flows.key import key
from cellops.flows.sign import sign
from cellops.packaging.load import read_contract
from cellops.packaging.manifest import write
from cellops.packaging.storing import store_package


def place_of(kind: str, folder: Path) -> str:
    return str(folder) if kind == "folder" else folder.as_uri()


@pytest.mark.parametrize("kind", ["folder", "address"])
def test_signatures_that_came_later_are_not_lost_in_silence(flights_package, tmp_path, kind):
    place, opened = place_of(kind, tmp_path / "archive"), read_contract(flights_package)
    stored = store_package(opened, place)
    assert store_package(opened, place) == stored
    sign(flights_package, Path(key(tmp_path / "key").private))
    with pytest.raises(PackageError, match="not this package with these signatures"):
        store_package(opened, place)


@pytest.mark.parametrize("kind", ["folder", "address"])
def test_a_package_that_is_another_one_by_now_is_not_put_under_its_name(flights_package, tmp_path, kind):
    opened = read_contract(flights_package)
    (flights_package / "README").write_text("new")
    write(flights_package, "flights", None)
    with pytest.raises(IntegrityError, match="was changed meanwhile"):
        store_package(opened, place_of(kind, tmp_path / "archive"))
    assert not list((tmp_path / "archive").glob("*"))
