"""What follows from the evidence: a pure function, which may be asked after every request."""

from cellops.records.rollout import Evidence, RolloutRules, RolloutState, Verdict


def judge(rules: RolloutRules, state: RolloutState, evidence: Evidence, now: float) -> Verdict:  # noqa: ARG001
    """Whether the challenger passes this stage, is rolled back, or neither yet; `now` in seconds since 1970."""
    return Verdict(action=None, why="Nothing is known yet")
