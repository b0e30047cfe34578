"""What DVC, Delta Lake, lakeFS and git-lfs say of a file is read without their packages."""

from pathlib import Path

import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from cellops.capture.files.pointers import (
    at_version,
    delta_entry,
    is_address,
    pointer_of,
    pointers_of,
    public_address,
    shown,
)
from cellops.records.file import Pointer

MD5 = "d41d8cd98f00b204e9800998ecf8427e"


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_dvc_file_beside_the_data(tmp_path: Path) -> None:
    data = write(tmp_path / "data" / "t.csv")
    write(tmp_path / "data" / "t.csv.dvc", f"outs:\n- md5: {MD5}\n  size: 4\n  hash: md5\n  path: t.csv\n")
    assert pointers_of(data, tmp_path) == (Pointer(kind="dvc", target="data/t.csv.dvc", version=f"md5:{MD5}"),)


def test_a_dvc_file_of_the_folder_around_the_data(tmp_path: Path) -> None:
    data = write(tmp_path / "data" / "inner" / "t.csv")
    write(tmp_path / "data.dvc", f"outs:\n- md5: {MD5}.dir\n  nfiles: 1\n  path: data\n")
    assert pointers_of(data, tmp_path) == (Pointer(kind="dvc", target="data.dvc", version=f"md5:{MD5}.dir"),)


def test_the_lock_of_a_dvc_pipeline(tmp_path: Path) -> None:
    data = write(tmp_path / "clean" / "t.csv")
    other = write(tmp_path / "clean" / "other.csv")
    write(
        tmp_path / "dvc.lock",
        f"schema: '2.0'\nstages:\n  clean:\n    cmd: python clean.py\n"
        f"    deps:\n    - path: raw.csv\n      md5: {'0' * 32}\n"
        f"    outs:\n    - path: clean/t.csv\n      hash: md5\n      md5: {MD5}\n      size: 4\n",
    )
    assert pointers_of(data, tmp_path) == (Pointer(kind="dvc", target="dvc.lock", version=f"md5:{MD5}"),)
    assert pointers_of(other, tmp_path) == ()


@pytest.mark.parametrize(
    "text",
    ["", "[", "- a", "outs: 3", "outs:\n- 3", "outs:\n- path: 3", "&a [*a]", "stages: []", "outs:\n- path: t.csv"],
)
def test_a_dvc_file_that_is_none_says_nothing(tmp_path: Path, text: str) -> None:
    data = write(tmp_path / "t.csv")
    write(tmp_path / "t.csv.dvc", text)
    write(tmp_path / "dvc.lock", text)
    assert [pointer.version for pointer in pointers_of(data, tmp_path)] in ([], [None])


def test_the_version_of_a_delta_table(tmp_path: Path) -> None:
    table = tmp_path / "tables" / "flights"
    part = write(table / "month=1" / "part-0.parquet")
    for version in (0, 1, 12):
        write(table / "_delta_log" / f"{version:020}.json", "{}")
    write(table / "_delta_log" / f"{10:020}.checkpoint.parquet")
    write(table / "_delta_log" / "_last_checkpoint", "{}")
    digest = f"xxh3-128:{xxhash.xxh3_128_hexdigest(b'{}')}"
    expected = (Pointer(kind="delta", target="tables/flights", version="12", digest=digest),)
    assert pointers_of(table, tmp_path) == pointers_of(part, tmp_path) == expected


def test_another_version_of_a_delta_table_and_an_entry_that_was_cleaned_up(tmp_path: Path) -> None:
    write(tmp_path / "t" / "_delta_log" / f"{1:020}.json", "{}")
    write(tmp_path / "t" / "_delta_log" / f"{2:020}.checkpoint.parquet")
    newest = pointers_of(tmp_path / "t", tmp_path)
    assert [(pointer.version, pointer.digest) for pointer in newest] == [("2", None)]
    (asked,) = at_version(newest, "1", tmp_path / "t")
    assert (asked.version, asked.digest) == ("1", delta_entry(tmp_path / "t", "1"))
    assert asked.digest is not None
    assert at_version((Pointer(kind="dvc", target="a"),), "1", tmp_path) == (Pointer(kind="dvc", target="a"),)


def test_an_object_of_git_lfs(tmp_path: Path) -> None:
    data = write(tmp_path / "t.csv", f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 1\n")
    assert pointers_of(data, tmp_path) == (Pointer(kind="git-lfs", target="t.csv", version=f"sha256:{'a' * 64}"),)
    assert pointers_of(write(tmp_path / "u.csv", "version 1\n"), tmp_path) == ()


def test_addresses() -> None:
    assert pointer_of("lakefs://repository/v1.2/a/b.parquet") == Pointer(
        kind="lakefs", target="lakefs://repository/a/b.parquet", version="v1.2"
    )
    assert pointer_of("https://example.org/a.csv#x") == Pointer(kind="uri", target="https://example.org/a.csv")
    assert pointer_of("gs://bucket/a.csv?generation=3").version == "3"
    assert all(map(is_address, ("s3://a/b", "https://a/b", "hdfs://a:9000/b", "abfss://c@a/b")))
    assert not any(map(is_address, ("a/b.csv", "C:/data/a.csv", "file:///a", "a: b", "sqlite:///a.db", "s3://a b")))


@given(st.text("abcdefghij0123456789", min_size=6), st.sampled_from(["s3", "https", "abfss"]))
def test_no_credential_and_no_secret_of_a_query_stays_in_an_address(secret: str, scheme: str) -> None:
    shown_address = public_address(f"{scheme}://user:{secret}@host/path?X-Signature={secret}&sig={secret}#{secret}")
    assert shown_address == f"{scheme}://host/path"


def test_paths_are_shown_from_the_project_or_from_home(tmp_path: Path) -> None:
    assert shown(tmp_path / "a" / "b", tmp_path) == "a/b"
    assert shown(Path.home() / "b", tmp_path) == "~/b"
    assert shown(Path("/nowhere/b"), tmp_path) == "/nowhere/b"
