"""A real server over a socket: what it refuses, with which code, and in whose words."""

from collections.abc import Iterator
from typing import Any

import pytest

from cellops.errors import LimitError
from cellops.serving.limits import check_nesting
from support.served import Running

V1, V2, MLFLOW = "/v1/models/flights:predict", "/v2/models/flights/infer", "/invocations"
EXPLAIN = "/v1/models/flights:explain"
ROW = {"carrier": "UA", "origin": "EWR", "distance": 1400, "hour": 5, "wind_gust": 20.1}
DATATYPES = {"carrier": "BYTES", "origin": "BYTES", "distance": "INT64", "hour": "INT64", "wind_gust": "FP64"}
SECRET = "nobody may read this back"


def inputs(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    names = dict.fromkeys(name for row in rows for name in row)
    return [
        {
            "name": name,
            "shape": [len(rows)],
            "datatype": DATATYPES.get(name, "BYTES"),
            "data": [row[name] for row in rows if name in row],
        }
        for name in names
    ]


def bodies(*rows: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (V1, {"instances": rows}),
        (EXPLAIN, {"instances": rows}),
        (V2, {"inputs": inputs(*rows)}),
        (MLFLOW, {"dataframe_records": rows}),
    ]


def said(answer: Any, path: str) -> str:
    """The sentence of an error, in the field that the protocol has for it."""
    document = answer.json()
    if path == MLFLOW:
        assert document["error_code"].isupper()
        return str(document["message"])
    return str(document["error"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"distance": "1400"}, ["distance", "row 1", "string"]),
        ({"distance": 0.5}, ["distance", "row 1", "integer"]),
        ({"distance": True}, ["distance", "row 1", "boolean"]),
        ({"carrier": 7}, ["carrier", "row 1", "string"]),
        ({"carrier": None}, ["carrier", "row 1", "null"]),
        ({"wind_gust": [SECRET]}, ["wind_gust", "row 1", "list"]),
        ({"distance": 10**30}, ["distance", "row 1"]),
        ({"distance": 9000}, ["Row 1", "distance", "expect_column_values_to_be_between", "miles"]),
        ({"distanse": 1}, ["distanse", "Send distance in place of distanse"]),
    ],
    ids=lambda value: str(value)[:30],
)
def test_rows_that_do_not_fit_are_named_with_what_is_needed(
    server: Running, changes: dict[str, Any], words: list[str]
) -> None:
    for path, body in bodies(ROW, ROW | changes):
        answer = server.client.post(path, json=body)
        sentence = said(answer, path)
        assert answer.status_code == 400, sentence
        assert [word for word in words if word not in sentence] == [], (path, sentence)
        assert SECRET not in answer.text


def test_the_columns_of_a_csv_are_corrected_one_by_one(server: Running) -> None:
    body = "CARRIER,origin,distance,hour,wind_gust,late\nUA,EWR,1400,5,20.1,1\n"
    message = post_csv(server, body).json()["message"]
    assert message.count("Send carrier in place of CARRIER") == 1
    assert "Leave late out: it is what the model predicts" in message
    assert "needs it" not in message


def test_a_carriage_return_outside_of_quotes_is_refused_and_begins_no_row(server: Running) -> None:
    header = "carrier,origin,distance,hour,wind_gust\r\n"
    refused = post_csv(server, f"{header}UA,EWR,1400,5,20.1\r\nU\rA,EWR,1400,5,20.1\r\n")
    assert (refused.status_code, "in line 3" in refused.json()["message"]) == (400, True)
    for body in (header + '"U\rA",EWR,1400,5,20.1\r\n', header.replace("\n", "") + "UA,EWR,1400,5,20.1\r"):
        assert len(post_csv(server, body).json()["predictions"]) == 1


@pytest.mark.parametrize(
    ("body", "encoding", "said"),
    [
        ("carrier,origin\r\nJü,EWR\r\n", "latin-1", "The body is not text in UTF-8. Save it as UTF-8"),
        ("carrier;origin\r\nUA;EWR\r\n", "utf-8", "The first line has no comma. Separate columns by commas"),
        ("carrier\torigin\r\nUA\tEWR\r\n", "utf-8", "Separate columns by commas"),
        ("", "utf-8", "not CSV in UTF-8 with a header"),
    ],
)
def test_what_a_spreadsheet_writes_beside_csv_is_told(server: Running, body: str, encoding: str, said: str) -> None:
    answer = post_csv(server, body, encoding)
    assert (answer.status_code, said in answer.json()["message"]) == (400, True), answer.text


def post_csv(server: Running, body: str, encoding: str = "utf-8") -> Any:
    return server.client.post(MLFLOW, content=body.encode(encoding), headers={"Content-Type": "text/csv"})


def test_a_missing_column_is_named(server: Running) -> None:
    for path, body in bodies({name: value for name, value in ROW.items() if name != "hour"}):
        answer = server.client.post(path, json=body)
        assert (answer.status_code, answer.json()["column"]) == (400, "hour")


@pytest.mark.parametrize("path", [V1, V2, MLFLOW])
@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "JSON"),
        (b"{", "JSON"),
        (b"[]", "object"),
        (b"null", "object"),
        (b"\xff\xfe", "JSON"),
        (b'{"instances": [{"distance": NaN}]}', "null"),
        (b'{"instances": [{"distance": Infinity}]}', "null"),
        (b'{"instances": [{"distance": 1e999}]}', "too large"),
        (b'{"instances": [{"distance": -1e999}]}', "too large"),
        (b'{"instances": [[1]], "instances": [[2]]}', "twice"),
        (b'{"inputs": [{"name": "a:b", "name": "c"}]}', "twice"),
        (b'{"instances": [{"\\u003a": [{"a": 1, "a": ":\\":"}]}]}', "twice"),
        (b"{}", "Send"),
    ],
)
def test_what_is_not_the_json_of_the_protocol_is_400(server: Running, path: str, content: bytes, word: str) -> None:
    answer = server.client.post(path, content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert word in said(answer, path)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (V1, {"instances": []}),
        (V1, {"instances": [ROW], "inputs": [ROW]}),
        (V1, {"instances": [ROW], "signature_name": "x"}),
        (V2, {"inputs": [{"name": "carrier", "shape": [2], "datatype": "BYTES", "data": ["UA"]}]}),
        (V2, {"inputs": inputs(ROW), "outputs": [{"name": "transform"}]}),
        (V2, {"inputs": inputs(ROW), "id": 7}),
        (V2, {"inputs": inputs(ROW), "id": "line\nbreak"}),
        (V2, {"inputs": [tensor | {"datatype": "BOOL"} for tensor in inputs(ROW)]}),
        (MLFLOW, {"instances": [ROW], "dataframe_records": [ROW]}),
        (MLFLOW, {"dataframe_split": {"columns": ["carrier"], "data": [["UA", 1]]}}),
        (MLFLOW, {"dataframe_split": {"data": [], "values": []}}),
    ],
    ids=str,
)
def test_a_body_that_is_not_the_protocols_is_400(server: Running, path: str, body: dict[str, Any]) -> None:
    answer = server.client.post(path, json=body)
    assert answer.status_code == 400
    assert said(answer, path)


def test_colons_in_names_and_values_are_no_fields(server: Running) -> None:
    row = ROW | {"carrier": 'a: b, "c": \\'}
    assert server.client.post(V1, json={"instances": [row, ROW]}).status_code == 200


@pytest.mark.parametrize("end", [b"", b"\\"])
def test_a_string_without_an_end_is_searched_once(end: bytes) -> None:
    text = b'["' + b'\\"' * 400_000
    check_nesting(text + b"[" * 1_000 + end)
    with pytest.raises(LimitError):
        check_nesting(text + b'"' + b"[" * 1_000 + end)


@pytest.mark.parametrize(
    ("rows", "words"),
    [([{}, []], "Row 1 of the table: not an object"), ([[], {}], "Row 1"), ([ROW, 7, [1]], "Row 1 of the table: nei")],
)
def test_rows_of_two_kinds_are_named(server: Running, rows: list[Any], words: str) -> None:
    answer = server.client.post(V1, json={"instances": rows})
    assert answer.status_code == 400
    assert words in answer.json()["error"]


def test_errors_stay_short_however_much_is_wrong(server: Running) -> None:
    many = [ROW | {"x" * 5000 + str(number): 1, "hour": "late"} for number in range(20)]
    made = f"{server.client.post(V1, json={'instances': [ROW]}).headers['X-Prediction-Id']}:0"
    labels = [{"prediction_id": made, "label": 7}] * 1000
    names = {"x" * 150_000: 1}
    bad_ids = [{"prediction_id": f"a b:{number}", "label": 1} for number in range(1000)]
    asked = [(V1, {"instances": many}), ("/feedback", {"labels": labels}), (V1, {"instances": [ROW | names]})]
    for path, body in [*asked, ("/feedback", {"labels": bad_ids})]:
        answer = server.client.post(path, json=body)
        assert answer.status_code == 400
        assert len(answer.content) < 3000, answer.text
    assert "and 995 more" in server.client.post("/feedback", json={"labels": labels}).text


def test_every_answer_has_the_request_id(server: Running) -> None:
    mine = {"X-Request-Id": "mine"}
    for method, path, headers in [
        ("GET", "/ping", mine),
        ("GET", "/nowhere", mine),
        ("POST", V1, mine),
        ("GET", "/metrics", mine | {"Authorization": ""}),
    ]:
        assert server.client.request(method, path, headers=headers).headers["X-Request-Id"] == "mine"
        made = server.client.request(method, path, headers=headers | {"X-Request-Id": "not one"})
        assert len(made.headers["X-Request-Id"]) == 32


@pytest.mark.parametrize("path", ["/", "/ping", "/v2/health/ready", "/v1/models/flights", "/metrics"])
def test_head_is_answered_as_get_without_a_body(server: Running, path: str) -> None:
    answer = server.client.head(path)
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["Content-Length"]) == len(server.client.get(path).content) or path == "/metrics"


@pytest.mark.parametrize(
    ("given", "code"), [("", 401), ("Basic abc", 401), ("Bearer", 401), ("Bearer wrong", 403), ("bearer é", 403)]
)
@pytest.mark.parametrize("path", [V1, V2, MLFLOW, "/feedback", "/metrics", "/v1/models", "/v2", "/nowhere"])
def test_without_the_token_nothing_is_told(server: Running, path: str, given: str, code: int) -> None:
    answer = server.client.get(path, headers={"Authorization": given.encode()})
    assert answer.status_code == code
    assert ("WWW-Authenticate" in answer.headers) == (code == 401)


def test_an_unknown_model_or_path_is_404(server: Running) -> None:
    for path in ("/v1/models/other:predict", "/v2/models/other/infer", "/v2/models/flights/versions/9/infer", "/x"):
        answer = server.client.post(path, json={"instances": [ROW]})
        assert answer.status_code == 404, path
        assert answer.json()["error"]


def test_another_method_is_405(server: Running) -> None:
    answer = server.client.get(V1)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize("path", [V1, V2, MLFLOW])
def test_too_many_rows_or_too_deep_a_body_is_413(server: Running, path: str) -> None:
    many = {V1: {"instances": [1] * 1001}, MLFLOW: {"instances": [1] * 1001}}
    tensor = {"name": "hour", "shape": [1001], "datatype": "INT64", "data": [1] * 1001}
    rows = server.client.post(path, json=many.get(path, {"inputs": [tensor]}))
    deep = server.client.post(path, content=b"[" * 5000, headers={"Content-Type": "application/json"})
    assert (rows.status_code, deep.status_code) == (413, 413)
    assert "CELLOPS_SERVER_MAX_ROWS" in said(rows, path)


def chunks() -> Iterator[bytes]:
    for _ in range(300):
        yield b" " * 1000


@pytest.mark.parametrize("content", [b" " * 300_000, chunks], ids=["announced", "chunked"])
@pytest.mark.parametrize("path", [V1, MLFLOW, "/feedback"])
def test_a_body_that_is_too_large_is_413_and_the_server_lives_on(server: Running, path: str, content: Any) -> None:
    sent = content() if callable(content) else content
    answer = server.client.post(path, content=sent, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert "200000 bytes" in answer.text
    assert server.client.post(V1, json={"instances": [ROW]}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", [V1, V2, MLFLOW, EXPLAIN, "/feedback"])
def test_another_content_type_is_415(server: Running, path: str, headers: dict[str, str]) -> None:
    assert server.client.post(path, content=b"{}", headers=headers).status_code == 415


def test_mlflow_needs_a_content_type(server: Running) -> None:
    assert server.client.post(MLFLOW, content=b"{}").status_code == 415


def test_what_the_server_does_not_speak_is_501(server: Running) -> None:
    encoded = [tensor | {"parameters": {"content_type": "base64"}} for tensor in inputs(ROW)]
    asked = [
        server.client.post(V2, json={"inputs": encoded}),
        server.client.post("/v2/models/flights/explain", json={"inputs": inputs(ROW)}),
    ]
    assert [answer.status_code for answer in asked] == [501] * 2


def test_params_of_a_model_that_takes_none_are_refused(server: Running) -> None:
    answer = server.client.post(MLFLOW, json={"instances": [ROW], "params": {"temperature": 1}})
    assert (answer.status_code, "takes no params" in answer.json()["message"]) == (400, True)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Request-Id": "a b"},
        {"X-Request-Id": "x" * 129},
        {"X-Event-Time": "today"},
        {"X-Event-Time": "1677-10-01"},
        {"X-Event-Time": "2262-02-01"},
    ],
)
def test_headers_that_cannot_be_logged_are_400(server: Running, headers: dict[str, str]) -> None:
    answer = server.client.post(V1, json={"instances": [ROW]}, headers=headers)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "label",
    [
        {"prediction_id": "a:0"},
        {"label": 1},
        {"prediction_id": 3, "label": 1},
        {"prediction_id": "a:0", "label": "1"},
        {"prediction_id": "a:0", "label": True},
        {"prediction_id": "a:0", "label": 2},
        {"prediction_id": "a:0", "label": 1, "observed": "later"},
        {"prediction_id": "a:0", "label": 1, "color": "red"},
        {"prediction_id": "", "label": 1},
        {"prediction_id": "a" * 161, "label": 1},
        {"prediction_id": "a\n:0", "label": 1},
        "a:0",
    ],
    ids=str,
)
def test_labels_that_do_not_fit_are_400_and_none_of_them_is_taken(server: Running, label: object) -> None:
    labels = [{"prediction_id": "a:0", "label": 1}, label]
    assert server.client.post("/feedback", json={"labels": labels, "foreign": True}).status_code == 400
    assert server.client.post("/feedback", json={"labels": []}).status_code == 400
    assert server.client.post("/feedback", json={"labels": labels[:1], "model": "other"}).status_code == 400
    assert server.client.post("/feedback", json={"labels": labels[:1], "foreign": 1}).status_code == 400
    assert "cellops_labels_total{" in (text := server.client.get("/metrics").text)
    assert next(line for line in text.splitlines() if line.startswith("cellops_labels_total{")).endswith(" 0.0")
