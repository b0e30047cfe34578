"""Check support vector machines: libsvm takes the sizes of its arrays from one of them and believes the others."""

from typing import Any

import numpy as np

from cellops.packaging.formats.trees import width


def support_vectors_hold(estimator: Any) -> bool:
    """All arrays are of the sizes that the numbers of classes and of support vectors ask for."""
    from scipy import sparse

    counts, vectors = estimator._n_support, estimator.support_vectors_
    support, weights = estimator.support_, estimator._dual_coef_
    classes, held, precomputed = len(counts), len(support), _precomputed(estimator)
    pairs = classes * (classes - 1) // 2
    chances = {len(estimator._probA), len(estimator._probB)}
    return bool(
        {"_impl", "_sparse_kernels"}.isdisjoint(vars(estimator))
        and classes > 1
        and counts.dtype.kind == "i"
        and np.all(counts >= 0)
        and _counts_hold(estimator, int(counts.sum()), held, classes)
        and len(estimator._intercept_) == pairs
        and chances in ({0}, {pairs})
        and weights.shape == (classes - 1, held)
        and bool(estimator._sparse) == sparse.issparse(vectors)
        and (not estimator._sparse or len(weights.data) == (classes - 1) * held)
        and sparse.issparse(weights) == sparse.issparse(vectors)
        and (precomputed or vectors.shape == (held, width(estimator)))
        and not (precomputed and estimator._sparse)
        and _known(support, estimator.shape_fit_[0])
    )


def _precomputed(estimator: Any) -> bool:
    return callable(estimator.kernel) or estimator.kernel == "precomputed"


def _counts_hold(estimator: Any, total: int, held: int, classes: int) -> bool:
    """Regression and the single class have no counts of their own: there libsvm does not look at them."""
    names = getattr(estimator, "classes_", None)
    return names is None or (len(names) == classes and total == held)


def _known(support: Any, rows: int) -> bool:
    return support.dtype.kind == "i" and bool(np.all((support >= 0) & (support < rows)))
