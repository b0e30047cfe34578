"""What audit events announce beyond files: programs and the network."""

from pathlib import Path
from typing import Any

import pytest

from cellops.capture.files.doings import doing
from cellops.records.guarding import Doing, Heard


class Odd:
    """Must not be asked for anything."""

    def __str__(self) -> str:
        raise AssertionError

    __repr__ = __fspath__ = __str__


@pytest.mark.parametrize(
    ("event", "given", "name"),
    [
        ("subprocess.Popen", ("git", ["git", "commit", "-m", "x"], None, None), "git"),
        ("subprocess.Popen", ("/bin/sh", ["/bin/sh", "-c", "rm -r data"], None, None), "rm"),
        ("subprocess.Popen", ("x", [Path("/opt/tools/train"), b"--all"], None, None), "train"),
        ("subprocess.Popen", ("x", [Odd()], None, None), "a program"),
        ("os.system", (b"make all",), "make"),
        ("os.system", ("echo 'unclosed > x",), "a program"),
        ("os.posix_spawn", ("/bin/rm", ["rm", "x"], {}), "rm"),
        ("os.exec", ("/bin/rm", ("rm", "x"), None), "rm"),
    ],
)
def test_programs_that_code_of_the_project_starts_are_refused(event: str, given: tuple[Any, ...], name: str) -> None:
    assert doing(event, given) == Heard(doing=Doing.STARTED, name=name, refused=True)


@pytest.mark.parametrize(
    ("event", "given"),
    [
        ("subprocess.Popen", ("ls", ["ls", "-l"], None, None)),
        ("subprocess.Popen", ("/bin/sh", ["/bin/sh", "-c", "git status && ls"], None, None)),
        ("os.system", ("nvidia-smi",)),
        ("socket.connect", (Odd(), "/run/of/this/machine")),
        ("socket.connect", (Odd(), b"\0abstract")),
        ("http.client.send", (Odd(), b"GET / HTTP/1.1\r\n")),
        ("http.client.send", (Odd(), Odd())),
    ],
)
def test_what_only_looks_is_nothing_to_tell(event: str, given: tuple[Any, ...]) -> None:
    assert doing(event, given) is None


def test_addresses_of_the_network_are_told() -> None:
    assert doing("socket.connect", (Odd(), ("10.0.0.1", 5432))) == Heard(doing=Doing.REACHED, name="10.0.0.1:5432")
    assert doing("socket.connect", (Odd(), ("::1", 80, 0, 0))) == Heard(doing=Doing.REACHED, name="::1:80")


def test_what_a_library_starts_is_told_and_not_refused() -> None:
    code = compile("found = doing('os.system', ('compile all',))", "/usr/lib/of/a/library.py", "exec")
    names: dict[str, Any] = {"doing": doing, "__name__": "library"}
    exec(code, names)
    assert names["found"] == Heard(doing=Doing.STARTED, name="compile", refused=False)
