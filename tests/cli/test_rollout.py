"""`cellops rollout` against a server of its admin paths."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from cellops.cli.verbs import main
from cellops.records.rollout import (
    AUTOMATIC,
    Comparison,
    Decision,
    Evidence,
    RolloutAction,
    RolloutRules,
    RolloutState,
    RolloutView,
    Shown,
    SlotEvidence,
    SlotPackage,
    Strategy,
    Verdict,
)
from cellops.screens.rollout import in_short

TOKEN = "a-token"
OLD, NEW = (SlotPackage(path=f"fares-{year}", version=year, digest=year * 8) for year in ("2013", "2014"))
SEEN = Comparison(
    name="errors", champion=0.001, challenger=0.0014, difference=0.0004, low=-0.001, high=0.003, margin=0.005,
    shown=Shown.FINE,
)  # fmt: skip
STARTED = Decision(
    when=0.0, who=AUTOMATIC, action=RolloutAction.ADVANCE, why="not worse", model="fares", strategy=Strategy.CANARY,
    before=5, after=25, champion=OLD, challenger=NEW,
)  # fmt: skip
VIEW = RolloutView(
    state=RolloutState(
        model="fares", strategy=Strategy.CANARY, champion=OLD, challenger=NEW, share=25, stage=1, decisions=(STARTED,)
    ),
    evidence=Evidence(
        champion=SlotEvidence(requests=900, latency={40: 600, 7: 300}), challenger=SlotEvidence(requests=300)
    ),
    verdict=Verdict(
        action=None, why="Not yet known: latency", comparisons=(SEEN,), requests_left=400.4, seconds_left=7300.0
    ),
    now=30.0,
)


class Admin(BaseHTTPRequestHandler):
    """Knows one model, and keeps what it was asked."""

    asked: list[Any]

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self._answer()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self._send(403, b'{"error": "The token does not allow this."}')
        elif self.path == "/v2/repository/models/strange/rollout":
            self._send(200, b"<html>")
        elif self.path != "/v2/repository/models/fares/rollout":
            self._send(404, b'{"error": "There is no such model here."}')
        elif self.asked and self.asked[-1].get("share") == 0:
            self._send(400, b'{"error": "A share of 0 is no rollout."}')
        else:
            self._send(200, VIEW.to_json())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, list[Any]]]:
    monkeypatch.setenv("CELLOPS_SERVER_TOKEN", TOKEN)
    handler = type("Own", (Admin,), {"asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", handler.asked
        server.shutdown()
        thread.join()


def test_it_shows_state_evidence_and_time_to_decision(
    admin: tuple[str, list[Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["rollout", "fares", "--server", admin[0]])
    said = capsys.readouterr().out
    assert "fares canary, stage 2 of 4" in said
    assert "champion   75%  2013 (fares-2013)" in said
    assert "challenger 25%  2014 (fares-2014)" in said
    assert "900 requests to the champion, 300 requests to the challenger" in said
    assert "+0.04% (-0.10% to +0.30%)" in said
    assert "┼" in said
    assert "not worse" in said
    assert "about 2.03 h or 400 requests more" in said
    assert "advance 5% → 25% by the test: not worse" in said


def test_a_script_reads_the_record(admin: tuple[str, list[Any]], capsys: pytest.CaptureFixture[str]) -> None:
    main(["rollout", "fares", "--server", admin[0], "--json"])
    assert RolloutView.from_json(capsys.readouterr().out) == VIEW


def test_what_is_ordered_is_sent(admin: tuple[str, list[Any]]) -> None:
    server, asked = admin
    main(["rollout", "start", "fares", "fares-2014", "--stages", "10,100", "--needs-labels", "--server", server])
    main(["rollout", "pause", "fares", "--why", "a holiday", "--server", server])
    started, paused = asked
    assert (started["action"], started["strategy"], started["challenger"]) == ("start", "canary", "fares-2014")
    assert RolloutRules.from_json(json.dumps(started["rules"])) == RolloutRules(stages=(10, 100), needs_labels=True)
    assert paused == {"action": "pause", "why": "a holiday"}


def test_a_start_without_rules_asks_for_none_and_may_name_users_and_times(admin: tuple[str, list[Any]]) -> None:
    server, asked = admin
    main(["rollout", "start", "fares", "fares-2014", "--strategy", "blue-green", "--server", server])
    words = ["--strategy", "shadow", "--key", "plan", "--shadow-when", "idle"]
    main(["rollout", "start", "fares", "fares-2014", *words, "--server", server])
    plain, shadow = asked
    assert "rules" not in plain
    assert (shadow["strategy"], shadow["key"], shadow["off_peak"]) == ("shadow", "plan", True)


def test_who_starts_a_server_is_told_of_a_rollout() -> None:
    under_way = VIEW.state
    assert in_short(under_way) == "Rollout of fares: canary, stage 2 of 4, 2014 (fares-2014) takes 25%"
    over = under_way.replace(challenger=None, champion=NEW, decisions=(STARTED.replace(action=RolloutAction.PROMOTE),))
    assert in_short(over) == "Rollout of fares, ended by promote: 2014 (fares-2014) answers"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["strange"], "something other than a rollout"),
        (["fares/../other"], "There is no such model here. Name a model"),
        (["fares", "--token", "wrong"], "The token does not allow this. Set CELLOPS_SERVER_TOKEN"),
        (["start", "fares", "new", "--share", "0"], "A share of 0 is no rollout"),
        (["start", "fares", "new", "--stages", "50,25"], "rising percentages"),
        (["start", "fares", "new", "--stages", "half"], "give percentages with commas"),
        (["start", "fares", "new", "--error-margin", "5"], "does not fit: error_margin: expected a float <= 1.0. "),
        (["paus", "fares"], "There is no verb rollout paus. Did you mean rollout pause?"),
    ],
)
def test_what_is_refused_is_one_line(
    admin: tuple[str, list[Any]], arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["rollout", *arguments, "--server", admin[0]])
    error = capsys.readouterr().err
    assert ended.value.code
    assert said in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("server", ["ftp://here", "8001", "http://127.0.0.1:x", "http://127.0.0.1:1"])
def test_an_address_without_a_server_is_told(server: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["rollout", "fares", "--server", server])
    assert server in capsys.readouterr().err
