"""Whether more is better, by the name of the metric."""

import pytest

from cellops.pipeline.sweep.direction import is_maximized


@pytest.mark.parametrize(
    ("metric", "more"),
    [
        *(("auc", True), ("r2", True), ("lossless", True), ("error_free_share", True), ("score", True)),
        *(("loss", False), ("test_log_loss", False), ("scores.rmse", False), ("valLoss", False), ("MAE", False)),
        *(("neg_mean_squared_error", True), ("neg_log_loss", True), ("rmse_test", False), ("error_rate", False)),
        *(("accuracy_mean", True), ("mean", True), ("loss_2", False)),
    ],
)
def test_losses_and_errors_are_to_be_small(metric: str, more: bool) -> None:
    assert is_maximized(metric) is more
