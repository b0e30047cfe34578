"""Models that were tampered with: refused on loading, before compiled code follows their numbers.

Each attack loads and predicts in a child process, for one that is let through would end the process.
"""

import functools
import subprocess
import sys
import warnings
import zipfile
from io import BytesIO

import numpy as np
import pytest
import skops.io
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.covariance import EllipticEnvelope
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    StackingClassifier,
    VotingRegressor,
)
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, SGDClassifier
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.neighbors import (
    KNeighborsClassifier,
    KNeighborsRegressor,
    LocalOutlierFactor,
    NearestCentroid,
    RadiusNeighborsClassifier,
)
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    PolynomialFeatures,
    StandardScaler,
    TargetEncoder,
)
from sklearn.semi_supervised import LabelSpreading
from sklearn.svm import SVC, SVR, NuSVC, NuSVR, OneClassSVM
from sklearn.tree import DecisionTreeClassifier

from cellops.errors import IntegrityError, PackageError, TrustError
from cellops.packaging.formats import FORMATS, Trust
from cellops.settings import BUILT_IN_TRUSTED_TYPES
from support.processes import started

TRUST = Trust(frozenset(BUILT_IN_TRUSTED_TYPES))
ROWS = load_iris(return_X_y=True)
VICTIM = """
import sys, warnings
from pathlib import Path
import numpy as np
from cellops.errors import IntegrityError, TrustError
from cellops.packaging.formats import FORMATS, Trust
from cellops.settings import BUILT_IN_TRUSTED_TYPES
warnings.simplefilter("ignore")
for line in sys.stdin:
    model, rows = line.split()
    try:
        loaded = FORMATS["skops"].load(Path(model).read_bytes(), Trust(frozenset(BUILT_IN_TRUSTED_TYPES)))
        loaded.predict(np.load(rows, allow_pickle=True))
        print("answered", flush=True)
    except (IntegrityError, TrustError):
        print("refused", flush=True)
    except Exception as error:
        print(repr(error), flush=True)
"""


@pytest.fixture(scope="module")
def victim():
    """A process that loads models and lets them predict, until one ends it."""
    command = [sys.executable, "-c", VICTIM]
    with started(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.stdin.close()


@pytest.fixture
def attack(victim, tmp_path):
    """Let the other process load a model and predict; it must refuse it and live."""

    def attacked(model: BaseEstimator, rows: np.ndarray = ROWS[0]) -> None:
        (tmp_path / "model.skops").write_bytes(skops.io.dumps(model))
        np.save(tmp_path / "rows.npy", rows)
        victim.stdin.write(f"{tmp_path / 'model.skops'} {tmp_path / 'rows.npy'}\n")
        victim.stdin.flush()
        assert victim.stdout.readline() == "refused\n"

    return attacked


def change_tree(tree, **fields):
    nodes = tree.__getstate__()["nodes"].copy()
    for name, value in fields.items():
        nodes[name][0] = value
    tree.__setstate__({**tree.__getstate__(), "nodes": nodes})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("left_child", 10**9),
        ("right_child", -7),
        ("left_child", 0),
        ("feature", 4),
        ("feature", 10**9),
        ("feature", -5),
    ],
)
def test_a_tree_that_leaves_its_arrays_or_walks_in_a_circle(field, value, attack):
    model = RandomForestClassifier(3, random_state=0).fit(*ROWS)
    change_tree(model.estimators_[1].tree_, **{field: value})
    attack(model)


def wider_inner_count():
    model = GradientBoostingClassifier(n_estimators=2).fit(*ROWS)
    model.estimators_[1, 0].n_features_in_ = 10**9
    change_tree(model.estimators_[1, 0].tree_, feature=10**8)
    return model


def shared_tree():
    wide, narrow = DecisionTreeClassifier().fit(np.tile(ROWS[0], 50), ROWS[1]), DecisionTreeClassifier().fit(*ROWS)
    change_tree(wide.tree_, feature=199)
    narrow.tree_ = wide.tree_
    model = VotingRegressor([("a", Ridge()), ("b", Ridge())]).fit(*ROWS)
    model.estimators_ = [narrow, make_pipeline(wide)]
    return model


def width_that_is_missing():
    model = DecisionTreeClassifier().fit(*ROWS)
    change_tree(model.tree_, feature=10**8)
    del model.n_features_in_
    return model


def shallower_than_it_is():
    model = DecisionTreeClassifier().fit(*ROWS)
    model.tree_.__setstate__({**model.tree_.__getstate__(), "max_depth": 0})
    return model


def guess_that_is_too_narrow():
    model = GradientBoostingClassifier(n_estimators=2).fit(*ROWS)
    model.init_ = "zero"
    model.n_trees_per_iteration_ = 1
    return model


def guess_without_columns():
    model = GradientBoostingRegressor(n_estimators=2).fit(*ROWS)
    model.init_.constant_ = np.empty((1, 0))
    return model


def method_replaced():
    model = DecisionTreeClassifier().fit(*ROWS)
    model._validate_X_predict = np.multiply
    return model


def tree_of_nobody():
    model = LogisticRegression(max_iter=1000).fit(*ROWS)
    model.spare_ = DecisionTreeClassifier().fit(*ROWS).tree_
    return model


TREES = [
    wider_inner_count,
    shared_tree,
    width_that_is_missing,
    shallower_than_it_is,
    guess_that_is_too_narrow,
    guess_without_columns,
    method_replaced,
    tree_of_nobody,
]


@pytest.mark.parametrize("make", TREES, ids=lambda make: make.__name__)
def test_trees_behind_false_counts(make, attack):
    attack(make())


@pytest.mark.parametrize(
    ("field", "value"),
    [("left", 10**9), ("right", 0), ("feature_idx", 4), ("feature_idx", -1), ("bitset_idx", 9)],
)
def test_a_boosted_tree_that_leaves_its_arrays(field, value, attack):
    model = HistGradientBoostingClassifier(max_iter=2).fit(*ROWS)
    nodes = model._predictors[1][0].nodes
    nodes["is_categorical"][0] = field == "bitset_idx"
    nodes[field][0] = value
    attack(model)


@pytest.mark.parametrize("change", ["known categories", "bin mapper", "width", "raw rows", "columns dropped"])
def test_histogram_boosting_that_does_not_fit_together(change, attack):
    categorical = [0] if change in {"known categories", "columns dropped"} else None
    rows = np.round(ROWS[0])
    model = HistGradientBoostingClassifier(max_iter=2, categorical_features=categorical).fit(rows, ROWS[1])
    match change:
        case "known categories":
            model._bin_mapper.is_categorical_ = np.zeros(4, dtype=np.uint8)
            for predictors in model._predictors:
                predictors[0].nodes["is_categorical"] = 1
        case "bin mapper":
            model._bin_mapper.is_categorical_ = np.zeros(0, dtype=np.uint8)
        case "width":
            model.n_features_in_ = 10**6
        case "raw rows":
            model._in_fit = True
        case "columns dropped":
            model._preprocessor.transformers_[1] = ("numerical", "drop", model._preprocessor.transformers_[1][2])
    attack(model, rows)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_n_support", np.array([1, 1, 10**6], dtype=np.int32)),
        ("_n_support", np.array([-50, 100, 0], dtype=np.int32)),
        ("_n_support", np.ones(2000, dtype=np.int32)),
        ("support_vectors_", np.zeros((5, 4))),
        ("support_vectors_", np.zeros((60, 0))),
        ("support_", np.arange(10**6, dtype=np.int32)),
        ("_dual_coef_", np.zeros((2, 1))),
        ("_intercept_", np.zeros(1)),
        ("_probA", np.zeros(1)),
        ("_probB", np.zeros(0)),
        ("_impl", "one_class"),
        ("_sparse_kernels", ["x"] * 99 + ["rbf"]),
        ("kernel", "precomputed"),
        ("n_features_in_", 9),
    ],
)
@pytest.mark.parametrize("make", [SVC, NuSVC], ids=["SVC", "NuSVC"])
def test_support_vectors_of_wrong_sizes(make, name, value, attack):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = make(probability=True).fit(*ROWS)
    if name == "kernel":
        model.shape_fit_ = (1, 4)
    setattr(model, name, value)
    attack(model)


@pytest.mark.parametrize("make", [SVR, NuSVR, OneClassSVM], ids=lambda make: make.__name__)
def test_support_vectors_of_models_without_classes(make, attack):
    model = make().fit(*ROWS)
    model._n_support = np.ones(2000, dtype=np.int32)
    attack(model)


def test_sparse_support_vectors_of_wrong_sizes(attack):
    model = SVC().fit(sparse.csr_matrix(ROWS[0]), ROWS[1])
    model._dual_coef_ = sparse.csr_matrix((2, 10))
    attack(model)


@pytest.mark.parametrize("algorithm", ["kd_tree", "ball_tree"])
@pytest.mark.parametrize("change", ["order", "leaf", "overlap", "bounds", "short"])
def test_a_tree_of_neighbours_that_leaves_its_arrays(algorithm, change, attack):
    model = KNeighborsClassifier(algorithm=algorithm, leaf_size=10).fit(*ROWS)
    data, order, nodes, bounds, *rest = model._tree.__getstate__()
    data, order, nodes, bounds = (np.array(array) for array in (data, order, nodes, bounds))
    match change:
        case "order":
            order = order + 10**6
        case "leaf":
            nodes["is_leaf"][-1] = 0
        case "overlap":
            nodes["idx_start"][:] = 0
            nodes["idx_end"][:] = len(data)
        case "bounds":
            bounds = bounds[:, :1].copy()
        case "short":
            data, order = data[:1], order[:1]
    model._tree.__setstate__((data, order, nodes, bounds, *rest))
    attack(model)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_y", np.full(150, 10**9)),
        ("_y", np.full(150, -5)),
        ("_y", np.zeros(1, dtype=int)),
        ("_fit_X", np.zeros((150, 10**5))),
        ("_fit_X", np.zeros((1, 4))),
        ("n_samples_fit_", 10**9),
    ],
)
@pytest.mark.parametrize("make", [KNeighborsClassifier, RadiusNeighborsClassifier], ids=["k", "radius"])
def test_neighbours_that_do_not_fit_together(make, name, value, attack):
    model = make(algorithm="brute").fit(*ROWS)
    setattr(model, name, value)
    attack(model)


@pytest.mark.parametrize(
    ("metric", "options"),
    [
        ("mahalanobis", {"VI": np.ones((1, 1))}),
        ("seuclidean", {"V": np.ones(1)}),
        ("euclidean", {"Y_norm_squared": np.ones(1)}),
        ("minkowski", {"p": 3.0, "w": np.ones(1)}),
        (np.add, {}),
    ],
)
@pytest.mark.parametrize("make", [KNeighborsClassifier, KNeighborsRegressor, RadiusNeighborsClassifier])
def test_distances_that_bring_arrays_of_their_own(make, metric, options, attack):
    model = make(algorithm="brute", metric="manhattan").fit(*ROWS)
    model.effective_metric_, model.effective_metric_params_ = metric, options
    attack(model)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"metric": "canberra", "metric_params": {"w": np.ones(4)}}, "canberra with weights"),
        ({"metric": "jaccard"}, "jaccard,"),
        ({"metric": "seuclidean", "metric_params": {"V": np.ones(4)}}, "seuclidean,"),
        ({"metric_params": {"w": np.ones(4)}}, "minkowski with weights"),
    ],
    ids=["weighted canberra", "jaccard", "seuclidean", "weighted"],
)
def test_an_unusual_distance_is_named_and_the_file_not_blamed(options, named):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = KNeighborsClassifier(algorithm="brute", **options).fit(*ROWS)
    with pytest.raises(
        IntegrityError, match=f"KNeighborsClassifier in the model measures by the distance {named}"
    ) as caught:
        FORMATS["skops"].load(skops.io.dumps(make_pipeline(model)), TRUST)
    assert "file" not in str(caught.value)
    assert caught.value.remedy.startswith("Fit it with one of braycurtis, canberra, ")


def test_a_tree_of_neighbours_without_a_distance(attack):
    model = KNeighborsClassifier(algorithm="kd_tree").fit(*ROWS)
    *state, _, weights = model._tree.__getstate__()
    model._tree.__setstate__((*state, None, weights))
    attack(model)


def test_a_covariance_of_another_size_than_its_rows(attack):
    model = EllipticEnvelope().fit(ROWS[0])
    model.precision_ = np.ones((1, 1))
    attack(model)


def polynomials_of_a_wider_table():
    transformer = PolynomialFeatures(1).fit(ROWS[0])
    transformer._n_out_full = transformer.n_output_features_ = 40
    return transformer


def polynomials_of_other_degrees():
    transformer = PolynomialFeatures((2, 3)).fit(ROWS[0])
    transformer._max_degree = 2
    return transformer


def categories_without_encoding():
    transformer = TargetEncoder(target_type="multiclass").fit(np.round(ROWS[0]), ROWS[1])
    transformer.encodings_ = transformer.encodings_[:2]
    return transformer


def results_left_unwritten():
    return FunctionTransformer(np.log1p, kw_args={"where": False})


def results_left_unwritten_by_a_partial():
    return FunctionTransformer(functools.partial(np.log1p, where=False))


OLD_MEMORY = [
    polynomials_of_a_wider_table,
    polynomials_of_other_degrees,
    categories_without_encoding,
    results_left_unwritten,
    results_left_unwritten_by_a_partial,
]


@pytest.mark.parametrize("make", OLD_MEMORY, ids=lambda make: make.__name__)
def test_columns_that_show_old_memory(make, attack):
    model = make_pipeline(StandardScaler(), LinearRegression()).fit(*ROWS)
    model.steps[0] = ("old", make())
    attack(model)


@pytest.mark.parametrize(("name", "value"), [("cluster_centers_", np.zeros((3, 10**6))), ("_n_threads", 10**6)])
def test_centres_that_do_not_fit(name, value, attack):
    model = KMeans(3).fit(ROWS[0])
    setattr(model, name, value)
    attack(model)


WORDS = np.array(["late again", "on time"] * 10, dtype=object)


def words_without_column():
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(WORDS, np.arange(20) % 2)
    model[0].vocabulary_["late"] = 10**9
    return model


def words_from_files():
    model = make_pipeline(CountVectorizer(), LogisticRegression()).fit(WORDS, np.arange(20) % 2)
    model[0].input = "filename"
    return model


def words_from_files_without_fitting():
    model = make_pipeline(HashingVectorizer(), LogisticRegression()).fit(WORDS, np.arange(20) % 2)
    model[0].input = "filename"
    return model


@pytest.mark.parametrize("make", [words_without_column, words_from_files, words_from_files_without_fitting])
def test_words_that_lead_elsewhere(make, attack):
    attack(make(), WORDS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_drop_idx_after_grouping", np.array([-1], dtype=object)),
        ("_drop_idx_after_grouping", np.array([10**9], dtype=object)),
        ("_drop_idx_after_grouping", np.array([], dtype=object)),
        ("categories_", [np.array([3, 2, 1, 0])]),
        ("categories_", [np.array([np.nan, 0.0, 1.0, 2.0])]),
        ("categories_", [np.empty((4, 2))]),
    ],
)
def test_a_one_hot_encoder_that_counts_beyond_its_columns(name, value, attack):
    numbers = np.array([[0], [1], [2], [3]] * 20)
    model = make_pipeline(OneHotEncoder(drop="first"), LogisticRegression()).fit(numbers, np.arange(80) % 2)
    setattr(model[0], name, value)
    attack(model, numbers)


@pytest.mark.parametrize("change", ["widths", "groups"])
def test_a_one_hot_encoder_whose_columns_are_not_those_of_its_categories(change, attack):
    kinds = np.array([["a"], ["b"], ["c"], ["c"], ["d"]] * 20, dtype=object)
    model = make_pipeline(OneHotEncoder(min_frequency=30), LogisticRegression()).fit(kinds, np.arange(100) % 2)
    if change == "widths":
        model[0]._n_features_outs = [1]
    else:
        model[0]._default_to_infrequent_mappings[0] = np.full(4, 10**9)
    attack(model, kinds)


def test_sparse_coefficients_that_point_outside(attack):
    model = SGDClassifier().fit(*ROWS).sparsify()
    model.coef_.indices[:] = 10**9
    attack(model)


def test_a_sparse_table_that_brings_its_own_check(attack):
    model = SGDClassifier().fit(*ROWS).sparsify()
    model.coef_.indices[:] = 10**9
    model.coef_.check_format = np.positive
    attack(model)


def test_a_tree_hidden_behind_a_mask(attack):
    model = LogisticRegression(max_iter=1000).fit(*ROWS)
    tree = DecisionTreeClassifier().fit(*ROWS)
    change_tree(tree.tree_, feature=10**8)
    hidden = np.empty(1, dtype=object)
    hidden[0] = tree
    model.spare_ = np.ma.MaskedArray(hidden, mask=[True])
    attack(model)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"protocol": 2', '"protocol": 1'),
        ('"__module__": "sklearn._loss._loss"', '"__module__": "numpy"'),
    ],
)
def test_a_description_that_skops_would_not_write(old, new):
    """An older protocol has fewer checks of its own; a state given to numpy.dtype would be believed."""
    content, written = BytesIO(skops.io.dumps(HistGradientBoostingRegressor(max_iter=1).fit(*ROWS))), BytesIO()
    with zipfile.ZipFile(content) as source, zipfile.ZipFile(written, "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name).replace(old.encode(), new.encode()))
    with pytest.raises(PackageError, match="cannot be read as a skops file"):
        FORMATS["skops"].load(written.getvalue(), TRUST)


def test_a_file_that_unpacks_to_far_more():
    written = BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("schema.json", b" " * 10_000_000)
    with pytest.raises(PackageError, match="far larger when unpacked"):
        FORMATS["skops"].load(written.getvalue(), TRUST)


@pytest.mark.parametrize("name", ["table.npz", "table.bin"])
def test_an_archive_inside_that_unpacks_to_far_more(name):
    inner, written = BytesIO(), BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("data.npy", b" " * 10_000_000)
    with zipfile.ZipFile(written, "w") as target:
        target.writestr("schema.json", b"{}")
        target.writestr(name, inner.getvalue())
    with pytest.raises(PackageError, match="far larger when unpacked"):
        FORMATS["skops"].load(written.getvalue(), TRUST)


def test_a_generator_that_stands_outside_of_its_block(attack):
    model = LogisticRegression(max_iter=1000, random_state=np.random.RandomState(0)).fit(*ROWS)
    state = model.random_state.get_state(legacy=False)
    state["state"]["pos"] = 10**9
    model.random_state.set_state(state)
    attack(model)


def test_estimators_that_nobody_has_checked_need_the_operators_word():
    content = skops.io.dumps(LabelSpreading().fit(*ROWS))
    name = "sklearn.semi_supervised._label_propagation.LabelSpreading"
    with pytest.raises(TrustError, match=name):
        FORMATS["skops"].load(content, TRUST)
    assert isinstance(FORMATS["skops"].load(content, Trust(TRUST.types | {name})), LabelSpreading)


LABELLED = load_breast_cancer(return_X_y=True)
ORDINARY = [
    AdaBoostClassifier(n_estimators=3),
    BaggingClassifier(KNeighborsClassifier(), n_estimators=3, max_features=0.5),
    CalibratedClassifierCV(DecisionTreeClassifier()),
    DecisionTreeClassifier(),
    ExtraTreesRegressor(3),
    FixedThresholdClassifier(LogisticRegression()),
    GradientBoostingClassifier(n_estimators=3),
    GradientBoostingClassifier(n_estimators=3, init="zero"),
    GradientBoostingRegressor(n_estimators=3, loss="huber"),
    HistGradientBoostingClassifier(max_iter=3),
    HistGradientBoostingClassifier(max_iter=3, categorical_features=[0, 2], max_bins=30),
    HistGradientBoostingRegressor(max_iter=3),
    IsolationForest(n_estimators=5),
    KMeans(2),
    KNeighborsClassifier(algorithm="ball_tree"),
    KNeighborsClassifier(algorithm="brute"),
    KNeighborsClassifier(algorithm="kd_tree", leaf_size=3),
    KNeighborsClassifier(algorithm="brute", p=3),
    KNeighborsClassifier(metric="cosine"),
    KNeighborsRegressor(algorithm="kd_tree", weights="distance"),
    LocalOutlierFactor(novelty=True),
    MLPClassifier(max_iter=3),
    MLPRegressor(max_iter=3),
    NuSVC(nu=0.1),
    NearestCentroid(),
    NuSVR(),
    OneClassSVM(),
    RadiusNeighborsClassifier(radius=10**6),
    RandomForestClassifier(3, max_depth=None),
    RandomForestClassifier(3, random_state=np.random.RandomState(0)),
    SVC(),
    SVC(kernel="linear"),
    SVR(epsilon=0.2),
    StackingClassifier([("tree", DecisionTreeClassifier()), ("near", KNeighborsClassifier())]),
    VotingRegressor([("tree", GradientBoostingRegressor(n_estimators=2)), ("ridge", Ridge())]),
    make_pipeline(KBinsDiscretizer(quantile_method="averaged_inverted_cdf"), LogisticRegression()),
    make_pipeline(KBinsDiscretizer(quantile_method="averaged_inverted_cdf"), SVC()),
    make_pipeline(OneHotEncoder(drop="if_binary", handle_unknown="ignore"), LogisticRegression()),
    make_pipeline(OneHotEncoder(min_frequency=20, drop="first"), SGDClassifier()),
    make_pipeline(FunctionTransformer(np.log1p), PolynomialFeatures((2, 2), include_bias=False), Ridge()),
    make_pipeline(PolynomialFeatures(2, interaction_only=True), Ridge()),
    make_pipeline(StandardScaler(), SVC()),
    make_pipeline(TargetEncoder(), LogisticRegression()),
    SGDClassifier(),
]


@pytest.mark.parametrize("model", ORDINARY, ids=lambda model: type(model).__name__)
def test_ordinary_estimators_still_load_and_answer_the_same(model):
    rows = np.round(LABELLED[0] / LABELLED[0].max(axis=0), 1)[:200]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(rows, LABELLED[1][:200])
    loaded = FORMATS["skops"].load(skops.io.dumps(model), TRUST)
    np.testing.assert_array_equal(loaded.predict(rows), model.predict(rows))


def test_ordinary_text_models_still_load_and_answer_the_same():
    labels = np.arange(20) % 2
    for model in (make_pipeline(TfidfVectorizer(), SVC()), make_pipeline(HashingVectorizer(), SGDClassifier())):
        model.fit(WORDS, labels)
        loaded = FORMATS["skops"].load(skops.io.dumps(model), TRUST)
        np.testing.assert_array_equal(loaded.predict(WORDS), model.predict(WORDS))


def test_the_errors_name_the_part():
    model = DecisionTreeClassifier().fit(*ROWS)
    change_tree(model.tree_, feature=4)
    with pytest.raises(IntegrityError, match=r"DecisionTreeClassifier in the model leaves"):
        FORMATS["skops"].load(skops.io.dumps(model), TRUST)
