"""A server that is asked without a pause for minutes: its memory should not grow with the requests."""

import re
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from serving_parts.load import LoadError, Question, asking
from serving_parts.processes import taken

EVERY = 30
"""Seconds between two looks."""


def soak(question: Question, folder: Path, minutes: float, connections: int, process: int) -> None:
    """Ask for so many minutes; print the resident memory each half a minute, and what it grew by since the second look.

    By then every path has run, and the log has written its first segments.
    """
    print("| minutes | resident MB | processor s |\n|---|---|---|", flush=True)
    seen = []
    begun = time.monotonic()
    with asking(question, folder, round(minutes * 60), connections) as client:
        while client.poll() is None:
            now = taken(process)
            seen.append(now.memory)
            print(f"| {(time.monotonic() - begun) / 60:.1f} | {now.memory:.1f} | {now.processor:.0f} |", flush=True)
            with suppress(subprocess.TimeoutExpired):
                client.wait(EVERY)
        said = client.communicate()[0]
    answered = re.search(r"(\d+) requests in", said)
    if "refused 0\n" not in said or answered is None:
        raise LoadError(said)
    grown = taken(process).memory - seen[min(1, len(seen) - 1)]
    print(f"After {answered[1]} requests: {grown:+.1f} MB since the second look", flush=True)
