"""A lease lives exactly as long as its process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cellops.capture.lease import Lease, is_held
from support.permissions import OBEY_PERMISSIONS

HOLD = """
import os, sys
from pathlib import Path
from cellops.capture.lease import Lease
lease = Lease(Path(sys.argv[1]))
child = os.fork()
if child == 0:
    print("held", flush=True)
    sys.stdin.read()
    os._exit(0)
sys.stdin.read()
"""

ASK = """
import sys
from pathlib import Path
from cellops.capture.lease import is_held
print(is_held(Path(sys.argv[1])))
"""


def test_a_killed_process_gives_its_lease_back_even_while_its_forked_child_lives(tmp_path: Path) -> None:
    path = tmp_path / "x.alive"
    holder = subprocess.Popen([sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    assert is_held(path)
    holder.kill()
    os.waitpid(holder.pid, 0)
    assert not is_held(path)
    holder.communicate()


def test_a_released_lease_and_one_that_never_was_are_not_held(tmp_path: Path) -> None:
    path = tmp_path / "x.alive"
    assert not is_held(path)
    Lease(path).release()
    assert not is_held(path)
    assert not path.exists()


def test_the_holder_may_ask_and_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "x.alive"
    lease = Lease(path)
    (tmp_path / "link").symlink_to(tmp_path)
    assert is_held(path)
    assert is_held(tmp_path / "link" / "x.alive")
    done = subprocess.run([sys.executable, "-c", ASK, path], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
    lease.release()
    assert not is_held(path)


def test_reading_the_file_in_the_holder_does_not_give_it_up(tmp_path: Path) -> None:
    path = tmp_path / "x.alive"
    lease = Lease(path)
    path.read_bytes()
    done = subprocess.run([sys.executable, "-c", ASK, path], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
    lease.release()


def test_a_forked_child_cannot_give_it_up(tmp_path: Path) -> None:
    path = tmp_path / "x.alive"
    lease = Lease(path)
    child = os.fork()
    if child == 0:
        lease.release()
        os._exit(0)
    os.waitpid(child, 0)
    assert is_held(path)
    lease.release()


def test_a_journal_has_one_kernel(tmp_path: Path) -> None:
    lease = Lease(tmp_path / "x.alive")
    with pytest.raises(BlockingIOError):
        Lease(tmp_path / "x.alive")
    assert is_held(tmp_path / "x.alive")
    lease.release()


def test_who_may_only_read_the_project_is_told_too(tmp_path: Path) -> None:
    path = tmp_path / "x.alive"
    lease = Lease(path)
    path.chmod(0o400)
    tmp_path.chmod(0o500)
    assert _asked(path) == "True"
    path.chmod(0)
    assert _asked(path) == "False"  # nobody can say
    tmp_path.chmod(0o700)
    path.chmod(0o400)
    lease.release()
    path.touch(0o400)
    assert _asked(path) == "False"


def _asked(path: Path) -> str:
    """What a process answers for which the permissions of files hold."""
    command = [sys.executable, "-c", f"{OBEY_PERMISSIONS}\n{ASK}", path]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
