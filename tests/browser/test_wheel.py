import json
import re
import subprocess
from pathlib import Path

import pytest

from cellops import __version__

pytestmark = pytest.mark.browser

COLOUR = re.compile(r"\x1b\[\d+m")


@pytest.mark.parametrize(
    ("listing", "line"),
    [
        ("labextension", f"@cellops/labextension v{__version__} enabled OK"),
        ("server extension", f"cellops.labserver {__version__} OK"),
    ],
)
def test_one_install_is_all(environment, variables, listing, line):
    command = [environment / "bin" / "jupyter", *listing.split(), "list"]
    done = subprocess.run(
        command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True
    )
    assert line in " ".join(COLOUR.sub("", done.stdout).split())


def test_the_lock_file_names_no_host():
    """Whoever builds has an index of their own."""
    lock = json.loads((Path(__file__).parents[2] / "jupyter_extension" / "package-lock.json").read_text())
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]
