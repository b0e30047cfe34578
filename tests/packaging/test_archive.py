"""Archives: the same bytes for the same package, and nothing in one that could be read in two ways."""

import os
import signal
import stat
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from cellops.errors import IntegrityError, NotFoundError, PackageError
from cellops.packaging import archive as zipped
from cellops.packaging.build import build_package
from cellops.packaging.copying import pack, unpacked
from cellops.packaging.load import load_package, read_contract
from cellops.packaging.manifest import verify, write
from support.archives import Part, archive, deflated, parts


@pytest.fixture
def folder(tmp_path):
    """A package as far as archives know one."""
    folder = tmp_path / "package"
    (folder / "contract").mkdir(parents=True)
    (folder / "MLmodel").write_text("flavors: {}\n")
    (folder / "contract" / "schema.json").write_text("{}" * 500)
    (folder / "model.skops").write_bytes(bytes(range(256)) * 40)
    write(folder, "small", None)
    return folder


def held(path: Path) -> dict[str, bytes]:
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def refused(path: Path, what: str) -> None:
    """Refused, and nothing of it was written anywhere."""
    beside = set(path.parent.rglob("*"))
    with pytest.raises(IntegrityError, match=what), unpacked(path):
        pytest.fail("it was unpacked")
    with pytest.raises(IntegrityError, match=what):
        verify(path)
    assert set(path.parent.rglob("*")) == beside


def test_the_same_package_gives_the_same_bytes(folder, tmp_path):
    pack(folder, tmp_path / "a.zip")
    for path in folder.rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o777)
    pack(folder, tmp_path / "b.zip")
    pack(tmp_path / "b.zip", tmp_path / "c.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes() == (tmp_path / "c.zip").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "b.zip", "c.zip", "package"]


def test_others_read_what_is_written(folder, tmp_path):
    pack(folder, tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as file:
        assert file.testzip() is None
        assert {name: file.read(name) for name in file.namelist()} == held(folder)
        assert {entry.external_attr >> 16 for entry in file.infolist()} == {stat.S_IFREG | 0o644}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_what_others_write_is_read(folder, tmp_path, method):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as file:
        for path in sorted(folder.rglob("*")):  # folders too, as zip programs write them
            file.write(path, path.relative_to(folder))
    assert verify(tmp_path / "a.zip") == verify(folder)
    with unpacked(tmp_path / "a.zip") as (copy, verified):
        assert held(copy) == held(folder)
        assert verified.manifest.name == "small"
        assert stat.S_IMODE(copy.parent.stat().st_mode) == 0o700
    assert not copy.exists()


def test_a_folder_that_was_packed_with_its_name(folder, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        for path in sorted(folder.rglob("*")):
            file.write(path, path.relative_to(tmp_path))
    refused(tmp_path / "a.zip", "missing at the top, where it is package/manifest.json")


def test_an_archive_is_loaded_as_its_folder_is(flights_package, tmp_path):
    pack(flights_package, tmp_path / "flights.zip")
    assert read_contract(tmp_path / "flights.zip").contract == read_contract(flights_package).contract
    loaded = load_package(tmp_path / "flights.zip")
    assert loaded.digest == load_package(flights_package).digest


def test_a_package_is_built_as_an_archive(flights_folder, flights_contract, recorded, tmp_path):
    output = tmp_path / "out" / "flights.zip"
    for _ in range(2):  # the second time it is there already
        assert build_package(flights_folder, flights_contract, *recorded, output, name="flights") == output
    assert [path.name for path in output.parent.iterdir()] == ["flights.zip"]
    with pytest.raises(PackageError, match="is already there"):
        build_package(flights_folder, flights_contract, *recorded, output, name="other")
    assert verify(output).manifest.name == "flights"


@pytest.mark.parametrize(
    "name",
    [
        b"../outside",
        b"/etc/cellops",
        b"contract/../../outside",
        b"a\\b",
        b"C:/x",
        b"c:x",
        b"con",
        b"contract/AUX.json",
        b"x/lpt1",
        "com¹".encode(),
        b"trailing.",
        b"trailing ",
        b"x/./y",
        b"x//y",
        b"",
        b"nul\x00l",
        b"line\nbreak",
        b"bell\x07",
        "\u202etxt.exe".encode(),
        b"~/" + b"x/" * 70 + b"y",
        b"x" * 1100,
    ],
)
def test_a_name_that_leads_elsewhere(folder, tmp_path, name):
    outside = tmp_path.parent / "outside"
    refused(archive(tmp_path / "a.zip", [*parts(folder), Part(name, b"x")]), "is listed under a path|is longer")
    assert not outside.exists()


@pytest.mark.parametrize(
    ("name", "what"),
    [
        (b"MLmodel", "listed twice"),
        (b"mlmodel", "upper and lower case"),
        (b"Contract/x", "upper and lower case"),
        ("\uff2d\uff2cmodel".encode(), "upper and lower case only, or in how"),
        (b"MLmodel/x", "as a file and as a folder"),
    ],
)
def test_two_names_for_one_file(folder, tmp_path, name, what):
    refused(archive(tmp_path / "a.zip", [*parts(folder), Part(name, b"x")]), what)


def test_a_folder_that_holds_nothing(folder, tmp_path):
    empty = Part(b"other/", b"", both={"mode": (stat.S_IFDIR | 0o755) << 16})
    refused(archive(tmp_path / "a.zip", [*parts(folder), empty]), "folder without a file")


def test_two_spellings_of_an_accent(folder, tmp_path):
    given = [*parts(folder), Part("caf\u00e9".encode(), b"x"), Part("cafe\u0301".encode(), b"x")]
    refused(archive(tmp_path / "a.zip", given), "upper and lower case only, or in how")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK, stat.S_IFDIR])
def test_links_and_devices(folder, tmp_path, kind):
    link = Part(b"link", b"/etc/hostname", both={"mode": (kind | 0o777) << 16})
    refused(archive(tmp_path / "a.zip", [*parts(folder), link]), "is a link or a special file")


def test_a_volume_label(folder, tmp_path):
    refused(archive(tmp_path / "a.zip", [*parts(folder), Part(b"v", b"", both={"mode": 8})]), "special file")


def extra(kind: int, content: bytes) -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


@pytest.mark.parametrize(
    "field",
    [
        extra(0x0001, bytes(16)),  # zip64
        extra(0x7075, b"\x01" + bytes(4) + b"../x"),  # the name, once more
        extra(0x000D, bytes(12) + b"/etc/passwd"),  # a hard link
        extra(0x756E, bytes(14) + b"/etc/passwd"),  # a link
        extra(0x9901, bytes(7)),  # a key
        b"\x55\x54\xff\xff",
        b"\x01",
    ],
)
@pytest.mark.parametrize("where", ["extra", "local_extra"])
def test_extra_fields_by_which_a_file_is_another(folder, tmp_path, field, where):
    first, *rest = parts(folder)
    refused(archive(tmp_path / "a.zip", [replace(first, **{where: field}), *rest]), "extra field")


def test_extra_fields_that_tell_times_are_passed_over(folder, tmp_path):
    first, *rest = parts(folder)
    times = extra(0x5455, bytes(5))
    assert verify(archive(tmp_path / "a.zip", [replace(first, extra=times, local_extra=times), *rest]))


@pytest.mark.parametrize(
    ("lie", "what"),
    [
        ({"both": {"flags": 0x801}}, "encrypted"),
        ({"both": {"flags": 0x808}}, "encrypted, streamed"),
        ({"both": {"flags": 0x840}}, "encrypted"),
        ({"both": {"method": 12}}, "packed in a way"),
        ({"both": {"method": 99}}, "packed in a way"),
        ({"both": {"size": 5}}, "size that cannot be"),
        ({"both": {"size": 0xFFFFFFFF, "packed": 0xFFFFFFFF}}, "size that cannot be"),
        ({"both": {"disk": 1}}, "packed in a way"),
        ({"local": {"crc": 1}}, "described differently"),
        ({"local": {"size": 1}}, "described differently"),
        ({"local": {"packed": 1}}, "described differently"),
        ({"local": {"method": 8}}, "described differently"),
        ({"local": {"flags": 1}}, "described differently"),
        ({"local_name": b"MLmodeL"}, "described differently"),
        ({"local_name": b"MLmodel\x00"}, "described differently"),
        ({"local_name": b"\xff\xff\xff"}, "not in UTF-8"),
        ({"central": {"offset": 1}}, "overlaps another file"),
        ({"central": {"offset": 0xFFFFFFF0}}, "overlaps another file"),
        ({"before": b"PK\x03\x04"}, "leaves a gap"),
    ],
)
def test_headers_that_lie(folder, tmp_path, lie, what):
    first, *rest = parts(folder)
    assert first.name == b"MLmodel"
    refused(archive(tmp_path / "a.zip", [replace(first, **lie), *rest]), what)


@pytest.mark.parametrize(
    ("lie", "what"),
    [
        ({"behind": b"x"}, "does not end as"),
        ({"behind": b"#" * 100}, "does not end as"),
        ({"comment": b"comment"}, "does not end as"),
        ({"behind": struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0, 0, 0, 0, 0)}, "does not fit it"),
        ({"count": 3}, "another number of files"),
        ({"count": 5}, "another number of files"),
        ({"count": 0xFFFF}, "more than the"),
        ({"length": 10}, "does not fit it"),
        ({"start": 0}, "does not fit it"),
        ({"start": 0xFFFFFFFF}, "does not fit it"),
    ],
)
def test_an_end_that_lies(folder, tmp_path, lie, what):
    refused(archive(tmp_path / "a.zip", parts(folder), **lie), what)


def test_a_name_outside_of_utf_8(folder, tmp_path):
    for flags, name in ((0, "é".encode()), (0x800, b"\xff")):
        refused(archive(tmp_path / "a.zip", [*parts(folder), Part(name, b"", both={"flags": flags})]), "not in UTF-8")


def test_files_that_are_not_listed(folder, tmp_path):
    hidden = Part(b"hidden", b"x" * 10, unlisted=True)
    refused(archive(tmp_path / "a.zip", [*parts(folder), hidden]), "between its files and their list")
    refused(archive(tmp_path / "a.zip", [hidden, *parts(folder)]), "leaves a gap")


def test_a_list_shorter_or_longer_than_the_manifest(folder, tmp_path):
    refused(archive(tmp_path / "a.zip", parts(folder)[1:]), "MLmodel is missing")
    refused(archive(tmp_path / "a.zip", [*parts(folder), Part(b"x", b"x")]), "x is not in the manifest")


def packed(part: Part, content: bytes, size: int | None = None) -> Part:
    both = {"method": 8, "size": len(part.content) if size is None else size, "crc": zlib.crc32(part.content)}
    return replace(part, content=content, both=both)


def test_what_unpacks_to_more_or_less_than_it_says(folder, tmp_path):
    first, *rest = parts(folder)
    more = packed(first, deflated(first.content + b"x"))
    less = packed(first, deflated(first.content[:-1]))
    for part in (more, less, packed(first, deflated(first.content)[:-2])):
        refused(archive(tmp_path / "a.zip", [part, *rest]), "not the file that was packaged")
    refused(archive(tmp_path / "a.zip", [packed(first, deflated(first.content) + b"x"), *rest]), "more behind its end")
    refused(archive(tmp_path / "a.zip", [packed(first, b"\xff" * 30), *rest]), "cannot be unpacked")
    assert verify(archive(tmp_path / "a.zip", [packed(first, deflated(first.content)), *rest]))


def test_a_bomb_is_refused_by_what_it_says(folder, tmp_path):
    bomb = Part(b"bomb", deflated(bytes(50_000_000)), both={"method": 8, "size": 50_000_000})
    refused(archive(tmp_path / "a.zip", [*parts(folder), bomb]), "100 times its size")


def test_a_bomb_that_hides_its_size_is_never_unpacked(folder, tmp_path, monkeypatch):
    first, *rest = parts(folder)
    read: list[int] = []
    real = zipped._Reader.readinto

    def counted(self, buffer):
        read.append(real(self, buffer))
        return read[-1]

    monkeypatch.setattr(zipped._Reader, "readinto", counted)
    bomb = packed(first, deflated(bytes(50_000_000)))
    refused(archive(tmp_path / "a.zip", [bomb, *rest]), "MLmodel is not the file")
    assert sum(read) < 100_000


def test_a_bomb_of_files_that_share_their_bytes(folder, tmp_path):
    kernel = deflated(bytes(1_000_000))
    first = Part(b"0", kernel, both={"method": 8, "size": 1_000_000})
    offset = sum(30 + len(part.name) + len(part.content) for part in parts(folder))
    lie = {"both": {"method": 8, "size": 100}, "central": {"offset": offset}}
    shared = [Part(f"{number}".encode(), b"", **lie) for number in range(1, 50)]
    refused(archive(tmp_path / "a.zip", [*parts(folder), first, *shared]), "overlaps another file")


def test_an_archive_cut_off_anywhere_is_refused(folder, tmp_path):
    pack(folder, tmp_path / "whole.zip")
    whole = (tmp_path / "whole.zip").read_bytes()
    for end in [*range(4, 60), *range(60, len(whole), 97), len(whole) - 1]:
        (tmp_path / "a.zip").write_bytes(whole[:end])
        with pytest.raises(IntegrityError):
            verify(tmp_path / "a.zip")


def test_a_changed_byte_is_refused_or_changes_nothing(folder, tmp_path):
    """Times and permissions of an archive mean nothing; whatever means something is noticed."""
    pack(folder, tmp_path / "whole.zip")
    whole, expected = (tmp_path / "whole.zip").read_bytes(), verify(folder)
    for position in range(0, len(whole), 23):
        changed = bytearray(whole)
        changed[position] ^= 0x41
        (tmp_path / "a.zip").write_bytes(changed)
        try:
            found = verify(tmp_path / "a.zip")
        except PackageError:
            continue
        assert found == expected or found.digest != expected.digest  # a manifest that says otherwise is another one


@pytest.mark.parametrize("name", ["model.tar", "model.tar.gz", "model.tar.xz"])
def test_tar_is_refused_with_a_way_out(folder, tmp_path, name):
    with tarfile.open(tmp_path / name, f"w:{name.rpartition('.')[2]}" if name.count(".") > 1 else "w") as file:
        file.add(folder, ".")
    with pytest.raises(
        PackageError, match=r"such as tar, are not read; write one with: cellops package RUN -o model\.zip"
    ):
        verify(tmp_path / name)


def test_what_is_no_package_at_all(tmp_path):
    (tmp_path / "empty.zip").write_bytes(b"")
    with pytest.raises(PackageError, match="neither the folder"):
        verify(tmp_path / "empty.zip")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(PackageError, match="neither a folder nor a file"):
        verify(tmp_path / "pipe")
    with pytest.raises(NotFoundError):
        verify(tmp_path / "none.zip")


def test_a_package_too_large_for_an_archive(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(zipped, "LARGEST", 5_000)
    with pytest.raises(PackageError, match="Keep it as a folder"):
        pack(folder, tmp_path / "a.zip")
    assert not [path for path in tmp_path.iterdir() if path != folder]


@pytest.fixture
def small_files():
    """A disk that takes no file of more than 4 kB."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_leaves_nothing(folder, tmp_path, small_files):
    with pytest.raises(OSError, match="File too large"):
        pack(folder, tmp_path / "a.zip")
    with pytest.raises(PackageError, match="Make room there"), unpacked(folder):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["package"]


def test_what_replaces_another_archive_does_so_as_a_whole(folder, tmp_path):
    pack(folder, tmp_path / "a.zip")
    before = (tmp_path / "a.zip").read_bytes()
    (folder / "MLmodel").write_text("changed")
    with pytest.raises(IntegrityError):
        pack(folder, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "package"]


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_an_interrupt_leaves_nothing(folder, tmp_path):
    code = """
import os, signal, sys
from pathlib import Path
from cellops.packaging import archive, copying
real = archive.ArchiveWriter.close
def interrupted(self):
    os.kill(os.getpid(), signal.SIGINT)
    real(self)
archive.ArchiveWriter.close = interrupted
copying.pack(Path(sys.argv[1]), Path(sys.argv[2]))
"""
    done = subprocess.run([sys.executable, "-c", code, folder, tmp_path / "a.zip"], capture_output=True, check=False)
    assert b"KeyboardInterrupt" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["package"]
