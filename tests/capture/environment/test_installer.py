"""What installers say is repeated without the passwords of the indexes that they asked."""

import sys
from pathlib import Path

import pytest

from cellops.capture.environment.installer import Installer, InstallerError

SAYS = "import sys; sys.exit('error: no answer from https://ada:secret@index.example/simple/numpy/')"


def test_an_error_shows_no_password(tmp_path: Path) -> None:
    with pytest.raises(InstallerError, match=r"https://index\.example/simple/numpy") as caught:
        Installer.found(tmp_path).run([sys.executable, "-c", SAYS])
    assert "secret" not in f"{caught.value} {caught.value.log}"
