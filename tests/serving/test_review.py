"""Labels of a reviewer on their way to a real server that answers meanwhile."""

import re
from pathlib import Path

import httpx
import pytest

from cellops.errors import CredentialsError, InputError, UsageError
from cellops.flows.review import queue, review
from cellops.flows.review_files import import_labels
from cellops.flows.serve import serve
from cellops.serving.tokens import TokenScope, add_token
from cellops.settings import load
from support.logs import until
from support.reviews import labels_in
from support.served import TOKEN, Running, running

ROWS = [
    {"carrier": carrier, "origin": "EWR", "distance": distance, "hour": hour, "wind_gust": None}
    for carrier, distance, hour in (("UA", 1400, 15), ("EV", 199, 14), ("AA", 1089, 6))
]


@pytest.fixture(scope="module")
def served(flights: Path, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("reviewed")
    with running(flights, folder, "--review-below", "1", log_flush_seconds="0.05") as server:
        answer = server.client.post("/v1/models/flights:predict", json={"instances": ROWS})
        assert answer.status_code == 200
        until(lambda: (server.log / "predictions").is_dir() and list((server.log / "predictions").glob("*.frames")))
        yield server


@pytest.fixture
def token(served: Running, monkeypatch: pytest.MonkeyPatch):
    """Go on as somebody with a token that allows some scopes."""

    def use(name: str, *scopes: TokenScope) -> None:
        made = add_token(served.log.parent / ".cellops" / "server-tokens.json", name, scopes)
        until(lambda: _is_known(served, made))
        monkeypatch.setenv("CELLOPS_SERVER_TOKEN", made)

    return use


def _is_known(served: Running, token: str) -> bool:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{served.client.base_url}/v2/models/flights", headers=headers, trust_env=False).status_code == 200


def test_labels_go_through_the_server_with_their_reviewer(
    served: Running, flights: Path, token, tmp_path: Path
) -> None:
    token("ada", TokenScope.FEEDBACK)
    url = str(served.client.base_url)
    with review(flights, log=served.log, below=1.0, sample=0, server=url, reviewer="Ada") as mine:
        assert mine.state().left == len(ROWS)
        first = mine.state().row.prediction_id
        assert [(choice.label, choice.key) for choice in mine.state().choices] == [(0, "0"), (1, "1")]
        mine.label("1")
    assert until(lambda: labels_in(served.log)) == [(first, 1, "Ada")]
    file = tmp_path / "bob.csv"
    file.write_text(f"prediction_id,label\n{first},0\n")
    told = import_labels(flights, file, log=served.log, server=url, reviewer="Bob").disagreements
    assert [each.labels for each in told] == [{"Ada": 1, "Bob": 0}]
    until(lambda: len(labels_in(served.log)) == 2)
    found = queue(flights, log=served.log, below=1.0, sample=0)
    assert (found.waiting, found.labelled, found.reviewed) == (len(ROWS) - 1, 1, {"Bob": 1})


def test_what_waits_for_a_person_is_counted_by_the_threshold_of_the_server(served: Running, flights: Path) -> None:
    waiting = queue(flights, log=served.log, below=1.0, sample=0)
    count = f"cellops_review_rows_total{{.*}} {float(waiting.waiting + waiting.labelled)}"
    until(lambda: re.search(count, served.client.get("/metrics").text))
    assert waiting.waiting + waiting.labelled >= len(ROWS)


@pytest.mark.parametrize("below", [-0.1, 7, float("nan")])
def test_a_threshold_is_a_share(below: float, flights: Path) -> None:
    with pytest.raises(UsageError, match="--review-below is a share from 0 to 1"):
        serve(flights, review_below=below, settings=load())


def test_who_may_not_give_labels_is_told_so_before_the_first_row(served: Running, flights: Path, token) -> None:
    token("shop", TokenScope.PREDICT)
    with pytest.raises(CredentialsError, match="takes no labels from you: The token does not allow feedback"):
        review(flights, log=served.log, below=1.0, server=str(served.client.base_url))


def test_a_server_that_is_none_is_told(served: Running, flights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELLOPS_SERVER_TOKEN", TOKEN)
    with pytest.raises(UsageError, match="no address of a server"):
        review(flights, log=served.log, server="models.example.org")
    with pytest.raises(InputError, match="does not answer"):
        review(flights, log=served.log, server="http://127.0.0.1:9", settings=load())


def test_a_reviewer_is_a_printable_name(served: Running) -> None:
    label = {"prediction_id": "april:0", "label": 1, "reviewer": "A\x1b[2J"}
    answer = served.client.post("/feedback", json={"labels": [label], "foreign": True})
    assert answer.status_code == 400
    assert "Column reviewer, row 0: not a name" in answer.text
