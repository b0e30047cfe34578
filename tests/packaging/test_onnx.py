"""ONNX: the answers of scikit-learn to the last bits, also at the thresholds of trees; nothing foreign is let in."""

import warnings

import lightgbm
import numpy as np
import onnx
import pandas as pd
import pytest
import xgboost
from onnx import TensorProto, helper, numpy_helper
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes, load_wine
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from cellops.data.decoder import decode_columns, frame_columns
from cellops.errors import IntegrityError, PackageError, TrustError, UsageError
from cellops.flows.model_format import Source, in_format, require_known
from cellops.packaging.build import build_package
from cellops.packaging.contract import build_contract
from cellops.packaging.conversion.convert import convert, opened, with_runtime
from cellops.packaging.conversion.onnx import to_onnx
from cellops.packaging.conversion.proof import compare
from cellops.packaging.conversion.rows import proof_rows, thresholds
from cellops.packaging.formats import FORMATS, Trust
from cellops.packaging.formats.onnx import OnnxPredictor
from cellops.packaging.load import load_package
from cellops.packaging.predictor import SklearnPredictor
from cellops.packaging.stopping import STOP, Stop
from cellops.settings import BUILT_IN_TRUSTED_TYPES
from cellops.settings import load as load_settings

TRUST = Trust(frozenset(BUILT_IN_TRUSTED_TYPES))
ROWS = 300
EXACT = 1e-12
LINEAR = 1e-7
"""onnxruntime's LinearClassifier is of single precision."""


@pytest.fixture(scope="module")
def mixed() -> tuple[pd.DataFrame, pd.Series]:
    """Texts and numbers of every kind, some missing."""
    generator = np.random.default_rng(7)
    frame = pd.DataFrame(
        {
            "carrier": pd.Series(generator.choice(["AA", "DL", "UA"], ROWS)),
            "origin": pd.Series(generator.choice(np.array(["EWR", "JFK", None], dtype=object), ROWS), dtype=object),
            "distance": generator.integers(80, 3000, ROWS),
            "gust": np.where(generator.random(ROWS) < 0.3, np.nan, generator.normal(20, 9, ROWS)),
            "single": generator.normal(size=ROWS).astype("float32"),
            "flag": generator.random(ROWS) > 0.5,
        }
    )
    late = frame["distance"] + 900 * frame["flag"] + generator.normal(0, 300, ROWS) > 2000
    return frame, late.map({True: "late", False: "on time"})


ENCODE = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2)
NUMBERS = ["distance", "gust", "single", "flag"]
PIPELINES = {
    "ordinal, boosting": make_pipeline(
        make_column_transformer((ENCODE, ["carrier", "origin"]), remainder="passthrough"),
        HistGradientBoostingClassifier(max_iter=5),
    ),
    "one-hot, scaled, linear": make_pipeline(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), ["carrier", "origin"]),
            (make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), NUMBERS),
        ),
        LogisticRegression(),
    ),
    "imputed texts, grouped, forest": make_pipeline(
        make_column_transformer(
            (
                make_pipeline(
                    SimpleImputer(strategy="most_frequent", missing_values=None),
                    OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=0.34, sparse_output=False),
                ),
                ["carrier", "origin"],
            ),
            (SimpleImputer(strategy="median"), ["gust", "single"]),
        ),
        RandomForestClassifier(4, random_state=0),
    ),
    "numbers as categories": make_pipeline(
        make_column_transformer(
            (OneHotEncoder(drop="first", sparse_output=False), ["flag", "carrier"]),
            (MinMaxScaler(), ["single"]),
        ),
        DecisionTreeClassifier(random_state=0),
    ),
}


def assert_same(model, inputs, target, tolerance: float = EXACT) -> None:
    """Rows of the table and of every threshold are answered alike, and twice written is the same."""
    contract = build_contract(model, (inputs, target))
    schema = contract.schema
    content = to_onnx(model, schema)
    assert to_onnx(model, schema) == content
    original, converted = SklearnPredictor(model, schema), opened(content, contract)
    for rows in (frame_columns(schema, inputs), proof_rows(contract, model)):
        proof = compare(schema, original, converted, rows, tolerance)
        magnitude = 1.0 if schema.classes else float(np.abs(original.predict(rows).labels).max())
        assert proof.holds(tolerance * magnitude), proof


@pytest.mark.parametrize("name", PIPELINES)
def test_pipelines_over_texts_and_missing_values_answer_the_same(mixed, name):
    assert_same(PIPELINES[name].fit(*mixed), *mixed, LINEAR if "linear" in name else EXACT)


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeClassifier(random_state=0),
        GradientBoostingClassifier(n_estimators=2),
        HistGradientBoostingClassifier(max_iter=3),
        KNeighborsClassifier(),
        RandomForestClassifier(3, random_state=0),
        VotingClassifier(
            [("a", make_pipeline(StandardScaler(), LogisticRegression())), ("b", DecisionTreeClassifier())],
            voting="soft",
        ),
        make_pipeline(StandardScaler(), LogisticRegression()),
        make_pipeline(StandardScaler(), MLPClassifier((5,), max_iter=20, random_state=0)),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_classifiers_of_three_classes_answer_the_same(model):
    wine = load_wine(as_frame=True)
    assert_same(model.fit(wine.data, wine.target), wine.data, wine.target)


@pytest.mark.parametrize(
    "model",
    [
        GradientBoostingRegressor(n_estimators=3),
        HistGradientBoostingRegressor(max_iter=3),
        HistGradientBoostingRegressor(max_iter=3, loss="poisson"),
        LinearRegression(),
        RandomForestRegressor(3, random_state=0),
    ],
    ids=lambda model: f"{type(model).__name__} {model.get_params().get('loss', '')}",
)
def test_regressors_answer_the_same(model):
    data = load_diabetes(as_frame=True)
    assert_same(model.fit(data.data, data.target), data.data, data.target)


BOOSTED = {
    "xgboost": lambda: xgboost.XGBClassifier(n_estimators=4),
    "xgboost early": lambda: xgboost.XGBClassifier(n_estimators=4, base_score=0.3, reg_lambda=3),
    "lightgbm": lambda: lightgbm.LGBMClassifier(n_estimators=4, verbose=-1),
    "lightgbm steep": lambda: lightgbm.LGBMClassifier(n_estimators=4, verbose=-1, sigmoid=2.0, use_missing=False),
}


@pytest.mark.parametrize("name", BOOSTED)
def test_a_booster_inside_of_a_pipeline_answers_the_same(mixed, name):
    inputs, target = mixed[0], (mixed[1] == "late").astype(int)
    columns = make_column_transformer((ENCODE, ["carrier", "origin"]), remainder="passthrough")
    assert_same(make_pipeline(columns, BOOSTED[name]()).fit(inputs, target), inputs, target, LINEAR)


def test_a_pipeline_that_is_a_pickle_needs_no_trust_as_onnx(mixed, save_model, recorded, tmp_path):
    columns = make_column_transformer((ENCODE, ["carrier", "origin"]), remainder="passthrough")
    model = make_pipeline(columns, lightgbm.LGBMClassifier(n_estimators=2, verbose=-1)).fit(*mixed)
    contract = build_contract(model, mixed)
    folder = save_model(model, tmp_path / "model", serialization_format="cloudpickle", skops_trusted_types=None)
    with pytest.raises(TrustError, match="CELLOPS_ALLOW_PICKLE"):
        convert(folder, contract, tmp_path / "onnx", TRUST)
    assert convert(folder, contract, tmp_path / "onnx", Trust(pickle=True)).source == "pickle"
    package = build_package(tmp_path / "onnx", contract, *recorded, tmp_path / "built", name="safe")
    assert isinstance(load_package(package).predictor, OnnxPredictor)


@pytest.mark.parametrize("kind", [xgboost.XGBClassifier, lightgbm.LGBMClassifier, xgboost.XGBRegressor])
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_boosters_of_classes_and_numbers_answer_the_same(kind):
    wine = load_wine(as_frame=True)
    assert_same(
        make_pipeline(StandardScaler(), kind(n_estimators=4)).fit(wine.data, wine.target), wine.data, wine.target, 1e-6
    )


def test_single_precision_would_turn_rows_at_thresholds_and_is_found_out():
    data = load_diabetes(as_frame=True)
    model = HistGradientBoostingRegressor(max_iter=5).fit(data.data, data.target)
    contract = build_contract(model, (data.data, data.target))
    rows = proof_rows(contract, model)
    assert len(thresholds(model)) > 100
    single = opened(to_onnx(model, contract.schema, double=False), contract)
    proof = compare(contract.schema, SklearnPredictor(model, contract.schema), single, rows, contract.parity.tolerance)
    assert not proof.holds(contract.parity.tolerance)


def test_the_flights_model_as_onnx(flights_model, flights_folder, flights_contract, recorded, tmp_path):
    environment, provenance = recorded
    conversion = convert(flights_folder, flights_contract, tmp_path / "onnx", TRUST)
    assert (conversion.source, conversion.precision) == ("skops", "float64")
    assert conversion.difference < EXACT
    given = (flights_contract, with_runtime(environment), provenance.replace(conversion=conversion))
    package = build_package(tmp_path / "onnx", *given, tmp_path / "built", name="flights")
    loaded = load_package(package)
    assert isinstance(loaded.predictor, OnnxPredictor)
    assert loaded.provenance.conversion == conversion
    assert "onnxruntime==" in (package / "environment/lock.txt").read_text()
    rows = flights_model.evaluation[0]
    answers = loaded.predictor.predict(frame_columns(flights_contract.schema, rows))
    np.testing.assert_array_equal(answers.labels, flights_model.model.predict(rows))
    np.testing.assert_allclose(answers.probabilities, flights_model.model.predict_proba(rows), rtol=0, atol=EXACT)
    convert(flights_folder, flights_contract, tmp_path / "again", TRUST)
    again = build_package(tmp_path / "again", *given, tmp_path / "second", name="flights")
    assert (again / "manifest.json").read_bytes() == (package / "manifest.json").read_bytes()


def test_mlflow_scores_a_model_of_numbers(cancer_model, save_model, tmp_path):
    import mlflow.pyfunc

    contract = cancer_model.contract()
    convert(save_model(cancer_model.model, tmp_path / "model"), contract, tmp_path / "onnx", TRUST)
    rows = cancer_model.evaluation[0][:20]
    scored = mlflow.pyfunc.load_model(str(tmp_path / "onnx")).predict(rows)
    assert scored["label"].tolist() == cancer_model.model.predict(rows).tolist()
    np.testing.assert_allclose(scored["probability_1"], cancer_model.model.predict_proba(rows)[:, 1], atol=EXACT)


def test_a_category_that_the_encoder_refuses_is_refused(mixed):
    inputs, target = mixed[0][["carrier", "distance"]], mixed[1]
    columns = make_column_transformer((OneHotEncoder(sparse_output=False), ["carrier"]), remainder="passthrough")
    model = make_pipeline(columns, DecisionTreeClassifier()).fit(inputs, target)
    contract = build_contract(model, (inputs, target))
    predictor = opened(to_onnx(model, contract.schema), contract)
    with pytest.raises(Exception, match="out of data bounds"):
        predictor.predict(frame_columns(contract.schema, inputs[:1].assign(carrier="ZZ")))


def test_a_run_ends_when_nobody_waits_for_it_any_more(mixed):
    model = PIPELINES["ordinal, boosting"].fit(*mixed)
    contract = build_contract(model, mixed)
    predictor, rows = opened(to_onnx(model, contract.schema), contract), frame_columns(contract.schema, mixed[0])
    stop = Stop()
    before = STOP.set(stop)
    try:
        assert len(predictor.predict(rows).labels) == len(mixed[0])
        stop.ask()
        with pytest.raises(Exception, match="terminate"):
            predictor.predict(rows)
    finally:
        STOP.reset(before)


def test_the_word_that_stands_for_a_missing_text_is_none_itself(mixed):
    model = PIPELINES["ordinal, boosting"].fit(*mixed)
    contract = build_contract(model, mixed)
    predictor, schema = opened(to_onnx(model, contract.schema), contract), contract.schema
    rows = mixed[0][:50].assign(origin="None")
    answers = predictor.predict(frame_columns(schema, rows))
    np.testing.assert_allclose(answers.probabilities, model.predict_proba(rows), atol=EXACT)


@pytest.mark.parametrize(
    ("model", "fact"),
    [
        (LinearDiscriminantAnalysis(), "answers otherwise"),
        (HistGradientBoostingClassifier(max_iter=2, categorical_features=[0]), "encodes categories itself"),
    ],
    ids=["answers", "conversion"],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_what_has_no_equal_in_onnx_stays_as_it_is_with_the_reason(model, fact, save_model, recorded, tmp_path):
    wine = load_wine(as_frame=True)
    inputs, target = (
        wine.data[wine.target < 2].reset_index(drop=True),
        wine.target[wine.target < 2].reset_index(drop=True),
    )
    contract = build_contract(model.fit(inputs, target), (inputs, target))
    source = Source(save_model(model, tmp_path / "model"), contract, *recorded)
    held, (finding,) = in_format(source, "onnx", tmp_path / "onnx", load_settings(tmp_path), strict=False)
    assert (held, finding.code) == (source, "format-refused")
    assert fact in finding.seen
    with pytest.raises(PackageError, match=fact):
        in_format(source, "onnx", tmp_path / "onnx", load_settings(tmp_path), strict=True)
    assert not (tmp_path / "onnx").exists()


@pytest.fixture(scope="module")
def network():
    """A model that is mostly weights."""
    wine = load_wine(as_frame=True)
    model = make_pipeline(StandardScaler(), MLPClassifier((64, 32), max_iter=60, random_state=0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(wine.data, wine.target), build_contract(model, (wine.data, wine.target))


@pytest.fixture
def network_source(network, save_model, recorded, tmp_path):
    model, contract = network
    return Source(save_model(model, tmp_path / "model"), contract, *recorded)


@pytest.mark.parametrize(("precision", "share", "loss"), [("int8", 0.3, 0.05), ("float16", 0.4, 0.005)])
def test_a_quantised_model_says_what_it_lost(network_source, precision, share, loss, tmp_path):
    source = network_source
    held, _ = in_format(source, "onnx", tmp_path / "onnx", load_settings(tmp_path), quantise=precision)
    made = held.provenance.conversion
    assert (made.precision, made.tolerance) == (precision, None)
    assert made.size[1] < share * made.size[0]
    assert 0 < made.difference < loss
    assert made.other_labels < 0.02 * made.rows
    package = build_package(
        held.folder, held.contract, held.environment, held.provenance, tmp_path / "built", name="small"
    )
    assert load_package(package).provenance.conversion == made


def test_trees_have_nothing_to_quantise(flights_folder, flights_contract, recorded, tmp_path):
    source = Source(flights_folder, flights_contract, *recorded)
    with pytest.raises(PackageError, match="nothing to quantise"):
        in_format(source, "onnx", tmp_path / "onnx", load_settings(tmp_path), quantise="int8")
    assert not (tmp_path / "onnx").exists()
    with pytest.raises(UsageError, match="Only a model in ONNX"):
        require_known(None, "int8")


def tensor(**changes) -> TensorProto:
    made = numpy_helper.from_array(np.ones(1, dtype=np.float32), "constant")
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def outside() -> TensorProto:
    made = tensor(data_location=TensorProto.EXTERNAL)
    made.external_data.add(key="location", value="../../../etc/passwd")
    return made


def graph(*nodes, constants=()) -> onnx.GraphProto:
    number = helper.make_tensor_value_info("inputs", TensorProto.FLOAT, [None, 1])
    label = helper.make_tensor_value_info("label", TensorProto.FLOAT, [None])
    return helper.make_graph(list(nodes), "g", [number], [label], initializer=list(constants))


IDENTITY = helper.make_node("Identity", ["inputs"], ["label"])


def model_of(made: onnx.GraphProto, **options) -> onnx.ModelProto:
    options = {"opset_imports": [helper.make_opsetid("", 21)], "ir_version": 10, **options}
    return helper.make_model(made, **options)


def branch(*nodes, constants=()) -> onnx.NodeProto:
    inner = helper.make_graph(list(nodes), "inner", [], [], initializer=list(constants))
    return helper.make_node("If", ["inputs"], ["label"], then_branch=inner, else_branch=inner)


HOSTILE = {
    "a tensor in another file": (model_of(graph(IDENTITY, constants=[outside()])), "another file"),
    "one in a branch": (model_of(graph(branch(IDENTITY, constants=[outside()]))), "another file"),
    "one in an attribute": (
        model_of(graph(helper.make_node("Constant", [], ["label"], value=outside()))),
        "another file",
    ),
    "one in a branch's attribute": (
        model_of(graph(branch(helper.make_node("Constant", [], ["label"], value=outside())))),
        "another file",
    ),
    "one in a sparse tensor": (
        model_of(
            graph(
                helper.make_node(
                    "Constant", [], ["label"], sparse_value=helper.make_sparse_tensor(outside(), tensor(), [1])
                )
            )
        ),
        "another file",
    ),
    "operators of another library": (
        model_of(
            graph(helper.make_node("Evil", ["inputs"], ["label"], domain="com.microsoft")),
            opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)],
        ),
        "operators of its own: com.microsoft",
    ),
    "one of them in a branch": (
        model_of(graph(branch(helper.make_node("Evil", [], ["x"], domain="evil")))),
        "evil Evil",
    ),
    "functions": (
        model_of(graph(IDENTITY), functions=[helper.make_function("evil", "F", ["x"], ["y"], [IDENTITY], [])]),
        "operators of its own",
    ),
    "a loop without an end": (
        model_of(graph(helper.make_node("Loop", ["inputs", ""], ["label"], body=graph(IDENTITY)))),
        "Loop",
    ),
    "a shape beyond memory": (
        model_of(graph(IDENTITY, constants=[TensorProto(name="c", data_type=1, dims=[2**31, 2**31])])),
        "impossible shape",
    ),
    "a version that is unknown": (model_of(graph(IDENTITY), ir_version=99), "IR version 99"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_graph_never_reaches_onnxruntime(what, monkeypatch):
    import onnxruntime

    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *_, **__: pytest.fail("onnxruntime has seen it"))
    made, fact = HOSTILE[what]
    with pytest.raises(IntegrityError, match=fact):
        FORMATS["onnx"].load(made.SerializeToString(), Trust())


def test_a_graph_of_other_inputs_or_that_cannot_run_is_refused(cancer_model):
    schema = cancer_model.contract().schema
    session = FORMATS["onnx"].load(to_onnx(cancer_model.model, schema), Trust())
    with pytest.raises(IntegrityError, match="not those of the contract"):
        FORMATS["onnx"].predictor(session, schema.replace(classes=("a", "b", "c")))
    broken = model_of(graph(helper.make_node("Gemm", ["nowhere"], ["label"])))
    with pytest.raises(PackageError, match=r"onnxruntime .* cannot load"):
        FORMATS["onnx"].load(broken.SerializeToString(), Trust())


def test_parity_rows_decode_into_the_graph_s_inputs(flights_contract, flights_model):
    predictor = opened(to_onnx(flights_model.model, flights_contract.schema), flights_contract)
    answers = predictor.predict(decode_columns(flights_contract.schema, flights_contract.parity.inputs))
    assert answers.labels.tolist() == flights_contract.parity.labels
