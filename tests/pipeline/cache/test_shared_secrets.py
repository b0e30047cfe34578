"""What machines share says no secret: a step whose values seem to hold one is not shared, and says so."""

from pathlib import Path

import pytest

from cellops.capture.secrets import Secret
from cellops.pipeline.cache.entries import Cache
from cellops.pipeline.cache.key import key
from cellops.pipeline.cache.shared import SharedSteps
from cellops.pipeline.values.secrecy import AT_ONCE
from support.ftp import PASSWORD
from support.kept import KEY, files, kept


def test_nothing_there_says_a_secret(
    address: str, served: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = SharedSteps(address, KEY)
    monkeypatch.setenv("TOKEN_OF_A_TEST", "a short one")
    asked = key(
        ["import os\nos.environ['TOKEN_OF_A_TEST']"],
        {},
        {},
        outputs=(),
        folder=tmp_path,
        project=tmp_path,
        parameters_cell=None,
        kernel="python3",
        salt=shared.salt,
    )
    here = Cache(tmp_path / "here", shared)
    here.share(kept(here, 1).replace(key=asked))
    held = b"".join(path.read_bytes() for path in files(served))
    assert b"TOKEN_OF_A_TEST" in held
    for secret in (PASSWORD.encode(), KEY.encode(), b"a short one"):
        assert secret not in held
    assert PASSWORD not in shared.public


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("settings", {"key": f"sk-{'aB3' * 10}"}),
        ("settings", ["postgres://me:a-pass-word@host/table"]),
        ("settings", {"headers": {"Authorization": f"Bearer {'a1' * 10}"}}),
        ("settings", [f"AccountName=me;AccountKey={'a1' * 20}=="]),
        ("settings", ["x" * (AT_ONCE - 40) + f" sk-{'aB3' * 10}"]),
        ("settings", ["of the environment"]),
        ("line", "db_password=a-pass-word"),
        ("db_password", "of nothing else"),
    ],
    ids=["token", "address", "bearer", "account", "across", "environment", "beside its name", "under its name"],
)
def test_what_hands_on_a_secret_is_not_shared(
    name: str, value: object, served: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSWORD_OF_A_TEST", "other")
    monkeypatch.setenv("TEST_PASSWORD", "of the environment")
    here = Cache(tmp_path / "here", SharedSteps(f"file://{served}", KEY))
    values = here.values.keep({name: value})
    makes = kept(here, [1]).replace(values=values)
    takes = kept(here, [1])
    takes = takes.replace(key=takes.key.replace(inputs={name: values[0].digest, "other": None}))
    for entry in (makes, takes):
        told = here.share(entry)
        assert told is not None
        assert f"a secret seems to stand in {name}" in told
    assert files(served) == []


def test_what_became_a_secret_since_is_not_shared(served: Path, tmp_path: Path) -> None:
    here = Cache(tmp_path / "here", SharedSteps(f"file://{served}", KEY))
    entry = kept(here, ["of nothing else"])
    Secret("of nothing else")
    told = here.share(entry)
    assert told is not None
    assert "a secret seems to stand in a;" in told
    assert files(served) == []


def test_what_only_looks_like_a_secret_is_shared(served: Path, tmp_path: Path) -> None:
    here = Cache(tmp_path / "here", SharedSteps(f"file://{served}", KEY))
    texts = ["https://host/a:b@c", "the bearer of this", "risk-adjusted-return-over-all-years", "sk-short", "password"]
    assert here.share(kept(here, texts)) is None
    assert len(files(served)) == 3
