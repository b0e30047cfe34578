"""The rollout that a server is to begin, from the words of a command line."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from cellops.errors import InputError, UsageError
from cellops.records.rollout import RolloutAction, RolloutOrder, RolloutRules, Strategy

if TYPE_CHECKING:
    from cellops.serving.rollout.plan import Plan


def rollout_plan(
    challenger: Path | str | None,
    strategy: str | None,
    *,
    stages: str | None = None,
    share: float | None = None,
    key: str | None = None,
    shadow_when: str | None = None,
    margins: Sequence[str] = (),
) -> "Plan | None":
    """What is asked for; None for no rollout.

    Raises
    ------
    UsageError
        When there is a strategy for one package alone, or a challenger without a strategy; when stages do not rise to
        100, a rule is none, or the strategy does not have what is asked for.
    """
    from cellops.serving.rollout.plan import Plan
    from cellops.serving.rollout.transitions import check_order

    given = {"--strategy": strategy, "--stages": stages, "--share": share, "--key": key, "--margin": margins or None}
    given["--shadow-when"] = shadow_when
    named = [option for option, value in given.items() if value is not None]
    if challenger is None:
        if named:
            fact = f"{named[0]} is for two packages, and there is no challenger"
            raise UsageError(fact, remedy="Name the other package with --challenger")
        return None
    if strategy is None:
        fact = "There is a challenger, and nothing says how it takes part"
        raise UsageError(fact, remedy="Name it with --strategy: canary, shadow, ab or blue-green")
    order = RolloutOrder(
        action=RolloutAction.START,
        strategy=Strategy(strategy),
        share=share,
        key=key or "",
        off_peak=shadow_when == "idle",
        rules=_rules(stages, margins) if stages is not None or margins else None,
    )
    check_order(Strategy(strategy), order)
    return Plan(Path(challenger), order)


def unfit(error: msgspec.ValidationError) -> str:
    """What msgspec says of a rule, in words of the command line.

    >>> unfit(msgspec.ValidationError("Expected `float` <= 1.0 - at `$.error_margin`"))
    'error_margin: expected a float <= 1.0'
    """
    problem, _, place = str(error).partition(" - at `$.")
    said = problem.replace("`", "").replace("Expected ", "expected a ")
    return f"{place.partition('[')[0].rstrip('`')}: {said}"


def _rules(stages: str | None, margins: Sequence[str]) -> RolloutRules:
    known = [name for name in RolloutRules.__struct_fields__ if name != "stages"]
    given: dict[str, Any] = {}
    for each in margins:
        name, _, value = each.partition("=")
        if name not in known:
            fact = "There is no such rule of a rollout"
            raise UsageError(fact, received=name, remedy=f"The rules are {', '.join(known)}")
        given[name] = value
    if stages is not None:
        given["stages"] = [part.strip().removesuffix("%") for part in stages.split(",")]
    try:
        return msgspec.convert(given, RolloutRules, strict=False)
    except InputError as error:
        raise UsageError(error.fact, received=error.received, remedy=error.remedy) from None
    except msgspec.ValidationError as error:
        fact = f"The rules of the rollout do not fit: {unfit(error)}"
        raise UsageError(fact, remedy="Give for example --stages 5,25,100 --margin error_margin=0.01") from None
