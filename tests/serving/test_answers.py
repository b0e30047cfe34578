"""A real server over a socket: what it answers in each protocol."""

import json

import pytest

from support.served import Running

ROWS = [
    {"carrier": "UA", "origin": "EWR", "distance": 1400, "hour": 5, "wind_gust": 20.1},
    {"carrier": "B6", "origin": "JFK", "distance": 200, "hour": 19, "wind_gust": None},
]
COLUMNS = {name: [row[name] for row in ROWS] for name in ROWS[0]}
DATATYPES = {"carrier": "BYTES", "origin": "BYTES", "distance": "INT64", "hour": "INT64", "wind_gust": "FP64"}
CSV = "carrier,origin,distance,hour,wind_gust\nUA,EWR,1400,5,20.1\nB6,JFK,200,19,\n"


def tensors(**changes: list[object]) -> list[dict[str, object]]:
    table = COLUMNS | changes
    return [
        {"name": name, "shape": [len(values)], "datatype": DATATYPES.get(name, "FP64"), "data": values}
        for name, values in table.items()
    ]


def test_every_form_of_a_table_gets_the_same_labels(server: Running) -> None:
    split = {"columns": list(COLUMNS), "data": [list(row.values()) for row in ROWS]}
    asked = [
        ("/v1/models/flights:predict", {"instances": ROWS}),
        ("/v1/models/flights:predict", {"instances": split["data"]}),
        ("/v1/models/flights:predict", {"inputs": COLUMNS}),
        ("/invocations", {"dataframe_records": ROWS}),
        ("/invocations", {"dataframe_split": split}),
        ("/invocations", {"instances": ROWS}),
        ("/invocations", {"inputs": COLUMNS}),
    ]
    answers = [server.client.post(path, json=body) for path, body in asked]
    answers.append(server.client.post("/invocations", content=CSV, headers={"Content-Type": "text/csv"}))
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    assert {answer.text for answer in answers} == {answers[0].text}
    labels = answers[0].json()["predictions"]
    assert [type(label) for label in labels] == [int, int]


def test_open_inference_gives_the_outputs_that_are_asked_for_and_echoes_the_id(server: Running) -> None:
    path = "/v2/models/flights/infer"
    both = server.client.post(path, json={"id": "mine", "inputs": tensors()})
    assert both.headers["X-Request-Id"] == "mine"
    document = both.json()
    assert (document["model_name"], document["id"]) == ("flights", "mine")
    labels, chances = document["outputs"]
    assert (labels["name"], labels["datatype"], labels["shape"]) == ("predict", "INT64", [2])
    assert (chances["name"], chances["datatype"], chances["shape"]) == ("predict_proba", "FP64", [2, 2])
    pairs = list(zip(chances["data"][::2], chances["data"][1::2], strict=True))
    assert labels["data"] == [int(late > early) for early, late in pairs]

    one = server.client.post(path, json={"inputs": tensors(), "outputs": [{"name": "predict_proba"}]}).json()
    assert "id" not in one
    assert [output["name"] for output in one["outputs"]] == ["predict_proba"]
    version = server.client.get("/v2/models/flights").json()["versions"][0]
    again = server.client.post(f"/v2/models/flights/versions/{version}/infer", json={"inputs": tensors()})
    assert again.json()["outputs"][1]["data"] == chances["data"]


def test_a_column_tensor_may_be_nested_and_named_as_pandas(server: Running) -> None:
    nested = [
        tensor | {"shape": [2, 1], "data": [[value] for value in tensor["data"]], "parameters": {"content_type": "pd"}}
        for tensor in tensors()
    ]
    path = "/v2/models/flights/infer"
    flat = server.client.post(path, json={"inputs": tensors()}).json()
    assert server.client.post(path, json={"inputs": nested}).json() == flat


def test_the_server_tells_of_itself(server: Running) -> None:
    get = server.client.get
    assert get("/v1/models").json() == {"models": ["flights"]}
    assert get("/v1/models/flights").json() == {"name": "flights", "ready": True}
    assert get("/v2").json()["extensions"] == ["binary_tensor_data"]
    assert get("/v2/models/flights/ready").json() == {"name": "flights", "ready": True}
    inputs = get("/v2/models/flights").json()["inputs"]
    assert {tensor["name"]: tensor["datatype"] for tensor in inputs} == DATATYPES
    assert {tensor["shape"][0] for tensor in inputs} == {-1}
    assert get("/version").text


@pytest.mark.parametrize("path", ["/", "/ping", "/health", "/v2/health/live", "/v2/health/ready"])
def test_probes_need_no_token(server: Running, path: str) -> None:
    assert server.client.get(path, headers={"Authorization": ""}).status_code == 200


def test_strange_rows_are_answered_and_named_in_a_header(server: Running) -> None:
    before = server.client.get("/metrics").text
    strange = [ROWS[0] | {"carrier": "a secret", "wind_gust": 99.0}, ROWS[1]]
    answer = server.client.post("/invocations", json={"instances": strange})
    assert answer.status_code == 200
    warnings = answer.headers["X-Cellops-Warnings"]
    assert "carrier" in warnings
    assert "wind_gust" in warnings
    assert "secret" not in warnings + answer.text
    after = server.client.get("/metrics").text
    assert 'cellops_unseen_category_rows_total{column="carrier"' in after
    assert 'rule="expect_column_values_to_be_between",severity="warning"' in after
    assert before != after
    assert "X-Cellops-Warnings" not in server.client.post("/invocations", json={"instances": ROWS}).headers


def test_a_column_that_may_be_missing_may_be_absent_which_is_said(server: Running) -> None:
    rows = [{name: value for name, value in row.items() if name != "wind_gust"} for row in ROWS]
    answer = server.client.post("/v1/models/flights:predict", json={"instances": rows})
    assert answer.status_code == 200
    assert "wind_gust" in answer.headers["X-Cellops-Warnings"]


def test_metrics_count_requests_by_route_protocol_and_code(server: Running) -> None:
    server.client.post("/invocations", json={"instances": ROWS})
    server.client.post("/v2/models/flights/infer", json={"inputs": []})
    server.client.get("/a/path/of/some/client")
    text = server.client.get("/metrics").text
    counts = [line for line in text.splitlines() if line.startswith("cellops_request_seconds_count")]
    assert any('code="200"' in line and 'protocol="mlflow"' in line and 'route="predict"' in line for line in counts)
    assert any('code="400"' in line and 'protocol="open-inference-v2"' in line for line in counts)
    assert any('code="404"' in line for line in counts)
    assert "some" not in text
    assert 'cellops_log_lost_rows{log="predictions"' in text


def test_answers_are_json_that_any_reader_takes(server: Running) -> None:
    def refuse(word: str) -> None:
        raise AssertionError(word)

    content = server.client.post("/v2/models/flights/infer", json={"inputs": tensors()}).content
    assert json.loads(content, parse_constant=refuse)
