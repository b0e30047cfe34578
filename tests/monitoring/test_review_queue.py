import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from cellops.monitoring.review_queue import BY_CHANCE, UNANSWERED, number_asking, waiting
from support.logs import schema_of

BOTH = schema_of(probabilities=True)


def answers(chances, *, handled=None, truth=None):
    rows = len(chances)
    return pd.DataFrame(
        {
            "prediction_id": [f"p:{row}" for row in range(rows)],
            "handled": pd.Series([None] * rows if handled is None else handled, dtype=object),
            "truth": pd.Series([None] * rows if truth is None else truth, dtype=object),
            "probability.0": chances,
            "probability.1": 1 - np.asarray(chances),
        }
    )


def names(found):
    return found["prediction_id"].tolist()


def test_the_least_certain_come_first_and_the_certain_do_not_wait():
    found = waiting(answers([0.99, 0.45, 0.5, 0.3, 0.61]), BOTH, below=0.6, sample=0)
    assert names(found) == ["p:2", "p:1"]
    assert found["confidence"].tolist() == pytest.approx([0.5, 0.55])
    assert found["why"].tolist() == ["confidence 0.5, below 0.6", "confidence 0.55, below 0.6"]


def test_what_has_a_label_waits_no_more():
    assert names(waiting(answers([0.5, 0.5], truth=[1, None]), BOTH, below=0.6, sample=0)) == ["p:1"]


def test_an_answer_that_no_model_gave_comes_first_however_sure_it_looks():
    rows = answers([0.55, 1.0, 0.99], handled=[None, UNANSWERED, "imputed distance"])
    found = waiting(rows, BOTH, below=0.6, sample=0)
    assert names(found) == ["p:1", "p:0"]
    assert found["confidence"].isna().tolist() == [True, False]
    assert found["why"].tolist()[0] == UNANSWERED


def test_without_probabilities_rows_wait_to_which_something_was_done():
    rows = answers([0.5] * 3, handled=[None, "imputed distance", None])
    found = waiting(rows, schema_of(classes=()), below=0.6, sample=0)
    assert names(found) == ["p:1"]
    assert found["why"].tolist() == ["imputed distance"]


@pytest.mark.parametrize("schema", [BOTH, schema_of(classes=())])
@pytest.mark.parametrize(
    "handled", [[None] * 4, [UNANSWERED, None, "imputed distance", None], [UNANSWERED, UNANSWERED, None, None]]
)
def test_a_server_counts_what_waits_as_it_is_logged(schema, handled):
    rows = answers([0.55, 1.0, 0.3, 0.41], handled=handled)
    logged = pa.RecordBatch.from_pandas(rows.astype({"handled": pd.ArrowDtype(pa.string())}))
    assert number_asking(logged, schema, 0.6) == len(waiting(rows, schema, below=0.6, sample=0))


def test_a_share_of_the_queue_is_drawn_by_chance_and_spread_over_it():
    rows = answers([0.5] * 90 + [0.9] * 910)
    found = waiting(rows, BOTH, below=0.6, sample=0.1)
    drawn = np.flatnonzero(found["why"] == BY_CHANCE)
    assert (len(found), len(drawn)) == (100, 10)
    assert np.diff(drawn).tolist() == [10] * 9
    shuffled = waiting(rows.sample(frac=1, random_state=0), BOTH, below=0.6, sample=0.1)
    assert set(names(found)) == set(names(shuffled))


def test_those_by_chance_say_how_good_all_others_are():
    rng = np.random.default_rng(0)
    ids = [f"{number:032x}:0" for number in rng.integers(0, 2**62, 20_000)]
    rows = answers([0.5] * 2000 + [0.9] * 18_000).assign(prediction_id=ids, wrong=rng.random(20_000) < 0.2)
    drawn = waiting(rows, BOTH, below=0.6, sample=0.5).query("why == @BY_CHANCE")
    assert drawn["wrong"].mean() == pytest.approx(0.2, abs=0.04)


def test_nothing_is_drawn_where_nothing_waits():
    assert waiting(answers([0.9, 0.9]), BOTH, below=0.6, sample=0.5).empty
