"""The load: wrk on loopback, some connections, each of which sends its next request when it has an answer."""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from serving_parts.processes import taken

UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}
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


@contextmanager
def asking(question: Question, folder: Path, seconds: int, connections: int) -> Iterator["subprocess.Popen[str]"]:
    """The load, under way; what it says at its end tells how it went."""
    body, script = folder / "body", folder / "ask.lua"
    body.write_bytes(question.content)
    headers = "\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in question.headers.items())
    script.write_text(LUA.format(body=body, headers=headers))
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout=20s", "-s", str(script)]
    with subprocess.Popen([*command, question.url], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as wrk:
        try:
            yield wrk
        finally:
            wrk.kill()


def load(question: Question, folder: Path, seconds: int, connections: int, process: int) -> Load:
    """Ask a server, a process with those below it, as fast as it answers, after a second of warming up."""
    for duration in (1, seconds):
        before = taken(process).processor
        with asking(question, folder, duration, connections) as client:
            said = client.communicate()[0]
    if "refused 0\n" not in said:
        raise LoadError(said)
    rate, answered = re.search(r"Requests/sec:\s+([\d.]+)", said), re.search(r"(\d+) requests in", said)
    if rate is None or answered is None or not int(answered[1]):
        raise LoadError(said)
    processor = (taken(process).processor - before) / int(answered[1]) * 1e6
    return Load(float(rate[1]), _percentile(said, 50), _percentile(said, 99), processor)


def _percentile(said: str, share: int) -> float:
    found = re.search(rf"\s{share}%\s+([\d.]+)(us|ms|s|m)\s*\n", said)
    if found is None:
        raise LoadError(said)
    return float(found[1]) * UNITS[found[2]]
