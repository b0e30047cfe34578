"""A server that speaks TLS, and certificates that no server could start with."""

import datetime as dt
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cellops.errors import UsageError
from cellops.serving.guard import MOST_CONNECTIONS
from cellops.serving.tls import certificate
from support.served import PORT, TOKEN, start

ROW = {"carrier": "UA", "origin": "EWR", "distance": 1400, "hour": 5, "wind_gust": 20.1}
START = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
PLAIN = serialization.NoEncryption()


def written(folder: Path, name: str, encryption: serialization.KeySerializationEncryption = PLAIN) -> tuple[Path, Path]:
    """A certificate of its own for this machine, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(named)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(START)
        .not_valid_after(START + dt.timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, private = folder / f"{name}.pem", folder / f"{name}.key"
    chain.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    private.write_bytes(key.private_bytes(pem, pkcs8, encryption))
    return chain, private


@contextmanager
def silent(url: str, count: int) -> Iterator[list[socket.socket]]:
    """Connections in which nobody says anything."""
    address = ("127.0.0.1", int(url.rpartition(":")[2]))
    held = [socket.create_connection(address, timeout=30) for _ in range(count)]
    try:
        yield held
    finally:
        for connection in held:
            connection.close()


def ended(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_it_answers_over_tls_only(flights: Path, tmp_path: Path) -> None:
    chain, key = written(tmp_path, "server")
    process = start(flights, tmp_path, *PORT, "--tls-certificate", str(chain), "--tls-key", str(key))
    assert process.stdout is not None
    try:
        said = process.stdout.readline()
        url = said.partition(" on ")[2].split()[0].replace("127.0.0.1", "localhost")
        assert url.startswith("https://"), (tmp_path / "errors").read_text()
        headers = {"Authorization": f"Bearer {TOKEN}"}
        trusting = ssl.create_default_context(cafile=chain)
        with httpx.Client(verify=trusting, headers=headers, trust_env=False) as client:
            answer = client.post(f"{url}/v1/models/flights:predict", json={"instances": [ROW]})
            assert (answer.status_code, len(answer.json()["predictions"])) == (200, 1)
            with silent(url, MOST_CONNECTIONS) as held:
                assert ended(held[-1]), "a handshake that never comes holds a file, and there are no more for it"
                assert client.get(f"{url}/v2").status_code == 200
        with httpx.Client(headers=headers, trust_env=False) as client, pytest.raises(httpx.HTTPError):
            client.get(f"{url.replace('https', 'http')}/v2/health/live")
        process.terminate()
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.wait(timeout=60)
        process.stdout.close()


def test_a_certificate_that_is_none_is_one_line_before_the_server_starts(flights: Path, tmp_path: Path) -> None:
    process: subprocess.Popen[str] = start(flights, tmp_path, *PORT, "--tls-certificate", "missing.pem")
    output, _ = process.communicate(timeout=60)
    assert (output, process.returncode) == ("", 2)
    message = (tmp_path / "errors").read_text()
    assert message.count("\n") == 1
    assert "missing.pem: No such file" in message


def test_what_no_server_could_start_with_is_refused(tmp_path: Path) -> None:
    chain, key = written(tmp_path, "one")
    _, other = written(tmp_path, "other")
    encrypted_chain, encrypted = written(tmp_path, "secret", serialization.BestAvailableEncryption(b"word"))
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    for given, words in (
        ((chain, other), "mismatch"),
        ((chain, None), "one.pem"),
        ((empty, key), "empty.pem"),
        ((encrypted_chain, encrypted), "is encrypted"),
        ((tmp_path, key), "cannot speak TLS"),
        ((None, key), "no certificate"),
    ):
        with pytest.raises(UsageError, match=words):
            certificate(*given)
    assert certificate(None, None) is None
    both = tmp_path / "both.pem"
    both.write_bytes(key.read_bytes() + chain.read_bytes())
    assert certificate(both, None) is not None
