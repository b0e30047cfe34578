"""Whether a metric is better when it is larger."""

import re

ERRORS = frozenset(
    {
        *("loss", "error", "rmse", "mse", "mae", "mape", "smape", "rmsle", "msle", "brier", "deviance", "perplexity"),
        *("errors", "losses", "cost", "latency", "seconds", "ms", "wer", "cer", "fid", "regret", "entropy"),
        *("nll", "fpr", "fnr", "duration"),
    }
)
"""The last words of metrics that are to be small."""
OF_WHAT = frozenset({"mean", "avg", "average", "median", "train", "test", "val", "valid", "validation", "cv", "rate"})
"""Words behind the one that tells: of which rows, or how several are made one."""
NEGATIVE = frozenset({"neg", "negative"})
"""Before a metric that is to be small these make one that is to be large, as the scorers of scikit-learn are named."""
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")


def is_maximized(metric: str) -> bool:
    """Whether more is better, as far as the last word of its name tells that is not one such as mean or test.

    Examples
    --------
    >>> is_maximized("roc_auc"), is_maximized("log_loss"), is_maximized("scores.testRMSE"), is_maximized("mse_ratio")
    (True, False, False, True)
    >>> is_maximized("neg_log_loss"), is_maximized("rmse_test"), is_maximized("error_rate"), is_maximized("test")
    (True, False, False, True)
    """
    words = [word.lower() for word in WORD.findall(metric)]
    telling = [word for word in words if word not in OF_WHAT and not word.isdigit()]
    return not telling or telling[-1] not in ERRORS or not NEGATIVE.isdisjoint(words)
