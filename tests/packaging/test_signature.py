"""Signatures: whose package it is, decided before anything of it is parsed."""

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cellops import settings
from cellops.errors import IntegrityError, NotFoundError, PackageError, SettingsError, SignatureError
from cellops.flows.key import key as new_keys
from cellops.flows.sign import sign
from cellops.packaging import manifest, signing
from cellops.packaging.copying import pack, unpacked
from cellops.packaging.manifest import verify, write
from cellops.packaging.signature import DOMAIN, public_text, read_keys


@pytest.fixture
def package(tmp_path):
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "model.skops").write_bytes(b"model")
    write(folder, "small", None)
    return folder


@pytest.fixture
def owner(tmp_path):
    return new_keys(tmp_path / "keys" / "owner")


@pytest.fixture
def stranger(tmp_path):
    return new_keys(tmp_path / "keys" / "stranger")


def trusted(*keys, project=Path()):
    return read_keys([key.text for key in keys], project)


def test_a_signed_package_is_accepted_by_those_who_trust_the_key(package, owner, stranger, tmp_path):
    done = sign(package, Path(owner.private))
    assert (done.name, done.key, done.keys) == ("small", owner.text, 1)
    plain = verify(package)
    assert verify(package, trusted_keys=trusted(owner)) == plain
    assert verify(package, trusted_keys=trusted(stranger, owner)) == plain
    with pytest.raises(SignatureError, match=r"is signed by ed25519:.* add it to CELLOPS_TRUSTED_KEYS") as caught:
        verify(package, trusted_keys=trusted(stranger))
    assert caught.value.data["keys"] == [stranger.text]


def test_an_unsigned_package_is_refused_where_keys_are_trusted(package, owner):
    with pytest.raises(SignatureError, match="Nobody has signed the package"):
        verify(package, trusted_keys=trusted(owner))
    assert verify(package)


def test_nothing_is_parsed_of_what_nobody_trusted_has_signed(package, owner, monkeypatch):
    (package / "manifest.json").write_text("[" * 100_000)
    (package / "model.skops").write_bytes(b"changed")
    monkeypatch.setattr(manifest, "read_manifest", lambda _: pytest.fail("it was parsed"))
    with pytest.raises(SignatureError, match="Nobody has signed"):
        verify(package, trusted_keys=trusted(owner))


def test_archives_are_signed_too(package, owner, tmp_path):
    pack(package, tmp_path / "a.zip")
    pack(package, tmp_path / "b.zip")
    sign(tmp_path / "a.zip", Path(owner.private))
    assert verify(tmp_path / "a.zip", trusted_keys=trusted(owner)).digest == verify(package).digest
    with pytest.raises(SignatureError):
        verify(tmp_path / "b.zip", trusted_keys=trusted(owner))
    with unpacked(tmp_path / "a.zip", trusted_keys=trusted(owner)) as (copy, _):
        assert {path.name for path in copy.iterdir()} == {"manifest.json", "manifest.sig", "model.skops"}
        assert verify(copy, trusted_keys=trusted(owner))
    assert not list(tmp_path.glob(".cellops-*"))


def test_a_signed_folder_is_packed_with_its_signature(package, owner, tmp_path):
    sign(package, Path(owner.private))
    pack(package, tmp_path / "a.zip")
    assert verify(tmp_path / "a.zip", trusted_keys=trusted(owner)) == verify(package)


def test_what_was_changed_after_it_was_signed(package, owner, tmp_path):
    sign(package, Path(owner.private))
    (package / "model.skops").write_bytes(b"changed")
    with pytest.raises(IntegrityError, match=r"model\.skops"):
        verify(package, trusted_keys=trusted(owner))
    write(package, "small", None)
    with pytest.raises(SignatureError, match="changed after it was signed"):
        verify(package, trusted_keys=trusted(owner))


def test_several_keys_may_sign_and_those_of_another_manifest_go(package, owner, stranger):
    sign(package, Path(owner.private))
    first = (package / "manifest.sig").read_bytes()
    assert sign(package, Path(owner.private)).keys == 1
    assert (package / "manifest.sig").read_bytes() == first
    assert sign(package, Path(stranger.private)).keys == 2
    for one in (owner, stranger):
        assert verify(package, trusted_keys=trusted(one))
    (package / "model.skops").write_bytes(b"changed")
    write(package, "small", None)
    assert sign(package, Path(stranger.private)).keys == 1
    with pytest.raises(SignatureError):
        verify(package, trusted_keys=trusted(owner))


def edited(package: Path, **changes) -> None:
    path = package / "manifest.sig"
    document = json.loads(path.read_text())
    document["signatures"][0] |= changes
    path.write_text(json.dumps(document))


def test_a_signature_of_one_package_is_none_of_another(package, owner, tmp_path):
    sign(package, Path(owner.private))
    other = tmp_path / "other"
    other.mkdir()
    (other / "model.skops").write_bytes(b"another")
    write(other, "small", None)
    (other / "manifest.sig").write_bytes((package / "manifest.sig").read_bytes())
    with pytest.raises(SignatureError, match="changed after it was signed"):
        verify(other, trusted_keys=trusted(owner))


def test_a_signature_of_the_bare_digest_is_none_of_the_package(package, owner):
    """What the key has signed elsewhere, as of a commit or of a file, says nothing of a package."""
    from cellops.packaging.signature import read_private_key

    sign(package, Path(owner.private))
    key, digest = read_private_key(Path(owner.private)), verify(package).digest
    for message in (bytes.fromhex(digest), digest.encode(), DOMAIN + digest.encode(), DOMAIN):
        edited(package, signature=base64.b64encode(key.sign(message)).decode())
        with pytest.raises(SignatureError):
            verify(package, trusted_keys=trusted(owner))


@pytest.mark.parametrize("signature", ["", "AAAA", "no base64", base64.b64encode(bytes(64)).decode(), "A" * 88])
def test_what_is_no_signature(package, owner, signature):
    sign(package, Path(owner.private))
    edited(package, signature=signature)
    with pytest.raises(SignatureError, match="changed after it was signed"):
        verify(package, trusted_keys=trusted(owner))


def test_the_name_of_a_trusted_key_over_the_signature_of_another(package, owner, stranger):
    sign(package, Path(stranger.private))
    edited(package, key=owner.text)
    with pytest.raises(SignatureError):
        verify(package, trusted_keys=trusted(owner))


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"[" * 50_000, b'{"version": 2, "signatures": []}', b"\xff", b'{"a\xee": 1}']
)
def test_signatures_that_cannot_be_read(package, owner, content):
    (package / "manifest.sig").write_bytes(content)
    with pytest.raises(PackageError, match=r"manifest\.sig"):
        verify(package, trusted_keys=trusted(owner))
    assert verify(package)  # they mean nothing to who trusts no key


def test_a_huge_file_of_signatures_is_not_even_read(package):
    (package / "manifest.sig").write_bytes(b"x" * 200_000)
    with pytest.raises(IntegrityError, match="more than the"):
        verify(package)


def test_signatures_that_are_a_link_or_listed(package, owner, tmp_path):
    sign(package, Path(owner.private))
    (package / "manifest.sig").rename(tmp_path / "elsewhere")
    (package / "manifest.sig").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(IntegrityError, match="is a link"):
        verify(package, trusted_keys=trusted(owner))
    (package / "manifest.sig").unlink()
    document = json.loads((package / "manifest.json").read_text())
    document["files"].append({"path": "manifest.sig", "sha256": "0" * 64, "size": 0})
    (package / "manifest.json").write_text(json.dumps(document))
    with pytest.raises(IntegrityError, match="listed twice"):
        verify(package)


def test_a_broken_package_is_not_signed(package, owner):
    (package / "extra").write_text("x")
    with pytest.raises(IntegrityError, match="extra"):
        sign(package, Path(owner.private))
    assert not (package / "manifest.sig").exists()
    with pytest.raises(NotFoundError):
        sign(package / "none", Path(owner.private))


def test_keys_are_made_for_their_owner_alone_and_never_over_others(tmp_path):
    made = new_keys(tmp_path / "deep" / "key")
    assert Path(made.public).read_text() == f"{made.text} key\n"
    if os.name == "posix":
        assert Path(made.private).stat().st_mode & 0o777 == 0o600
    before = Path(made.private).read_bytes()
    with pytest.raises(SignatureError, match="File exists"):
        new_keys(tmp_path / "deep" / "key")
    Path(made.public).unlink()
    with pytest.raises(SignatureError, match="File exists"):
        new_keys(tmp_path / "deep" / "key")
    assert Path(made.private).read_bytes() == before
    assert not Path(made.public).exists()


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_a_key_that_others_can_read_signs_nothing(package, owner, mode):
    Path(owner.private).chmod(mode)
    with pytest.raises(SignatureError, match=f"mode {mode:04o}.*chmod 600"):
        sign(package, Path(owner.private))
    assert not (package / "manifest.sig").exists()


@pytest.mark.parametrize(
    "command",
    [
        ["openssl", "genpkey", "-algorithm", "ed25519", "-aes256", "-pass", "pass:secret"],
        ["openssl", "genpkey", "-algorithm", "x25519"],
        ["echo", "nothing"],
    ],
)
def test_a_key_that_cannot_sign(package, tmp_path, command):
    (tmp_path / "key").write_bytes(subprocess.run(command, capture_output=True, check=True).stdout)
    (tmp_path / "key").chmod(0o600)
    with pytest.raises(SignatureError, match="cellops key FILE"):
        sign(package, tmp_path / "key")
    with pytest.raises(SignatureError, match="cannot be read"):
        sign(package, tmp_path / "none")


def test_a_public_key_signs_nothing(package, owner):
    with pytest.raises(SignatureError, match=r"is a public key.*without \.pub"):
        sign(package, Path(owner.public))


def test_a_key_of_openssl_signs(package, tmp_path):
    command = ["openssl", "genpkey", "-algorithm", "ed25519"]
    (tmp_path / "key").write_bytes(subprocess.run(command, capture_output=True, check=True).stdout)
    (tmp_path / "key").chmod(0o600)
    done = sign(package, tmp_path / "key")
    assert verify(package, trusted_keys=read_keys([done.key], tmp_path))


def test_keys_are_named_by_value_and_by_file(owner, stranger, tmp_path):
    (tmp_path / "trusted").write_text(f"# the team\n\n{owner.text} of the owner\n{stranger.text}\n")
    both = {public: text for text, public in zip((owner.text, stranger.text), trusted(owner, stranger), strict=True)}
    assert read_keys(["trusted"], tmp_path) == tuple(both)
    assert read_keys([str(tmp_path / "trusted"), owner.text], Path("/")) == tuple(both)
    assert [public_text(key) for key in both] == [owner.text, stranger.text]


@pytest.mark.parametrize(
    "value", ["ed25519:", "ed25519:AAAA", "ed25519:!", "none", "empty", "folder", "other", "binary"]
)
def test_keys_that_cannot_be_read_trust_nobody(tmp_path, value):
    (tmp_path / "empty").write_text("# nobody\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "ssh").write_text("ssh-ed25519 AAAA\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="CELLOPS_TRUSTED_KEYS"):
        read_keys([value], tmp_path)


def test_a_private_key_is_no_key_to_trust(tmp_path, owner):
    with pytest.raises(SettingsError, match=r"is a private key.*with \.pub behind"):
        read_keys([str(tmp_path / "keys" / "owner")], tmp_path)


def test_the_setting_takes_several_and_never_none(tmp_path, monkeypatch):
    monkeypatch.setenv("CELLOPS_TRUSTED_KEYS", "ed25519:a, release.pub")
    assert settings.load(tmp_path).trusted_keys == ("ed25519:a", "release.pub")
    monkeypatch.setenv("CELLOPS_TRUSTED_KEYS", " , ")
    with pytest.raises(SettingsError, match="names no key"):
        settings.load(tmp_path)


def test_a_full_folder_leaves_the_package_as_it_was(package, owner, monkeypatch):
    sign(package, Path(owner.private))
    before = {path.name: path.read_bytes() for path in package.iterdir()}
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(PackageError, match="No space left"):
        sign(package, Path(owner.private))
    assert {path.name: path.read_bytes() for path in package.iterdir()} == before


def test_of_many_who_sign_at_once_no_signature_is_lost(package, tmp_path):
    pairs = [new_keys(tmp_path / "keys" / str(number)) for number in range(8)]
    with ThreadPoolExecutor(len(pairs)) as pool:
        list(pool.map(lambda pair: sign(package, Path(pair.private)), pairs))
    for pair in pairs:
        assert verify(package, trusted_keys=trusted(pair))


KILLED = """
import os, signal, sys
from pathlib import Path
from cellops.flows.sign import sign
os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
sign(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def test_a_signature_that_is_killed_in_the_middle_leaves_the_package_as_it_was(package, owner):
    before = verify(package)
    done = subprocess.run([sys.executable, "-c", KILLED, package, owner.private], check=False)
    assert done.returncode == -signal.SIGKILL
    assert verify(package) == before
    sign(package, Path(owner.private))
    assert verify(package, trusted_keys=trusted(owner))


def test_a_package_that_cannot_be_written_beside_is_signed_inside(package, owner, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, _: path != package.parent)
    sign(package, Path(owner.private))
    assert verify(package, trusted_keys=trusted(owner))


def test_an_archive_that_is_another_one_meanwhile_is_not_signed(package, owner, tmp_path, monkeypatch):
    archive, other = tmp_path / "a.zip", tmp_path / "other.zip"
    pack(package, archive)
    (package / "model.skops").write_bytes(b"other")
    write(package, "small", None)
    pack(package, other)
    looked = signing.sign

    def exchange(*words):
        shutil.copyfile(other, archive)
        return looked(*words)

    monkeypatch.setattr(signing, "sign", exchange)
    with pytest.raises(IntegrityError, match="was changed meanwhile"):
        sign(archive, Path(owner.private))
    assert archive.read_bytes() == other.read_bytes()
