"""Hashes from the project's own locks, so that a run's lock installs exactly those archives."""

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from cellops.capture.environment.locks import hashes_of, read_locks
from cellops.records.run import Environment
from support.kernel import Kernel

NAME, VERSION = "mine-one", "1.0"
OTHER = "cd" * 32
UV = (
    'version = 1\n\n[[package]]\nname = "mine-one"\nversion = "1.0"\n'
    'source = {{ registry = "https://a.example/index" }}\n'
    'sdist = {{ url = "https://a.example/mine_one-1.0.tar.gz", hash = "sha256:{other}", size = 1 }}\nwheels = [\n'
    '    {{ url = "https://a.example/mine_one-1.0-cp39-cp39-win32.whl", hash = "sha256:{other}", size = 1 }},\n'
    '    {{ url = "https://a.example/mine_one-1.0-py2.py3-none-any.whl", hash = "sha256:{own}", size = 1 }},\n]\n\n'
    '[[package]]\nname = "editable"\nsource = {{ editable = "." }}\n\n[package.metadata]\n'
)
POETRY = (
    '[[package]]\nname = "Mine_One"\nversion = "1.0"\ndescription = ""\nfiles = [\n'
    '    {{file = "mine_one-1.0-py3-none-any.whl", hash = "sha256:{own}"}},\n'
    '    {{file = "mine_one-1.0.tar.gz", hash = "sha256:{other}"}},\n]\n\n'
    '[metadata]\nlock-version = "2.1"\ncontent-hash = "{other}"\n'
)
PIP = (
    'lock-version = "1.0"\n\n[[packages]]\nname = "mine-one"\nversion = "1.0"\n\n[[packages.wheels]]\n'
    'name = "mine_one-1.0-py3-none-any.whl"\nurl = "https://a.example/mine_one-1.0-py3-none-any.whl"\n\n'
    '[packages.wheels.hashes]\nsha256 = "{own}"\n'
)
REQUIREMENTS = "a==2 --hash=sha256:{other}\nMine.One[x] == 1.0 ; python_version > '3' \\\n    --hash=sha256:{own}\n"


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A wheel of pure Python."""
    path = tmp_path / "wheels" / "mine_one-1.0-py3-none-any.whl"
    path.parent.mkdir()
    metadata = "mine_one-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mine_one.py", "x = 1\n")
        archive.writestr(f"{metadata}/METADATA", "Metadata-Version: 2.1\nName: mine-one\nVersion: 1.0\n")
        archive.writestr(f"{metadata}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{metadata}/RECORD", f"mine_one.py,,\n{metadata}/METADATA,,\n{metadata}/WHEEL,,\n")
    return path


@pytest.fixture
def installed(wheel: Path, tmp_path: Path) -> Path:
    """The metadata of the wheel, installed."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    return tmp_path / "site" / "mine_one-1.0.dist-info"


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _uv(*arguments: str, folder: Path) -> None:
    command = [sys.executable, "-m", "uv", *arguments, "--no-index", "--find-links", "wheels", "--offline", "--quiet"]
    subprocess.run(command, cwd=folder, check=True)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("uv.lock", UV),
        ("poetry.lock", POETRY),
        ("pdm.lock", POETRY),
        ("pylock.toml", PIP),
        ("requirements.txt", REQUIREMENTS),
    ],
)
def test_the_hash_of_the_installed_wheel_is_found(
    file: str, text: str, wheel: Path, installed: Path, tmp_path: Path
) -> None:
    (tmp_path / file).write_text(text.format(own=_sha256(wheel), other=OTHER))
    assert hashes_of(NAME, VERSION, installed, read_locks(tmp_path)) == (_sha256(wheel),)
    assert hashes_of(NAME, "2.0", installed, read_locks(tmp_path)) == ()


@pytest.mark.parametrize(
    ("options", "file"), [([], "dev-requirements.txt"), (["--format", "pylock.toml"], "pylock.dev.toml")]
)
def test_what_uv_writes_is_read(options: list[str], file: str, wheel: Path, installed: Path, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("mine-one\n")
    _uv("pip", "compile", "in.txt", "--generate-hashes", *options, "-o", file, folder=tmp_path)
    assert hashes_of(NAME, VERSION, installed, read_locks(tmp_path)) == (_sha256(wheel),)


def test_locks_above_the_project_count_within_its_repository_only(installed: Path, tmp_path: Path) -> None:
    project = tmp_path / "repository" / "notebooks"
    project.mkdir(parents=True)
    (tmp_path / "repository" / ".git").mkdir()
    (tmp_path / "requirements.txt").write_text(f"mine-one==1.0 --hash=sha256:{OTHER}\n")
    assert hashes_of(NAME, VERSION, installed, read_locks(project)) == ()
    (tmp_path / "repository" / "requirements.txt").write_text(f"mine-one==1.0 --hash=sha256:{OTHER}\n")
    assert hashes_of(NAME, VERSION, installed, read_locks(project)) == (OTHER,)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"[[package]]\n", b'[[package]]\nname = "x"\n', b""])
def test_a_lock_that_is_none_gives_nothing(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "uv.lock").write_bytes(content)
    (tmp_path / "requirements.txt").mkdir()
    assert read_locks(tmp_path) == {}


def test_the_lock_of_a_run_installs_exactly_these_archives(wheel: Path, tmp_path: Path) -> None:
    made = Environment(python="3", implementation="", platform="", machine="", cpu="", cores=1)
    made = made.replace(distributions={NAME: VERSION, "own": "3"}, local=("own",))
    (tmp_path / "lock.txt").write_text(made.replace(hashes={NAME: (OTHER, _sha256(wheel))}).lock())
    _uv("pip", "install", "--require-hashes", "--target", "by-uv", "-r", "lock.txt", folder=tmp_path)
    assert (tmp_path / "by-uv" / "mine_one.py").exists()
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--find-links", "wheels", "-r", "lock.txt"]
    subprocess.run([*pip, "--require-hashes", "--target", "by-pip"], cwd=tmp_path, check=True)
    assert (tmp_path / "by-pip" / "mine_one.py").exists()
    (tmp_path / "lock.txt").write_text(made.replace(hashes={NAME: (OTHER,)}).lock())
    refused = subprocess.run([*pip, "--target", "other"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert refused.returncode != 0
    assert "HASHES" in refused.stderr


def test_a_lock_with_hashes_for_some_installs_without_them(wheel: Path, tmp_path: Path) -> None:
    plain = Environment(python="3", implementation="", platform="", machine="", cpu="", cores=1)
    made = plain.replace(distributions={"absent": "1", NAME: VERSION}, hashes={NAME: (_sha256(wheel),)})
    text = "".join(line for line in made.lock().splitlines(keepends=True) if not line.startswith("absent"))
    assert _sha256(wheel) in text
    (tmp_path / "lock.txt").write_text(text)
    _uv("pip", "install", "--target", "by-uv", "-r", "lock.txt", folder=tmp_path)
    assert (tmp_path / "by-uv" / "mine_one.py").exists()


def test_a_run_has_the_hashes_of_the_projects_lock(loaded: Kernel) -> None:
    import msgspec

    lock = f"msgspec=={msgspec.__version__} --hash=sha256:{OTHER}\n-i https://me:secret@a.example/index\n"
    (loaded.project / "requirements.txt").write_text(lock)
    loaded.run("%%mlops run\nx = 1 / 2")
    found = loaded.closed()[-1].environment
    assert found is not None
    assert found.hashes == {"msgspec": (OTHER,)}
    assert "example" not in found.lock()
