"""Check a loaded model, part by part.

A list of trusted types says which code a model may use, not with which numbers. Much of scikit-learn's compiled code
follows numbers that it finds in a model without looking: a crafted file could make it read or write outside its arrays,
or walk in a circle. Here each such structure is checked together with the estimator that owns it, for the owner alone
decides how wide a row may be. Estimators whose compiled code is not checked here are not in `AUDITED`.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from cellops.data.problems import shorten
from cellops.errors import IntegrityError
from cellops.packaging.formats import encoders, functions, neighbours, trees, vectors, widths
from cellops.packaging.formats.parts import own, parts, replaces_code

AUDITED = (
    "sklearn._loss.",
    "sklearn.calibration.",
    "sklearn.cluster._kmeans.",
    "sklearn.compose.",
    "sklearn.cross_decomposition.",
    "sklearn.decomposition._factor_analysis.",
    "sklearn.decomposition._fastica.",
    "sklearn.decomposition._incremental_pca.",
    "sklearn.decomposition._kernel_pca.",
    "sklearn.decomposition._lda.",
    "sklearn.decomposition._nmf.",
    "sklearn.decomposition._pca.",
    "sklearn.decomposition._truncated_svd.",
    "sklearn.discriminant_analysis.",
    "sklearn.dummy.",
    "sklearn.ensemble.",
    "sklearn.feature_extraction._dict_vectorizer.",
    "sklearn.feature_extraction._hash.",
    "sklearn.feature_extraction.text.",
    "sklearn.feature_selection.",
    "sklearn.frozen.",
    "sklearn.gaussian_process.",
    "sklearn.impute.",
    "sklearn.isotonic.",
    "sklearn.kernel_approximation.",
    "sklearn.kernel_ridge.",
    "sklearn.linear_model.",
    "sklearn.model_selection.",
    "sklearn.multiclass.",
    "sklearn.multioutput.MultiOutput",
    "sklearn.naive_bayes.",
    "sklearn.neighbors._classification.",
    "sklearn.neighbors._graph.",
    "sklearn.neighbors._lof.",
    "sklearn.neighbors._nca.",
    "sklearn.neighbors._nearest_centroid.",
    "sklearn.neighbors._regression.",
    "sklearn.neighbors._unsupervised.",
    "sklearn.neural_network._multilayer_perceptron.",
    "sklearn.pipeline.",
    "sklearn.preprocessing._data.",
    "sklearn.preprocessing._discretization.",
    "sklearn.preprocessing._encoders.",
    "sklearn.preprocessing._function_transformer.",
    "sklearn.preprocessing._label.",
    "sklearn.preprocessing._polynomial.PolynomialFeatures",
    "sklearn.preprocessing._target_encoder.",
    "sklearn.random_projection.",
    "sklearn.svm.",
    "sklearn.tree.",
)
"""Where the estimators live that are either plain numpy when they predict, or checked below."""
OWNED = ("tree_", "_tree", "_predictors")
"""The attributes by which an estimator owns a compiled structure."""
COMPILED = frozenset({"Tree", "KDTree", "BallTree", "TreePredictor"})
ALWAYS = frozenset({encoders.words_hold, functions.options_hold})
"""Checks of estimators that need no fitting."""
MEASURING = frozenset({neighbours.neighbours_hold, neighbours.metric_holds})
"""Checks of estimators that measure distances."""
Check = Callable[[Any], bool]


def audited(name: str) -> bool:
    """Whether a type of scikit-learn needs no more trust than the checks give.

    >>> audited("sklearn.svm._classes.SVC"), audited("sklearn.cluster._birch.Birch")
    (True, False)
    """
    return name.startswith(AUDITED)


def check_model(model: object) -> None:
    """Refuse a model in which a part could lead compiled code astray.

    Raises
    ------
    IntegrityError
        Naming the type of the part.
    """
    found = parts(model)
    for part in found:
        if type(part).__module__.startswith(("sklearn.", "scipy.")) and replaces_code(part):
            raise _refused(part, "holds something in the place of its own code")
    checks, owned = _checks(), set()
    for part in found:
        for check in (check for kind, check in checks if isinstance(part, kind)):
            if (check in ALWAYS or _is_fitted(part)) and not _passes(check, part):
                measures = check in MEASURING and not _passes(neighbours.metric_holds, part)
                raise _unmeasured(part) if measures else _refused(part, "leaves its own arrays")
        owned |= {id(inner) for name in OWNED if name in own(part) for inner in parts(own(part)[name])}
    for part in found:
        if type(part).__name__ in COMPILED and id(part) not in owned:
            raise _refused(part, "stands where no estimator watches it")


def _checks() -> list[tuple[Any, Check]]:
    """What each kind of part must satisfy. Inner parts are looked at with their owner."""
    from scipy import sparse
    from sklearn.base import BaseEstimator
    from sklearn.cluster._kmeans import _BaseKMeans
    from sklearn.ensemble._gb import BaseGradientBoosting
    from sklearn.ensemble._hist_gradient_boosting.gradient_boosting import BaseHistGradientBoosting
    from sklearn.feature_extraction import DictVectorizer, FeatureHasher
    from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer
    from sklearn.gaussian_process.kernels import Kernel
    from sklearn.neighbors import NearestCentroid
    from sklearn.neighbors._base import NeighborsBase
    from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, TargetEncoder
    from sklearn.svm._base import BaseLibSVM
    from sklearn.tree._classes import BaseDecisionTree

    return [
        (BaseDecisionTree, trees.decision_tree_holds),
        (BaseGradientBoosting, trees.gradient_boosting_holds),
        (BaseHistGradientBoosting, trees.histogram_boosting_holds),
        (NeighborsBase, neighbours.neighbours_hold),
        (NearestCentroid, neighbours.metric_holds),
        (_BaseKMeans, neighbours.centres_hold),
        (BaseLibSVM, vectors.support_vectors_hold),
        ((CountVectorizer, HashingVectorizer, DictVectorizer, FeatureHasher), encoders.words_hold),
        (OneHotEncoder, encoders.one_hot_holds),
        (PolynomialFeatures, widths.polynomials_hold),
        (TargetEncoder, widths.target_encodings_hold),
        ((BaseEstimator, Kernel), functions.options_hold),
        (functools.partial, functions.bound_options_hold),
        ((sparse.spmatrix, sparse.sparray), encoders.sparse_holds),
        ((np.random.RandomState, np.random.Generator), encoders.generator_holds),
    ]


def _is_fitted(part: object) -> bool:
    """Parameters of meta-estimators are estimators that were never fitted and cannot answer."""
    names = own(part).keys() - {"_sklearn_version"}
    return not hasattr(part, "get_params") or any(name.startswith("_") or name.endswith("_") for name in names)


def _passes(check: Check, part: object) -> bool:
    try:
        return check(part)
    except Exception:  # noqa: BLE001 - a part of another shape than the check expects is not scikit-learn's
        return False


def _unmeasured(part: object) -> IntegrityError:
    """Whoever fitted it did nothing wrong: some distances bring arrays whose sizes compiled code would believe."""
    metric = own(part).get("metric")
    name = shorten(metric) if type(metric) is str else type(metric).__name__
    options = " with weights or options of its own" if name in neighbours.METRICS else ""
    fact = f"A {type(part).__name__} in the model measures by the distance {name}{options}, which cannot be checked"
    return IntegrityError(fact, remedy=f"Fit it with one of {', '.join(sorted(neighbours.METRICS))}, without weights")


def _refused(part: object, what: str) -> IntegrityError:
    fact = f"A {type(part).__module__}.{type(part).__qualname__} in the model {what}"
    return IntegrityError(fact, remedy="Do not use this model; the file was not written by scikit-learn")
