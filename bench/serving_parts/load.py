"""The load: wrk on loopback, some connections, each of which sends its next request when it has an answer."""

import json
import os
import re
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}
TICKS = os.sysconf("SC_CLK_TCK")
LUA = """
local file = io.open("{body}", "rb")
wrk.method = "POST"
wrk.body = file:read("*a")
{headers}
done = function(summary) io.write("refused " .. summary.errors.status .. "\\n") end
"""


@dataclass(frozen=True)
class Load:
    requests: float
    """A second."""
    median: float
    """Latency in milliseconds; so is the next."""
    tail: float
    processor: float = float("nan")
    """Microseconds of a processor that the server takes for a request: other work on the machine changes it least."""


@dataclass(frozen=True)
class Question:
    """What is asked where."""

    url: str
    content: bytes
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, url: str, document: object, **headers: str) -> "Question":
        return cls(url, json.dumps(document).encode(), {"Content-Type": "application/json", **headers})


class LoadError(Exception):
    """The server did not answer."""


def load(question: Question, folder: Path, seconds: int, connections: int, process: int) -> Load:
    """Ask a server, a process with those below it, as fast as it answers, after a second of warming up."""
    body, script = folder / "body", folder / "ask.lua"
    body.write_bytes(question.content)
    headers = "\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in question.headers.items())
    script.write_text(LUA.format(body=body, headers=headers))
    command = ["wrk", "-t1", f"-c{connections}", "--latency", "--timeout=20s", "-s", str(script), question.url]
    for duration in (1, seconds):
        before = _processor(process)
        said = subprocess.run([*command, f"-d{duration}s"], check=True, capture_output=True, text=True).stdout
    if "refused 0\n" not in said:
        raise LoadError(said)
    rate, answered = re.search(r"Requests/sec:\s+([\d.]+)", said), re.search(r"(\d+) requests in", said)
    if rate is None or answered is None or not int(answered[1]):
        raise LoadError(said)
    taken = (_processor(process) - before) / int(answered[1]) * 1e6
    return Load(float(rate[1]), _percentile(said, 50), _percentile(said, 99), taken)


def _processor(process: int) -> float:
    """Seconds of a processor that a process and those below it have taken."""
    parents, ticks = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            number = int(stat.parent.name)
            parents[number], ticks[number] = int(fields[1]), int(fields[11]) + int(fields[12])
    below = {process}
    while more := {number for number, parent in parents.items() if parent in below} - below:
        below |= more
    return sum(ticks.get(number, 0) for number in below) / TICKS


def _percentile(said: str, share: int) -> float:
    found = re.search(rf"\s{share}%\s+([\d.]+)(us|ms|s|m)\s*\n", said)
    if found is None:
        raise LoadError(said)
    return float(found[1]) * UNITS[found[2]]
