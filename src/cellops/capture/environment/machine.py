"""On what the code ran: processor, cores, graphics cards, and the libraries that compute with many threads."""

import importlib
import os
import platform
import shutil
import subprocess
import sys
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from cellops.records.environment import ThreadPool

GPU_QUERY = ("nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader")
GPU_SECONDS = 5


@cache
def cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def usable_cores() -> int:
    """The cores that this process may use, which a container or a scheduler can have made fewer."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def gpus() -> tuple[str, ...]:
    """NVIDIA's cards with their memory and driver; none where the driver's own tool is absent or does not answer."""
    if shutil.which(GPU_QUERY[0]) is None:
        return ()
    try:
        done = subprocess.run(GPU_QUERY, capture_output=True, text=True, timeout=GPU_SECONDS, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return tuple(line.strip() for line in done.stdout.splitlines() if line.strip()) if done.returncode == 0 else ()


def thread_pools() -> tuple[ThreadPool, ...]:
    """The BLAS and OpenMP libraries that are loaded, as threadpoolctl sees them; none where it is not installed."""
    try:
        found = _controller(len(sys.modules)).info()
    except Exception:  # noqa: BLE001 - it reads foreign libraries, which fail in ways of their own
        return ()
    return tuple(
        ThreadPool(
            library=str(pool.get("internal_api") or pool.get("prefix")),
            kind=str(pool.get("user_api")),
            version=None if pool.get("version") is None else str(pool["version"]),
            threads=int(pool.get("num_threads") or 1),
            architecture=None if pool.get("architecture") is None else str(pool["architecture"]),
        )
        for pool in found
    )


@lru_cache(maxsize=1)
def _controller(_modules: int) -> Any:
    """What threadpoolctl found: it looks through all loaded libraries, which change with the imported modules."""
    return importlib.import_module("threadpoolctl").ThreadpoolController()
