"""Which trials are stopped before their end."""

from cellops.pipeline.sweep.pruning import FEWEST, MedianPruner


def completed(*, maximize: bool) -> MedianPruner:
    pruner = MedianPruner(maximize=maximize)
    for number in range(FEWEST):
        for step in range(3):
            assert not pruner.is_hopeless(number, step, 0.5 + number / 10 + step / 100)
        pruner.completed(number)
    return pruner


def test_the_worse_half_is_hopeless() -> None:
    assert completed(maximize=True).is_hopeless(9, 1, 0.55)
    assert not completed(maximize=True).is_hopeless(9, 1, 0.75)
    assert completed(maximize=False).is_hopeless(9, 1, 0.75)
    assert not completed(maximize=False).is_hopeless(9, 1, 0.45)


def test_the_best_that_was_reported_so_far_counts() -> None:
    pruner = completed(maximize=True)
    assert not pruner.is_hopeless(9, 0, 0.9)
    assert not pruner.is_hopeless(9, 1, 0.1)


def test_few_trials_judge_nobody() -> None:
    pruner = MedianPruner(maximize=True)
    for number in range(FEWEST - 1):
        pruner.is_hopeless(number, 0, 1.0)
        pruner.completed(number)
    assert not pruner.is_hopeless(9, 0, 0.0)
