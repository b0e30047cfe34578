"""What is done with rows and answers that break rules: over every protocol, in the log and in the metrics."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pytest

from cellops.data.expectations import parse
from cellops.errors import ExpectationError, SettingsError, UsageError
from cellops.monitoring import prediction_log
from cellops.packaging.predictor import Predictions
from cellops.serving.policies import Declared
from support.loaded import DATATYPES, ROW, asked, asked_everywhere, loaded, questions
from support.policies import handled, on

BETWEEN = "expect_column_values_to_be_between"
NOT_NULL = "expect_column_values_to_not_be_null"
PROTOCOLS = ("kserve-v1", "open-inference-v2", "mlflow")
IMPUTING = f"""
{BETWEEN}("distance", 50, 3000, action="impute", default="median")
{NOT_NULL}("hour", action="impute", default="mode")
{NOT_NULL}("night", action="impute", default=False)
expect_column_values_to_be_in_set("carrier", ["UA", "B6", "AA"], action="impute", default="mode")
{BETWEEN}("hour", 0, 23)
"""


def fixed(*labels: Any) -> Callable[[Mapping[str, Any]], Predictions]:
    """A model of a regression that gives these numbers, in the order of the distance."""

    def predict(columns: Mapping[str, Any]) -> Predictions:
        return Predictions(np.array([labels[int(place)] for place in columns["distance"]], dtype=float), None)

    return predict


def at(*places: int) -> list[dict[str, Any]]:
    return [ROW | {"distance": float(place)} for place in places]


def test_values_that_break_imputing_rules_are_replaced_said_counted_and_logged_as_received(tmp_path: Path) -> None:
    package = loaded(IMPUTING)
    assert package.contract.suite is not None
    defaults = [rule.default for rule in package.contract.suite.expectations]
    with on(package, folder=tmp_path) as wire:
        whole = [ROW | {"distance": defaults[0]}, ROW | {"hour": defaults[1]}, ROW | {"carrier": "UA"}, ROW]
        expected = asked(wire, whole)[1]
        broken = [ROW | {"distance": -5.0}, ROW | {"hour": None, "night": None}, ROW | {"carrier": "a secret"}, ROW]
        status, labels, warned = asked_everywhere(wire, broken)
        assert (status, labels) == (200, expected)
        assert warned == "imputed distance: row 0; imputed hour: row 1; imputed night: row 1; imputed carrier: row 2"
        assert handled(wire)["imputed", "distance"] == 3
        assert asked_everywhere(wire, [broken[0]])[1] == expected[:1]
        assert asked_everywhere(wire, [ROW])[2] == ""
    log = prediction_log.read(tmp_path)
    assert log["input.distance"].tolist()[4:8] == [-5.0, 700.0, 700.0, 700.0]
    assert log["input.hour"].isna().tolist()[4:8] == [False, True, False, False]
    notes = ["imputed distance", "imputed hour; imputed night", "imputed carrier", None]
    assert log["handled"].astype(object).where(log["handled"].notna(), None).tolist()[:8] == [None] * 4 + notes


def test_an_input_that_is_imputed_may_be_absent_and_one_that_is_not_may_not() -> None:
    with on(loaded(IMPUTING)) as wire:
        status, _, warned = asked_everywhere(wire, [{name: ROW[name] for name in ("carrier", "distance", "night")}])
        assert status == 200
        assert "imputed hour: row 0" in warned
        for protocol in PROTOCOLS:
            status, error, _ = asked(wire, [{name: ROW[name] for name in ("carrier", "hour", "night")}], protocol)
            assert (status, error["column"]) == (400, "distance")


def test_an_error_lists_each_rule_that_is_broken() -> None:
    with on(loaded(IMPUTING)) as wire:
        status, error, _ = asked_everywhere(wire, [ROW, ROW | {"hour": 24, "distance": -1.0}])
        assert (status, [(each["column"], each["rows"]) for each in error["problems"]]) == (400, [("hour", [1])])


def test_what_is_imputed_is_held_against_the_rules_that_reject() -> None:
    with on(loaded(IMPUTING)) as wire:
        status, error, _ = asked_everywhere(wire, [ROW, ROW | {"hour": 24, "distance": -1.0}])
        assert (status, error["column"], error["rows"]) == (400, "hour", [1])


def test_a_value_of_another_type_is_refused_whatever_is_imputed() -> None:
    with on(loaded(IMPUTING)) as wire:
        assert asked(wire, [ROW | {"distance": "far"}])[0] == 400


def test_the_document_of_the_server_says_that_an_imputed_input_may_be_missing() -> None:
    with on(loaded(IMPUTING)) as wire:
        body = wire.read("/openapi.json")[2]
        cells = orjson.loads(body)["components"]["schemas"]["Row"]
        assert cells["properties"]["hour"]["type"] == ["integer", "null"]
        assert "hour" not in cells["required"]
        assert "minimum" not in cells["properties"]["distance"]


def test_an_action_stands_above_the_severity() -> None:
    body = f'{BETWEEN}("distance", 50, 3000, action="warn")\n{BETWEEN}("hour", 0, 23, severity="info", action="reject")'
    with on(loaded(body)) as wire:
        status, _, warned = asked_everywhere(wire, [ROW | {"distance": -5.0}])
        assert (status, warned) == (200, f"{BETWEEN} distance: row 0")
        assert asked_everywhere(wire, [ROW, ROW | {"distance": -5.0}])[2] == f"{BETWEEN} distance: row 1"
        assert asked_everywhere(wire, [ROW, ROW | {"hour": 24}])[1]["rows"] == [1]


def test_the_operator_makes_rules_stricter_by_a_setting() -> None:
    declared = Declared(reject=("distance", f"{NOT_NULL}(hour)"))
    with on(loaded(IMPUTING), declared) as wire:
        assert asked_everywhere(wire, [ROW | {"distance": -5.0}])[1]["column"] == "distance"
        assert asked_everywhere(wire, [ROW | {"hour": None}])[1]["column"] == "hour"
        assert asked_everywhere(wire, [ROW | {"carrier": "XX"}])[0] == 200
    with (
        pytest.raises(SettingsError, match=r"no rule on .*received 'gate'.*expect_column"),
        on(loaded(IMPUTING), Declared(reject=("gate",))),
    ):
        pass


def test_the_operators_own_suite_stands_in_place_of_the_packages() -> None:
    own = f'{BETWEEN}("distance", 0, 100, action="warn")\n{NOT_NULL}("carrier", action="impute", default="mode")'
    with on(loaded(IMPUTING), Declared(suite=parse("own", own, {}))) as wire:
        status, _, warned = asked_everywhere(wire, [ROW | {"carrier": None}])
        assert status == 200
        assert warned == f"{BETWEEN} distance: row 0; imputed carrier: row 0"
    for wrong, said in ((f'{NOT_NULL}("gate")', "neither takes nor predicts"), (f"{own}, x=1", "x")):
        with pytest.raises(ExpectationError, match=said), on(loaded(), Declared(suite=parse("own", wrong, {}))):
            pass


def test_an_answer_out_of_its_range_becomes_the_fallback_answer_and_the_others_stay() -> None:
    body = f'{BETWEEN}("delay", 0, 100, action="impute", default="median")\n{BETWEEN}("delay", 0, 50, action="warn")'
    package = loaded(body, predict=fixed(10, -1, np.nan, 70))
    assert package.contract.suite is not None
    median = package.contract.suite.expectations[0].default
    with on(package) as wire:
        status, labels, warned = asked_everywhere(wire, at(0, 1, 2, 3))
        assert (status, labels) == (200, [10, median, median, 70])
        assert "fallback answer delay: row 1" in warned
        assert "fallback answer: row 2" in warned
        assert f"{BETWEEN} delay: row 3" in warned
        assert handled(wire)["fallback answer", ""] == 3
        assert asked_everywhere(wire, at(0)) == (200, [10], "")


def test_an_answer_that_breaks_a_rule_that_rejects_is_an_error_with_an_id() -> None:
    with on(loaded(f'{BETWEEN}("delay", 0, 100, action="reject")', predict=fixed(10, -1))) as wire:
        assert asked_everywhere(wire, at(0))[:2] == (200, [10])
        status, error, _ = asked_everywhere(wire, at(0, 1))
        assert (status, error["code"], len(error["error_id"])) == (500, "inference", 32)


def test_the_operators_fallback_answer_stands_in_where_the_model_fails_on_single_rows() -> None:
    def predict(columns: Mapping[str, Any]) -> Predictions:
        if (columns["distance"] == 13).any():
            message = "thirteen"
            raise RuntimeError(message)
        return Predictions(columns["distance"] * 2, None)

    with on(loaded(predict=predict), Declared(answer="-1.5")) as wire:
        status, labels, warned = asked_everywhere(wire, at(*range(10, 20)))
        assert (status, labels) == (200, [20, 22, 24, -1.5, *range(28, 40, 2)])
        assert warned == "fallback answer: row 3"
    with on(loaded(predict=predict)) as wire:
        assert asked_everywhere(wire, at(*range(10, 20)))[1]["code"] == "inference"


@pytest.mark.parametrize(
    ("label", "chances"),
    [("late", [0.7, 0.7]), ("late", [np.nan, 1]), ("late", [-0.5, 1.5]), ("on time", [0.5, 0.5]), ("late", [1.0])],
)
def test_probabilities_and_classes_that_cannot_be_become_the_fallback_answer(label: str, chances: list[float]) -> None:
    def predict(columns: Mapping[str, Any]) -> Predictions:
        good = columns["distance"] == 0
        width = len(chances)
        made = np.where(good[:, None], np.resize([0.25, 0.75], width), chances)
        return Predictions(np.where(good, "late", label), made)

    body = f'{NOT_NULL}("delay", action="impute", default="early")'
    with on(loaded(body, task="classification", predict=predict)) as wire:
        kept = "late" if len(chances) == 2 else "early"
        assert asked_everywhere(wire, at(0, 1))[:2] == (200, [kept, "early"])
        assert asked_everywhere(wire, at(1))[:2] == (200, ["early"])
    with on(loaded(task="classification", predict=predict)) as wire:
        assert asked_everywhere(wire, at(0, 1))[0] == 500
        assert asked_everywhere(wire, at(1))[0] == 500


def test_a_fallback_answer_has_the_probability_of_one() -> None:
    body = 'expect_column_values_to_be_in_set("delay", ["early"], action="impute", default="early")'
    with on(loaded(body, task="classification")) as wire:
        path, content = questions([ROW | {"distance": 1900.0, "hour": 22}, ROW | {"distance": 600.0, "hour": 17}])[
            "open-inference-v2"
        ]
        labels, chances = orjson.loads(wire.send(path, content)[2])["outputs"]
        assert labels["data"] == ["early", "early"]
        assert chances["data"][:2] == [1, 0]
        assert 0.5 < chances["data"][2] < 1


def test_an_operators_answer_that_cannot_be_one_is_refused_at_the_start() -> None:
    for task, word, said in (("regression", "soon", "no number"), ("classification", "soon", "early, late")):
        with pytest.raises(SettingsError, match=said), on(loaded(task=task), Declared(answer=word)):
            pass


def test_rows_that_lack_an_input_are_answered_by_the_fallback(tmp_path: Path) -> None:
    simple = loaded(columns=("hour", "carrier"), name="simple")
    with on(loaded(), Declared(fallback=simple), folder=tmp_path) as wire, on(loaded()) as alone:
        lacking = {"carrier": "UA", "hour": 9}
        whole = asked(alone, [ROW])[1]
        by_hand = simple.predictor.predict({"hour": np.array([9]), "carrier": np.array(["UA"], dtype=object)}).labels
        status, labels, warned = asked_everywhere(wire, [ROW, lacking])
        assert (status, labels) == (200, pytest.approx([*whole, *by_hand]))
        assert warned.startswith("answered by fallback simple: row 1")
        assert asked_everywhere(wire, [lacking])[1] == pytest.approx(list(by_hand))
        assert asked_everywhere(wire, [ROW]) == (200, whole, "")
        status, error, _ = asked(wire, [ROW, {"distance": 3.0, "hour": 9}])
        assert (status, error["column"]) == (400, "carrier")
        assert asked(alone, [lacking])[0] == 400
    log = prediction_log.read(tmp_path)
    assert log["package"].tolist()[:2] == ["delays digest", "simple digest"]
    assert log["handled"].tolist()[1] == "answered by fallback simple"
    assert log["input.distance"].isna().tolist()[:2] == [False, True]


def test_the_fallback_answers_while_the_model_fails_and_its_own_rules_hold() -> None:
    def fail(_columns: Mapping[str, Any]) -> Predictions:
        message = "down"
        raise RuntimeError(message)

    simple = loaded(f'{BETWEEN}("hour", 5, 20)', columns=("hour",), name="simple")
    with on(loaded(predict=fail), Declared(fallback=simple, answer="7")) as wire:
        by_hand = simple.predictor.predict({"hour": np.array([12])}).labels
        status, labels, warned = asked_everywhere(wire, [ROW, ROW | {"hour": 22}])
        assert (status, labels) == (200, pytest.approx([*by_hand, 7]))
        assert warned == "answered by fallback simple: row 0; fallback answer: row 1"
        # A row that is the fallback's alone is held against its contract as any request is.
        status, error, _ = asked_everywhere(wire, [ROW, {"hour": 22}])
        assert (status, error["column"], error["rows"]) == (400, "hour", [1])


def test_a_fallback_that_cannot_stand_in_is_refused() -> None:
    more = loaded()
    for champion, other, said in (
        (loaded(columns=("hour",)), more, "it needs carrier, distance, night"),
        (more, loaded(task="classification"), "answers something else"),
    ):
        with pytest.raises(UsageError, match=said), on(champion, Declared(fallback=other)):
            pass


def test_what_is_explained_is_the_models_own_answer_to_the_imputed_row() -> None:
    with on(loaded(IMPUTING), Declared(answer="1", fallback=loaded(columns=("carrier",), name="simple"))) as wire:
        rows = [{"carrier": "UA", "distance": -5.0, "night": True}]
        status, headers, body = wire.send("/v1/models/delays:explain", orjson.dumps({"instances": rows}))
        answer = orjson.loads(body)
        assert status == 200, answer
        assert headers[b"x-cellops-warnings"] == b"imputed distance: row 0; imputed hour: row 0; absent hour"
        assert answer["predictions"] == asked(wire, rows)[1]
        assert answer["explanations"][0]["value"] == pytest.approx(answer["predictions"][0])
        status, _, body = wire.send("/v1/models/delays:explain", orjson.dumps({"instances": [{"carrier": "UA"}]}))
        assert (status, b"an input of the model is missing" in body) == (400, True)


def test_a_model_that_fails_on_all_rows_is_not_asked_for_each_of_them() -> None:
    calls = []

    def fail(columns: Mapping[str, Any]) -> Predictions:
        calls.append(len(columns["distance"]))
        message = "down"
        raise RuntimeError(message)

    with on(loaded(predict=fail), Declared(answer="7")) as wire:
        assert asked(wire, at(*range(100)))[1] == [7] * 100
    assert len(calls) < 12


def test_what_the_fallback_imputes_is_counted_once() -> None:
    simple = loaded(f'{BETWEEN}("hour", 5, 23, action="impute", default=12)', columns=("hour",), name="simple")
    with on(loaded(), Declared(fallback=simple)) as wire:
        assert asked(wire, [ROW, {"hour": 3}])[2].startswith("imputed hour: row 1; answered by fallback simple: row 1")
        assert handled(wire) == {("imputed", "hour"): 1, ("answered by fallback", "simple"): 1}


def test_missing_values_of_csv_parquet_and_bytes_are_imputed_too() -> None:
    body = f'{NOT_NULL}("distance", action="impute", default=700)\n{NOT_NULL}("hour", action="impute", default=12)'
    frame = pd.DataFrame([ROW, ROW | {"distance": None}, ROW | {"hour": None}])
    tensors = [
        {"name": name, "shape": [3], "datatype": DATATYPES[name], "data": frame[name].tolist()}
        for name in ("carrier", "night")
    ]
    tensors.append({"name": "hour", "shape": [3], "datatype": "INT64", "data": [12, 12, None]})
    tensors.append({"name": "distance", "shape": [3], "datatype": "FP64", "parameters": {"binary_data_size": 24}})
    head = orjson.dumps({"inputs": tensors})
    tail = np.array([700.0, np.nan, 700.0]).tobytes()
    with on(loaded(body)) as wire:
        expected = asked(wire, [ROW])[1] * 3
        text, binary = wire.send, frame.to_parquet()
        answers = [
            text("/invocations", frame.to_csv(index=False).encode(), b"text/csv"),
            text("/invocations", binary, b"application/vnd.apache.parquet"),
            text(
                "/v2/models/delays/infer",
                head + tail,
                b"application/octet-stream",
                inference_header_content_length=str(len(head)),
            ),
        ]
        for status, headers, content in answers:
            document = orjson.loads(content)
            assert status == 200, document
            labels = document["outputs"][0]["data"] if "outputs" in document else document["predictions"]
            assert labels == expected
            assert headers[b"x-cellops-warnings"] == b"imputed distance: row 1; imputed hour: row 2"
