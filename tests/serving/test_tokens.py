"""Tokens of clients: kept as digests, with scopes and an end, and refused as soon as they are revoked."""

import errno
import json
import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cellops.errors import CredentialsError, UsageError
from cellops.serving import auth
from cellops.serving.auth import OWNER, Access
from cellops.serving.tokens import TokenScope, add_token, digest, read_tokens, revoke_token, rotate_token
from support.served import TOKEN, Running, running
from support.wire import Wire, wired

EVERYTHING = tuple(TokenScope)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tokens.json"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "LOOKED_AFTER", -1.0)


def client(access: Access, token: str, scope: TokenScope | None = TokenScope.PREDICT) -> str:
    return access.client(b"Bearer " + token.encode(), scope)


def test_the_file_holds_digests_and_is_private(file: Path) -> None:
    made = add_token(file, "shop", EVERYTHING)
    assert made not in file.read_text()
    assert [token.sha256 for token in read_tokens(file)] == [digest(made.encode())]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]


def test_a_token_allows_its_scopes_only(file: Path) -> None:
    made = add_token(file, "shop", [TokenScope.FEEDBACK])
    access = Access(TOKEN, file)
    assert client(access, made, TokenScope.FEEDBACK) == "shop"
    assert client(access, made, None) == "shop"
    for scope in (TokenScope.PREDICT, TokenScope.METRICS):
        with pytest.raises(CredentialsError, match=f"does not allow {scope}"):
            client(access, made, scope)
    assert client(access, TOKEN, TokenScope.METRICS) == OWNER


def test_a_token_that_is_made_revoked_or_replaced_counts_while_the_server_runs(file: Path) -> None:
    access = Access(TOKEN, file)
    first = add_token(file, "shop", EVERYTHING)
    assert client(access, first) == "shop"
    second = rotate_token(file, "shop", hours=1)
    assert (client(access, first), client(access, second)) == ("shop", "shop")
    assert [token.scopes for token in read_tokens(file)] == [EVERYTHING, EVERYTHING]
    revoke_token(file, "shop")
    for token in (first, second):
        with pytest.raises(CredentialsError, match="not one that this server takes"):
            client(access, token)


def test_a_token_ends_with_its_time(file: Path) -> None:
    made = add_token(file, "shop", EVERYTHING, days=1e-9)
    with pytest.raises(CredentialsError):
        client(Access(TOKEN, file), made)
    assert add_token(file, "shop", EVERYTHING) != made  # its name is free again
    replaced = add_token(file, "other", EVERYTHING)
    rotate_token(file, "other", hours=0)
    with pytest.raises(CredentialsError):
        client(Access(TOKEN, file), replaced)


def test_a_file_that_others_can_read_leaves_no_token_valid(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = add_token(file, "shop", EVERYTHING)
    access = Access(TOKEN, file)
    file.chmod(0o640)
    file.write_bytes(file.read_bytes() + b"\n")
    with pytest.raises(CredentialsError):
        client(access, made)
    assert "chmod 600" in caplog.text
    with pytest.raises(UsageError, match="read or written by others"):
        read_tokens(file)


def test_a_file_of_somebody_else_leaves_no_token_valid(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_token(file, "shop", EVERYTHING)
    if not os.getuid():
        os.chown(file, 12345, -1)
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    with pytest.raises(UsageError, match="read or written by others"):
        read_tokens(file)


def test_of_many_changes_at_once_none_is_lost(file: Path) -> None:
    names = [f"client-{number}" for number in range(16)]
    for name in names[:8]:
        add_token(file, name, EVERYTHING)
    revoked = [partial(revoke_token, file, name) for name in names[:8]]
    made = [partial(add_token, file, name, EVERYTHING) for name in names[8:]]
    with ThreadPoolExecutor(16) as pool:
        for change in [pool.submit(work) for work in [*revoked, *made]]:
            change.result()
    assert sorted(token.name for token in read_tokens(file)) == sorted(names[8:])


def test_a_file_that_cannot_be_replaced_leaves_nothing_beside_it(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match="No space left"):
        add_token(file, "shop", EVERYTHING)
    assert not list(file.parent.iterdir())


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"tokens": [{"name": "x"}]}', b"\xff", b"null", b'{"x": ' + b"[" * 100_000]
)
def test_a_file_that_is_broken_is_named_and_kept(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(UsageError, match="cannot be read"):
        add_token(file, "shop", EVERYTHING)
    assert file.read_bytes() == content


@pytest.mark.parametrize("name", ["", "a b", "-x", "a/b", "x" * 65, "a\n"])
def test_a_name_that_is_none_is_refused(file: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be called"):
        add_token(file, name, EVERYTHING)
    assert not file.exists()


def test_a_name_that_is_taken_or_unknown_is_refused(file: Path) -> None:
    add_token(file, "shop", EVERYTHING)
    with pytest.raises(UsageError, match="already"):
        add_token(file, "shop", EVERYTHING)
    for act in (lambda: rotate_token(file, "shoe", 1), lambda: revoke_token(file, "shoe")):
        with pytest.raises(UsageError, match="no token shoe") as caught:
            act()
        assert "shop" in caught.value.remedy


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with wired("diabetes", tmp_path_factory.mktemp("diabetes")) as made:
        yield made


def test_each_path_asks_for_its_scope(wire: Wire) -> None:
    scopes = {path: route.scope for path, route in wire.app.table.routes.items() if route.scope}
    assert scopes == {
        **dict.fromkeys(
            [path for path in scopes if path.endswith(("predict", "infer", "explain", "invocations"))],
            TokenScope.PREDICT,
        ),
        "/feedback": TokenScope.FEEDBACK,
        "/metrics": TokenScope.METRICS,
    }
    assert {route.method for path, route in wire.app.table.routes.items() if path not in scopes} == {"GET"}


def test_a_server_takes_the_tokens_of_its_file(flights: Path, tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    shop, probe = add_token(file, "shop", [TokenScope.PREDICT]), add_token(file, "probe", [TokenScope.METRICS])
    with running(flights, tmp_path, server_tokens=str(file)) as server:
        assert [ask(server, token) for token in (shop, probe, TOKEN, "other")] == [
            (400, 403, 403),
            (403, 403, 200),
            (400, 400, 200),
            (403, 403, 403),
        ]


def ask(server: Running, token: str) -> tuple[int, ...]:
    """What becomes of an empty question, of empty feedback and of the metrics."""
    headers: dict[str, Any] = {"Authorization": f"Bearer {token}"}
    empty = json.dumps({}).encode()
    return (
        server.client.post("/v1/models/flights:predict", content=empty, headers=headers).status_code,
        server.client.post("/feedback", content=empty, headers=headers).status_code,
        server.client.get("/metrics", headers=headers).status_code,
    )
