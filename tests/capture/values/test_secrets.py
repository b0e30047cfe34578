"""Nothing that is kept of a value shows a secret, whatever kind of value it stands in."""

import pathlib
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cellops.capture.blobs import Blobs
from cellops.capture.dataflow.analysis import analyse
from cellops.capture.redaction import distinct_secrets, distinct_values
from cellops.capture.results.results import collect
from cellops.capture.secrets import KNOWN, REDACTED, KnownSecrets
from cellops.capture.values.allowance import Allowance
from cellops.capture.values.description import look_at
from cellops.capture.values.numbers import Room
from cellops.records.value import ValueSeen
from support.kernel import Kernel

TOKEN = "ghp_" + "A1b2C3d4E5" * 3 + "abcdef"
KEY = "lorem-ipsum-dolor"
MAKERS: dict[str, Callable[[str], Any]] = {
    "text": lambda key: key,
    "text of numpy": lambda key: np.array([key])[0],
    "bytes of numpy": lambda key: np.array([key.encode()])[0],
    "path": lambda key: pathlib.Path("/x") / key,
    "pattern": re.compile,
    "slice": slice,
    "letters": lambda key: np.frombuffer(key.encode(), np.uint8),
    "wide letters": lambda key: np.array([*key.encode()]),
    "code points": lambda key: np.array(key).reshape(1).view(np.uint32),
    "key of a number": lambda key: {key: 3.0},
    "column": lambda key: pd.DataFrame({key: [1.0, 2.0]}),
    "name of a series": lambda key: pd.Series([1.0], name=key),
    "label": lambda key: pd.DataFrame([[1.0]], index=[key]),
    "type": lambda key: type(key, (), {})(),
    "attribute": lambda key: type("C", (), {})().__dict__ | {key: open},
    "key of what cannot be read": lambda key: {key: print},
    "class": lambda key: type(key, (), {}),
}


class Holder:
    def __init__(self, **held: Any) -> None:
        vars(self).update(held)


@pytest.fixture
def known() -> Iterator[KnownSecrets]:
    """The secrets of the process, forgotten again."""
    before = {name: value.copy() if isinstance(value, set) else value for name, value in vars(KNOWN).items()}
    yield KNOWN
    vars(KNOWN).update(before)


def look(value: Any, folder: Path, name: str = "x") -> tuple[ValueSeen, bytes]:
    seen = look_at(name, value, Allowance(10), Room(Blobs(folder)))
    return seen, b"".join(file.read_bytes() for file in folder.glob("*"))


def is_in(secret: str, seen: ValueSeen, numbers: bytes) -> bool:
    return secret in repr(seen) or secret.encode() in numbers.replace(b"\0", b"")


@pytest.mark.parametrize("kind", MAKERS)
def test_no_kind_of_value_shows_a_token(kind: str, tmp_path: Path) -> None:
    assert not is_in(TOKEN, *look(MAKERS[kind](TOKEN), tmp_path))


@pytest.mark.parametrize("kind", MAKERS)
def test_no_kind_of_value_shows_what_is_known_as_a_secret(kind: str, tmp_path: Path, known: KnownSecrets) -> None:
    known.add(KEY)
    assert not is_in(KEY, *look(MAKERS[kind](KEY), tmp_path))


def test_a_name_that_is_a_secret_is_not_kept(tmp_path: Path) -> None:
    assert not is_in(TOKEN, *look(5, tmp_path, TOKEN))


def test_a_reason_shows_no_part_of_a_token(tmp_path: Path) -> None:
    seen, _ = look(Holder(clients={TOKEN: Holder(lock=threading.Lock())}), tmp_path)
    assert seen.reason is not None
    assert ".lock" in seen.reason
    assert TOKEN[:20] not in repr(seen)


def test_a_number_under_the_name_of_a_secret_is_not_kept(tmp_path: Path) -> None:
    _, kept = look({"db_password": 87654321, "port": 5432.0}, tmp_path)
    assert np.float64(87654321).tobytes() not in kept
    assert np.int64(87654321).tobytes() not in kept


def test_numbers_without_secrets_are_kept(tmp_path: Path) -> None:
    seen, kept = look({"a": 1.5, "b": 2.5}, tmp_path)
    assert seen.numbers is not None
    assert np.float64(2.5).tobytes() in kept


def test_a_number_that_is_a_secret_is_no_number(tmp_path: Path, known: KnownSecrets) -> None:
    known.add("87654321")
    for value in (87654321, np.int64(87654321)):
        seen, _ = look(value, tmp_path)
        assert REDACTED in seen.shown
        assert "87654321" not in repr(seen.replace(digest=None))
        assert seen.number is None


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("password = 'correct horse staple'", {"correct horse staple"}),
        ("os.environ['MY_PASSWORD'] = 'zebra crossing nine'", {"zebra crossing nine"}),
        ("token = 'ab12cd34'", {"ab12cd34"}),
        ("pad_token = '[sentence]'", set()),
        ("token = 'language'", set()),
        ("password = 'ab'", set()),
    ],
)
def test_what_a_source_binds_to_the_name_of_a_secret_is_known_where_it_is_distinct(
    source: str, found: set[str]
) -> None:
    assert distinct_secrets(source) == found


def test_what_stands_under_the_name_of_a_secret_is_known_where_it_is_distinct() -> None:
    held = {"db_password": 87654321, "api_key": "hunter-hunter", "token": "language", "pwd": 1000, "n": 87654321}
    assert distinct_values(held, held) == {"87654321", "hunter-hunter"}


def test_the_name_of_a_metric_shows_no_secret() -> None:
    flow = analyse("usage = dict([(key, 7.0)])")
    assert set(collect(flow, {"usage": {TOKEN: 7.0}}, {"usage"}).metrics) == {f"usage.{REDACTED}"}


def test_a_secret_that_is_given_other_names_reaches_no_record(kernel: Kernel) -> None:
    kernel.run("%load_ext cellops")
    sources = (
        "import os, pathlib, numpy as np",
        "password = 'correct horse staple'",
        "p = password; login = 'user ' + password; where = pathlib.Path(password); first = np.array([password])[0]",
        "os.environ['MY_PASSWORD'] = 'zebra crossing nine'",
        "e = os.environ['MY_PASSWORD']",
        "db_password = int('8765' + '4321')",
        "q = db_password",
        "%%mlops run\nusage = {chr(103) + 'hp_' + 'A1b2C3d4E5' * 3 + 'abcdef': 7.0}",
    )
    for source in sources:
        assert kernel.run(source).status == "ok"
    values = {value.name: value for cell in kernel.cells() for value in cell.values}  # noqa: PD011 - a record
    assert {"p", "login", "where", "first", "e", "q", "usage"} <= set(values)
    written = b"".join(file.read_bytes() for file in (kernel.project / ".cellops").rglob("*") if file.is_file())
    for secret in ("correct horse staple", "zebra crossing nine", TOKEN, "87654321"):
        assert secret.encode() not in written
