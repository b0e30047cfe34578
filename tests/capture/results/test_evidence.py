"""What a run shows is what its own cell did: nothing left over, nothing lost, nothing printed."""

import os
import select
import sys

import pytest

from cellops.capture.names.bindings import GONE, watch
from cellops.records.run import RunClosed, RunStatus
from support.kernel import Kernel

TABLES = (
    "import pandas as pd\nfrom sklearn.linear_model import LinearRegression\n"
    "X = pd.DataFrame({'a': [1.0, 2.0, 4.0, 5.0], 'b': [1.0, 0.0, 1.0, 0.0]})\ny = pd.Series([1.0, 2.0, 3.0, 4.0])\n"
)


def _codes(run: RunClosed) -> list[str]:
    return [finding.code for finding in run.findings if finding.code != "no-repository"]


def _said(run: RunClosed) -> str:
    return " ".join(finding.seen for finding in run.findings)


def test_a_cell_that_fails_early_does_not_show_what_an_earlier_cell_left(loaded: Kernel) -> None:
    loaded.run("score = 1 / 8\ndepth = 3")
    loaded.run("%%mlops run\nfirst = 1 / 4\ndepth = 5\n1 / 0\nscore = 1 / 2\nrate = 0.1")
    run = loaded.closed()[-1]
    assert (run.status, run.metrics, run.parameters) == (RunStatus.FAILED, {"first": 0.25}, {"depth": 5})


def test_a_branch_that_is_not_taken_shows_nothing(loaded: Kernel) -> None:
    loaded.run(f"{TABLES}score = 1 / 8\nrate = 0.5\nmodel = LinearRegression().fit(X, y)")
    loaded.run("%%mlops run\nagain = False\nif again:\n    score = 1 / 2\n    rate = 0.1\n    model.fit(X, y)")
    run = loaded.closed()[-1]
    assert (run.metrics, run.parameters, run.models) == ({}, {"again": False}, ())


def test_a_parameter_has_the_value_of_the_branch_that_was_taken(loaded: Kernel) -> None:
    loaded.run(
        "%%mlops run\nif True:\n    rate = 0.1\nelse:\n    rate = 0.9\ntimes = 0\nfor _ in range(3):\n    times += 1"
    )
    run = loaded.closed()[-1]
    assert (run.metrics, run.parameters) == ({"times": 3.0}, {"rate": 0.1})


def test_the_same_small_number_computed_again_is_a_metric_again(loaded: Kernel) -> None:
    cell = "%%mlops run\nfor part in ['ab', 'abc']:\n    longest = len(part)"
    loaded.run(cell)
    loaded.run(cell)
    assert [run.metrics for run in loaded.closed()] == [{"longest": 3.0}, {"longest": 3.0}]


def test_a_model_fitted_before_is_not_this_runs_and_one_fitted_again_is(loaded: Kernel) -> None:
    loaded.run(f"{TABLES}model = LinearRegression().fit(X, y)\ndef train(model): model.fit(X, y * 2)")
    loaded.run("%%mlops run\nfirst = float(model.predict(X)[0])")
    loaded.run("%%mlops run\ntrain(model)")
    assert [[model.name for model in run.models] for run in loaded.closed()] == [[], ["model"]]


def test_models_in_lists_and_dictionaries_are_kept_with_their_parameters(loaded: Kernel) -> None:
    loaded.run(
        f"%%mlops run\n{TABLES}models = {{'plain': LinearRegression(), 'positive': LinearRegression(positive=True)}}\n"
        "for each in models.values():\n    each.fit(X, y)"
    )
    run = loaded.closed()[-1]
    assert {model.name for model in run.models} >= {"models_plain", "models_positive"} - {"each"}
    assert run.parameters["models_plain.positive"] is False


def test_wrong_tables_named_in_the_header_are_a_finding_and_the_run_is_whole(loaded: Kernel) -> None:
    loaded.run(f"%%mlops run --train X,nope\n{TABLES}model = LinearRegression().fit(X, y)\nscore = 1 / 2")
    run = loaded.closed()[-1]
    assert (run.metrics, [model.name for model in run.models]) == ({"score": 0.5}, ["model"])
    assert "There is no table nope" in _said(run)
    loaded.run("%%mlops run --train X,y\nscore = 1 / 2")
    assert "no fitted model" in _said(loaded.closed()[-1])


def test_tables_with_commas_of_their_own_can_be_named(loaded: Kernel) -> None:
    loaded.run(f"{TABLES}def fit(): return LinearRegression().fit(X[['a', 'b']], y)")
    loaded.run('%%mlops run --train \'X[["a", "b"]],y\'\nmodel = fit()')
    run = loaded.closed()[-1]
    assert [table.name for table in run.data] == ["X[['a', 'b']]", "y"]
    assert run.contract is not None


def test_tables_are_read_through_pure_methods_and_keywords(loaded: Kernel) -> None:
    loaded.run(
        f"%%mlops run\n{TABLES}model = LinearRegression().fit(X=X.drop(columns=['b']).iloc[:3], y=y.to_frame()[:3])"
    )
    run = loaded.closed()[-1]
    assert [(table.rows, table.columns) for table in run.data] == [(3, 1), (3, 1)]


def test_a_table_that_was_replaced_after_the_fit_is_not_taken_for_it(loaded: Kernel) -> None:
    loaded.run(f"%%mlops run\n{TABLES}model = LinearRegression().fit(X, y)\nX = X * 100")
    run = loaded.closed()[-1]
    assert ([table.name for table in run.data], run.contract) == (["y"], None)
    assert "does not show what model was fitted on" in _said(run)


def test_columns_added_after_the_fit_are_not_the_models(loaded: Kernel) -> None:
    loaded.run(f"%%mlops run\n{TABLES}model = LinearRegression().fit(X, y)\nX['predicted'] = model.predict(X)")
    run = loaded.closed()[-1]
    assert [field.name for field in run.contract.schema.inputs] == ["a", "b"]  # type: ignore[union-attr]


def test_evaluation_on_the_training_data_is_a_finding(loaded: Kernel) -> None:
    loaded.run(f"%%mlops run\n{TABLES}model = LinearRegression().fit(X, y)\nscore = model.score(X.copy(), y)")
    assert "evaluated-on-training-data" in _codes(loaded.closed()[-1])


def test_parameters_that_are_no_number_of_json_are_kept_as_text(loaded: Kernel) -> None:
    loaded.run(
        f"%%mlops run\n{TABLES}from sklearn.impute import SimpleImputer\nfrom sklearn.pipeline import make_pipeline\n"
        "far, big, many = 1e400, 2**70, (1, 'a')\nmodel = make_pipeline(SimpleImputer(), LinearRegression()).fit(X, y)"
    )
    run = loaded.closed()[-1]
    assert run.parameters["model.simpleimputer__missing_values"] == "nan"
    assert (run.parameters["far"], run.parameters["many"]) == ("inf", [1, "a"])


ESTIMATOR = (
    "from sklearn.base import BaseEstimator, RegressorMixin\nimport numpy as np, time\n"
    "class Talker(RegressorMixin, BaseEstimator):\n"
    "    def fit(self, X, y):\n        self.feature_names_in_ = np.array(X.columns, dtype=object)\n"
    "        return self\n"
    "    def predict(self, X):\n        {}\n        return np.zeros(len(X))\n"
)


def test_what_an_estimator_prints_for_its_evidence_is_no_output_of_the_cell(loaded: Kernel) -> None:
    loaded.run(TABLES + ESTIMATOR.format("print('predicting')"))
    done = loaded.run("%%mlops run\nmodel = Talker().fit(X, y)")
    assert loaded.closed()[-1].contract is not None
    assert "predicting" not in done.streams


def test_an_interrupt_while_evidence_is_gathered_loses_that_part_only(loaded: Kernel) -> None:
    loaded.run(TABLES + ESTIMATOR.format("file = open('begun', 'w'); file.write('x'); file.close(); time.sleep(100)"))
    os.mkfifo(loaded.project / "begun")
    begun = os.open(loaded.project / "begun", os.O_RDONLY | os.O_NONBLOCK)
    sent = loaded.send("%%mlops run\nscore = 1 / 2\nmodel = Talker().fit(X, y)")
    assert select.select([begun], [], [], 100)[0]
    os.close(begun)
    loaded.manager.interrupt_kernel()
    done = loaded.wait(sent)
    run = loaded.closed()[-1]
    assert (done.status, done.errors) == ("ok", [])
    assert (run.status, run.metrics, [model.name for model in run.models]) == (
        RunStatus.FINISHED,
        {"score": 0.5},
        ["model"],
    )
    assert "was interrupted" in _said(run)


def test_an_estimator_that_exits_does_not_end_the_kernel(loaded: Kernel) -> None:
    loaded.run(TABLES + ESTIMATOR.format("raise SystemExit(3)"))
    done = loaded.run("%%mlops run\nscore = 1 / 2\nmodel = Talker().fit(X, y)")
    assert done.status == "ok"
    assert loaded.closed()[-1].metrics == {"score": 0.5}
    assert loaded.run("1 + 1").results == ["2"]


def test_what_is_known_of_a_run_before_it_runs_is_in_its_first_record(loaded: Kernel) -> None:
    loaded.run("%%mlops run\ndepth = 3\npassword = 'hunter2'\nimport os\nseen = 1 / 2")
    assert loaded.opened()[-1].parameters == {"depth": 3, "password": "[redacted]"}


def test_data_of_any_library_that_is_given_to_estimators_and_metrics_is_pinned(loaded: Kernel) -> None:
    loaded.run(
        f"{TABLES}import polars as pl\nfrom sklearn.metrics import mean_absolute_error\n"
        "P, t, truth = pl.DataFrame(X), [1.0, 2.0, 3.0, 4.0], [1, 2, 3, 4]"
    )
    loaded.run(
        "%%mlops run\nmodel = LinearRegression().fit(P, t)\nguess = model.predict(P)\n"
        "error = mean_absolute_error(truth, guess)"
    )
    run = loaded.closed()[-1]
    assert [(table.name, table.role, table.rows, table.columns) for table in run.data] == [
        ("P", "training", 4, 2),
        ("t", "training", 4, 1),
        ("P", "evaluation", 4, 2),
        ("truth", "table", 4, 1),
        ("guess", "table", 4, 1),
    ]
    assert {table.method for table in run.data} == {"full"}


HOSTILE = """
import numpy as np
class Hostile:
    def _no(self, *given):
        print('touched')
        raise SystemExit
    __repr__ = __str__ = __len__ = __eq__ = __hash__ = __iter__ = __bool__ = __getattr__ = __reduce_ex__ = _no
class Takes(LinearRegression):
    def fit(self, X, y):
        return super().fit([[1], [2]], [1, 2])
column = np.empty(2, object)
column[0] = hostile = Hostile()
"""


def test_an_object_that_refuses_every_touch_does_not_hurt_the_run(loaded: Kernel) -> None:
    assert loaded.run(TABLES + HOSTILE).status == "ok"
    done = loaded.run("%%mlops run\nscore = 1 / 2\nmodel = Takes().fit(column, hostile)")
    run = loaded.closed()[-1]
    assert (done.status, done.streams.count("touched"), run.metrics) == ("ok", 0, {"score": 0.5})
    assert [(table.name, table.method) for table in run.data] == [("column", "metadata-only")]


SCORED = (
    "import pandas as pd\nfrom sklearn.linear_model import LogisticRegression\n"
    "from sklearn.metrics import accuracy_score\n"
    "def table(n): return pd.DataFrame({'a': [float(i % 7) for i in range(n)]})\n"
    "X, X_val, X_test = table(40), table(20), table(20)\n"
    "y = pd.Series([i % 2 for i in range(40)])\ny_val, y_test = y[:20], 1 - y[:20]\n"
    "model = LogisticRegression().fit(X, y)\n"
)


def _evaluation(run: RunClosed) -> list[str]:
    return [table.name for table in run.data if table.role == "evaluation"]


def test_answers_are_held_against_the_truth_of_their_own_metric(loaded: Kernel) -> None:
    loaded.run(
        f"%%mlops run\n{SCORED}val = accuracy_score(y_val, model.predict(X_val))\n"
        "test = accuracy_score(y_test, model.predict(X_test))"
    )
    assert "y_test" in _evaluation(loaded.closed()[-1])
    run = loaded.closed()[-1]
    accuracy = next(m for m in run.contract.performance.measures if m.name == "accuracy")  # type: ignore[union-attr]
    assert accuracy.value == run.metrics["test"]


def test_a_name_that_is_bound_to_other_answers_later_tells_of_the_last(loaded: Kernel) -> None:
    loaded.run(
        f"%%mlops run\n{SCORED}answers = model.predict(X_val)\nval = accuracy_score(y_val, answers)\n"
        "answers = model.predict(X_test)\ntest = accuracy_score(y_test, answers)"
    )
    run = loaded.closed()[-1]
    accuracy = next(m for m in run.contract.performance.measures if m.name == "accuracy")  # type: ignore[union-attr]
    assert accuracy.value == run.metrics["test"]


@pytest.mark.parametrize(
    "change",
    ["X['a'] = X['a'] * 1000", "X.loc[:, 'b'] = 7.0", "X.drop(columns=['b'], inplace=True)", "np.random.shuffle(X)"],
)
def test_a_table_that_is_changed_in_place_after_the_fit_is_not_taken_for_it(loaded: Kernel, change: str) -> None:
    loaded.run(f"{TABLES}import numpy as np")
    loaded.run(f"%%mlops run\nmodel = LinearRegression().fit(X, y)\ntry:\n    {change}\nexcept Exception: pass")
    run = loaded.closed()[-1]
    assert run.contract is None
    assert "does not show what model was fitted on" in _said(run)


def test_a_run_cell_that_is_executed_again_gives_the_same_results(loaded: Kernel) -> None:
    loaded.run("scores = [0.25, 0.75]")
    cell = "%%mlops run\nif True:\n    best, solver, fast, rate = max(scores), 'adam', True, 0.5"
    loaded.run(cell)
    loaded.run(cell)
    first, second = loaded.closed()
    assert first.metrics == second.metrics == {"best": 0.75}
    assert first.parameters == second.parameters == {"solver": "adam", "fast": True, "rate": 0.5}


def test_a_run_is_recorded_though_a_value_fails_to_be_looked_at(loaded: Kernel) -> None:
    loaded.run("class Odd(dict):\n    __getattr__ = dict.__getitem__\nheld = {'m': Odd(x=1)}")
    assert loaded.run("%%mlops run\nheld = {'m': Odd(x=2)}\nscore = 1 / 2").status == "ok"
    loaded.run("%%mlops run\ntotal = " + " + ".join(["1.5"] * 900))
    assert [run.metrics.get("score") for run in loaded.closed()] == [0.5, None]


def test_a_run_cell_that_a_cell_runs_is_a_run(loaded: Kernel) -> None:
    loaded.run("_ = get_ipython().run_cell('%%mlops run --name inner\\nscore = 1 / 2')")
    assert [run.metrics for run in loaded.closed()] == [{"score": 0.5}]


def test_models_whose_keys_read_alike_are_all_kept(loaded: Kernel) -> None:
    loaded.run(f"%%mlops run\n{TABLES}models = {{1: LinearRegression().fit(X, y), '1': LinearRegression().fit(X, y)}}")
    assert [model.name for model in loaded.closed()[-1].models] == ["models_1", "models_1_1"]


@pytest.mark.parametrize("again", ["max(scores)", "scores[1]", "float(same)"])
def test_a_run_gives_no_name_another_object(loaded: Kernel, again: str) -> None:
    loaded.run("scores = [0.25, 0.75]\nsame = scores[1]\nbest = same")
    done = loaded.run(f"%%mlops run\nif len(scores) > 3:\n    best = {again}\nprint(best is same)")
    assert done.streams.startswith("True\n")
    assert loaded.closed()[-1].metrics == {"best": 0.75}
    assert "best is the same object as before the run" in _said(loaded.closed()[-1])


def test_a_number_bound_above_the_branch_too_is_surely_of_the_run(loaded: Kernel) -> None:
    loaded.run("scores = [0.25, 0.75]\nbest = max(scores)")
    loaded.run("%%mlops run\nbest = None\nif True:\n    best = max(scores)")
    assert loaded.closed()[-1].metrics == {"best": 0.75}
    assert "same object" not in _said(loaded.closed()[-1])


@pytest.mark.parametrize(
    "value", ["text" * 1000, b"bytes" * 1000, 10**5000, {"a": "text" * 1000}], ids=["text", "bytes", "number", "dict"]
)
def test_what_is_large_is_not_held_while_a_cell_runs(value: object) -> None:
    before = sys.getrefcount(value), sys.getrefcount(value["a"]) if isinstance(value, dict) else 0
    watched = watch(value)
    assert (sys.getrefcount(value), sys.getrefcount(value["a"]) if isinstance(value, dict) else 0) == before
    assert watched() is GONE
