"""In what the code ran: interpreter, machine and installed distributions."""

import json
import os
import platform
import re
import sys
from pathlib import Path

from cellops.records.run import Environment

METADATA_FOLDER = re.compile(r"^(?P<name>[A-Za-z0-9_.]+)-(?P<version>[^-]+)\.(?:dist|egg)-info$")


def read_environment() -> Environment:
    """Describe this process's environment.

    Distributions are read from the names of their metadata folders, which takes a millisecond where
    asking each for its metadata takes half a second.
    """
    distributions, local = _distributions()
    return Environment(
        python=platform.python_version(),
        implementation=platform.python_implementation(),
        platform=platform.platform(),
        machine=platform.machine(),
        cpu=_cpu(),
        cores=os.cpu_count() or 1,
        distributions=distributions,
        local=local,
    )


def _distributions() -> tuple[dict[str, str], tuple[str, ...]]:
    found: dict[str, str] = {}
    local: set[str] = set()
    for folder in dict.fromkeys(sys.path):
        for entry in _metadata_folders(Path(folder or ".")):
            match = METADATA_FOLDER.match(entry.name)
            if match is None:
                continue
            name = normalise(match["name"])
            if name in found:
                continue
            found[name] = match["version"]
            if _is_local(entry):
                local.add(name)
    return dict(sorted(found.items())), tuple(sorted(local))


def normalise(name: str) -> str:
    """A distribution's name as PEP 503 spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _metadata_folders(folder: Path) -> list[Path]:
    try:
        return [Path(entry.path) for entry in os.scandir(folder) if entry.name.endswith((".dist-info", ".egg-info"))]
    except OSError:
        return []


def _is_local(metadata: Path) -> bool:
    """Whether a distribution was installed from a path or a repository (PEP 610)."""
    try:
        origin = json.loads((metadata / "direct_url.json").read_bytes())
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        return True
    return "archive_info" not in origin or str(origin.get("url", "")).startswith("file:")


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
