"""The same run gives the same bytes: whatever the process, its hash seed, its time zone and its folder."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from cellops.records.contract import Contract

BUILD = """
import sys
from pathlib import Path
from cellops.packaging.build import build_package
from cellops.records.contract import Contract
from cellops.records.package import Provenance
from cellops.records.run import Environment

model, given, output = map(Path, sys.argv[1:])
records = [kind.from_file(given / f"{kind.__name__}.json") for kind in (Contract, Environment, Provenance)]
build_package(model, *records, output, name="flights")
"""


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_two_processes_in_two_folders_at_two_times(
    flights_folder: Path, flights_contract: Contract, recorded: Any, flights_package: Path, tmp_path: Path
) -> None:
    for record in (flights_contract, *recorded):
        (tmp_path / f"{type(record).__name__}.json").write_bytes(record.to_json())
    output = tmp_path / "quite" / "another place" / "built"
    elsewhere = {"PYTHONHASHSEED": "42", "TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONUTF8": "0", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", BUILD, str(flights_folder), str(tmp_path), str(output)]
    # Its model lies under another time than the one that the first package was made of.
    for path in flights_folder.rglob("*"):
        os.utime(path, (1, 1))
    done = subprocess.run(command, env=os.environ | elsewhere, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(tree(output)) > 10
    assert tree(output) == tree(flights_package)
