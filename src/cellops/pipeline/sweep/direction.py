"""Whether a metric is better when it is larger."""

import re

ERRORS = frozenset(
    {
        *("loss", "error", "rmse", "mse", "mae", "mape", "smape", "rmsle", "msle", "brier", "deviance", "perplexity"),
        *("errors", "losses", "cost", "latency", "seconds", "ms", "wer", "cer", "fid", "regret", "entropy"),
    }
)
"""The last words of metrics that are to be small."""
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")


def is_maximized(metric: str) -> bool:
    """Whether more is better, as far as the last word of its name tells.

    Examples
    --------
    >>> is_maximized("roc_auc"), is_maximized("log_loss"), is_maximized("scores.testRMSE"), is_maximized("mse_ratio")
    (True, False, False, True)
    """
    words = WORD.findall(metric)
    return not words or words[-1].lower() not in ERRORS
