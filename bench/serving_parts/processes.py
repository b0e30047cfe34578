"""What a server's processes take of the machine, as Linux counts it below /proc."""

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

TICKS, PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")


class Taken(NamedTuple):
    """By a process and those below it, together."""

    processor: float
    """Seconds."""
    memory: float
    """Resident, in MB; what processes share counts for each."""


def taken(process: int) -> Taken:
    parents, ticks, pages = {}, {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            number = int(stat.parent.name)
            parents[number] = int(fields[1])
            ticks[number], pages[number] = int(fields[11]) + int(fields[12]), int(fields[21])
    below = {process}
    while more := {number for number, parent in parents.items() if parent in below} - below:
        below |= more
    seconds = sum(ticks.get(number, 0) for number in below) / TICKS
    return Taken(seconds, sum(pages.get(number, 0) for number in below) * PAGE / 1e6)
