"""A real server with all that its operator can say: expectations, rules, a fallback and settings."""

from pathlib import Path

from support.served import PORT, WAIT, running, start

RULES = """
import numpy as np
from cellops.errors import RefusedRowsError

def adjust(proposal):
    far = proposal.columns["distance"] > 2000
    if (proposal.columns["distance"] > 4000).any():
        rows = np.flatnonzero(proposal.columns["distance"] > 4000)
        raise RefusedRowsError("Nobody flies that far", remedy="Take a ship", rows=rows)
    proposal.labels[far] = 1 - proposal.labels[far]
    return proposal.labels
"""
ROW = {"carrier": "UA", "origin": "EWR", "distance": 1400, "hour": 5, "wind_gust": 20.1}
NOT_NULL = "expect_column_values_to_not_be_null"


def test_a_server_does_what_its_operator_says(flights: Path, tmp_path: Path) -> None:
    (tmp_path / "house_rules.py").write_text(RULES)
    (tmp_path / "house.txt").write_text(f'{NOT_NULL}("hour", action="impute", default="median")\n')
    words = (*PORT, "--rules", "house_rules:adjust", "--expectations", "house.txt", "--fallback", str(flights))
    with running(flights, tmp_path, *words, server_reject="wind_gust", server_fallback_answer="0") as server:

        def asked(**changes: object) -> tuple[int, dict[str, object], str]:
            answer = server.client.post("/v1/models/flights:predict", json={"instances": [ROW, ROW | changes]})
            return answer.status_code, answer.json(), answer.headers.get("X-Cellops-Warnings", "")

        status, document, warned = asked(hour=None)
        assert (status, warned) == (200, "imputed hour: row 1")
        assert asked(distance=2500)[::2] == (200, "adjusted: row 1")
        status, document, _ = asked(distance=4500)
        assert (status, document["code"], document["rows"]) == (400, "refused-rows", [1])
        status, document, _ = asked(wind_gust=99.0)
        assert (status, document["column"]) == (400, "wind_gust")
        assert 'handling="imputed",' in server.client.get("/metrics").text


def test_what_does_not_fit_is_said_before_the_server_listens(flights: Path, tmp_path: Path) -> None:
    (tmp_path / "house.txt").write_text(f'{NOT_NULL}("gate")\n')
    process = start(flights, tmp_path, *PORT, "--expectations", "house.txt")
    assert process.wait(timeout=WAIT) == 1
    said = (tmp_path / "errors").read_text()
    assert "rules on gate, which the model neither takes nor predicts" in said
    assert "Traceback" not in said
