"""The load: wrk on loopback, some connections, each of which sends its next request when it has an answer."""

import json
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}
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


@dataclass(frozen=True)
class Question:
    """What is asked where."""

    url: str
    content: bytes
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, url: str, document: object, **headers: str) -> "Question":
        return cls(url, json.dumps(document).encode(), {"Content-Type": "application/json", **headers})


def load(question: Question, folder: Path, seconds: int, connections: int) -> Load:
    """Ask as fast as the server answers, after a second of warming up."""
    body, script = folder / "body", folder / "ask.lua"
    body.write_bytes(question.content)
    headers = "\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in question.headers.items())
    script.write_text(LUA.format(body=body, headers=headers))
    command = ["wrk", "-t1", f"-c{connections}", "--latency", "--timeout=20s", "-s", str(script), question.url]
    for duration in (1, seconds):
        said = subprocess.run([*command, f"-d{duration}s"], check=True, capture_output=True, text=True).stdout
    if "refused 0\n" not in said:
        raise SystemExit(f"{question.url} refused requests:\n{said}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert rate is not None
    return Load(float(rate[1]), _percentile(said, 50), _percentile(said, 99))


def _percentile(said: str, share: int) -> float:
    found = re.search(rf"\s{share}%\s+([\d.]+)(us|ms|s)\n", said)
    assert found is not None
    return float(found[1]) * UNITS[found[2]]
