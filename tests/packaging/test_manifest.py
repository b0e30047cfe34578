import json
import os
from pathlib import Path

import pytest
import skops.io

from cellops.errors import IntegrityError, NotFoundError
from cellops.packaging import load
from cellops.packaging.load import load_package, read_contract
from cellops.packaging.manifest import LARGEST_MANIFEST, verify, write
from cellops.packaging.parity import replay
from cellops.packaging.paths import DEEPEST


@pytest.fixture
def trap(flights_package, monkeypatch):
    """The package, when nothing of it may be parsed: each way in leaves a trace."""
    parsed: list[str] = []
    real = Path.read_bytes

    def watched(path: Path) -> bytes:
        if path.name != "manifest.json":
            parsed.append(path.name)
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", watched)
    monkeypatch.setattr(skops.io, "loads", lambda *_, **__: parsed.append("model"))
    monkeypatch.setattr(skops.io, "get_untrusted_types", lambda *_, **__: parsed.append("types") or [])
    yield flights_package
    assert parsed == []


def edit_manifest(package: Path, change) -> None:
    path = package / "manifest.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def refused(package: Path, path: str, what: str) -> None:
    for opening in (verify, read_contract, load_package):
        with pytest.raises(IntegrityError, match=what) as caught:
            opening(package)
        assert caught.value.data["path"] == path


def test_an_untouched_package_is_accepted(flights_package):
    opened = read_contract(flights_package)
    assert opened.manifest.files
    assert opened.provenance.run == "3f2a91c0"
    replay(opened.contract, load_package(flights_package).predictor)


@pytest.mark.parametrize("path", ["model.skops", "contract/schema.json", "MLmodel", "environment/lock.txt"])
def test_a_changed_byte(trap, path):
    with (trap / path).open("r+b") as file:
        file.seek(10)
        byte = file.read(1)
        file.seek(10)
        file.write(bytes([byte[0] ^ 1]))
    refused(trap, path, "is not the file that was packaged")


def test_a_longer_file(trap):
    with (trap / "requirements.txt").open("a") as file:
        file.write("evil\n")
    refused(trap, "requirements.txt", "is not the file that was packaged")


def test_an_extra_file(trap):
    (trap / "contract" / "sitecustomize.py").write_text("")
    refused(trap, "contract/sitecustomize.py", "is not in the manifest. Remove it, or copy the package again")


def test_a_missing_file(trap):
    (trap / "contract" / "parity.json").unlink()
    refused(trap, "contract/parity.json", "is missing")


def test_folders_without_end(trap):
    before = Path.cwd()
    os.chdir(trap)
    for _ in range(200):
        Path("d").mkdir()
        os.chdir("d")
    os.chdir(before)
    refused(trap, "d/" * (DEEPEST + 1), "lies deeper")


@pytest.mark.parametrize("path", ["model.skops", "contract"])
def test_a_link_even_to_the_same_content(trap, path):
    (trap / path).rename(trap.parent / "elsewhere")
    (trap / path).symlink_to(trap.parent / "elsewhere")
    refused(trap, path, "is a link")


def test_a_special_file(trap):
    os.mkfifo(trap / "pipe")
    refused(trap, "pipe", "is a link or a special file")


@pytest.mark.parametrize(
    "path",
    [
        "../outside",
        "/etc/hostname",
        "contract/../../outside",
        "contract//schema.json",
        "./MLmodel",
        "a\\b",
        "..",
        "",
        "C:/x",
        "contract/nul.json",
        "COM1",
        "trailing.",
        "folder /x",
        "line\nbreak",
    ],
)
def test_a_path_that_leaves_the_package(trap, path):
    (trap.parent / "outside").write_text("x")
    edit_manifest(trap, lambda m: m["files"].append({"path": path, "sha256": "0" * 64, "size": 1}))
    refused(trap, path, "path that is not plain")


def test_a_path_listed_twice(trap):
    edit_manifest(trap, lambda m: m["files"].append(next(file for file in m["files"] if file["path"] == "MLmodel")))
    refused(trap, "MLmodel", "listed twice")


@pytest.mark.parametrize("path", ["mlmodel", "Contract/new.json"])
def test_a_path_that_differs_in_case_only(trap, path):
    edit_manifest(trap, lambda m: m["files"].append({"path": path, "sha256": "0" * 64, "size": 1}))
    refused(trap, path, "upper and lower case only")


def test_the_manifest_cannot_list_itself(trap):
    edit_manifest(trap, lambda m: m["files"].append({"path": "manifest.json", "sha256": "0" * 64, "size": 1}))
    refused(trap, "manifest.json", "listed twice")


@pytest.mark.parametrize("name", ["..", "/etc", "a/../../b", "", "-x", "a b"])
def test_a_name_that_would_lead_elsewhere(trap, name):
    edit_manifest(trap, lambda m: m.update(name=name))
    refused(trap, "manifest.json", "name that it cannot have")


def test_what_was_digested_is_what_is_parsed(flights_package, monkeypatch):
    """Files that change after they were verified change nothing."""
    real = load.verify

    def then_changed(path, wanted, **options):
        verified = real(path, wanted, **options)
        for name in wanted:
            (flights_package / name).unlink(missing_ok=True)
        return verified

    monkeypatch.setattr(load, "verify", then_changed)
    assert load_package(flights_package).provenance.run == "3f2a91c0"


def test_a_manifest_of_another_version(trap):
    edit_manifest(trap, lambda m: m.update(version=99))
    refused(trap, "manifest.json", "version 99")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"version": "one"}', b"[" * 100_000, b"\xff\xfe"])
def test_a_manifest_that_is_none(trap, content):
    (trap / "manifest.json").write_bytes(content)
    refused(trap, "manifest.json", "cannot be read")


def test_a_huge_manifest_is_not_even_read(trap):
    with (trap / "manifest.json").open("wb") as file:
        file.truncate(LARGEST_MANIFEST + 1)
    refused(trap, "manifest.json", "more than the")


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: path.symlink_to("MLmodel")])
def test_a_manifest_that_is_no_file(trap, make):
    (trap / "manifest.json").unlink()
    make(trap / "manifest.json")
    refused(trap, "manifest.json", "is not a file")


def test_a_folder_without_a_manifest(tmp_path):
    refused(tmp_path, "manifest.json", "is missing, so this is no package. Give the folder or archive")


def test_no_folder(tmp_path):
    with pytest.raises(NotFoundError, match="no package"):
        verify(tmp_path / "none")


def test_writing_lists_every_file_but_itself(tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "b").write_bytes(b"")
    (tmp_path / "a").write_text("text")
    manifest = write(tmp_path, "named", None)
    assert [(f.path, f.size) for f in manifest.files] == [("a", 4), ("inner/b", 0)]
    assert verify(tmp_path).manifest == manifest
