"""Schemathesis asks a real server for all that its OpenAPI document describes, and for what does not fit it."""

import re
import subprocess
from pathlib import Path

from support import peers
from support.served import TOKEN, running

CONFIGURATION = """
[checks]
negative_data_rejection.expected-statuses = ["400", "401", "403", "404", "405", "413", "415", "501"]
"""
"""The limits of the server stand in its document, and what is above them is 413."""
LEFT_OUT = "positive_data_acceptance"
"""A schema cannot say that columns are of one length, or that tensors are as long as their shape."""
OPTIONS = ["--generation-deterministic", "--max-examples", "5", "--phases", "coverage,fuzzing", "--no-shrink"]
AGAIN = "/versions/"
"""These paths are described and answered as those of the default version."""


def test_answers_are_those_of_the_document_and_none_is_a_failure(flights: Path, tmp_path: Path) -> None:
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(CONFIGURATION)
    with running(flights, tmp_path / "server", server_max_bytes="200000", server_max_rows="1000") as server:
        described = server.client.get("/openapi.json").json()["paths"]
        command = [
            str(peers.python("schemathesis").with_name("schemathesis")),
            *("--config-file", str(configuration), "run", f"{server.client.base_url}/openapi.json"),
            *("--header", f"Authorization: Bearer {TOKEN}", "--no-color"),
            *("--checks", "all", "--exclude-checks", LEFT_OUT, "--exclude-path-regex", AGAIN, *OPTIONS),
        ]
        done = subprocess.run(
            command, cwd=tmp_path, env=peers.environment(), capture_output=True, text=True, check=False
        )
        failed = [line for line in server.client.get("/metrics").text.splitlines() if re.search('code="50[^1]"', line)]
    assert done.returncode == 0, done.stdout[:5000] + done.stderr
    assert f"Tested: {len([path for path in described if AGAIN not in path])}\n" in done.stdout
    assert failed == []
