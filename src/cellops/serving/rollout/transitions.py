"""From one state of a rollout to the next: pure functions, which refuse what the strategy does not have."""

import secrets

from cellops.errors import UsageError
from cellops.records.rollout import ALL, RolloutAction, RolloutOrder, RolloutRules, RolloutState, SlotPackage, Strategy
from cellops.serving.errors import RolloutError

HALF = 50.0
FIRST = {Strategy.AB: HALF, Strategy.SHADOW: ALL, Strategy.BLUE_GREEN: 0.0}
"""Percent for the challenger where nothing else is asked for; a canary begins with its first stage."""


def started(state: RolloutState, order: RolloutOrder, challenger: SlotPackage, now: float) -> RolloutState:
    """Divide the traffic with a challenger.

    Raises
    ------
    RolloutError
        When it is divided already, or by this challenger cannot be.
    UsageError
        When the strategy does not have what is asked for.
    """
    strategy, rules = order.strategy or Strategy.CANARY, order.rules or RolloutRules()
    if state.challenger is not None:
        fact = f"A rollout of {state.model} is under way, with {state.challenger.version} as the challenger"
        raise RolloutError(fact, remedy="Promote it or roll it back before another begins")
    check_order(strategy, order)
    if challenger.digest == state.champion.digest:
        fact = f"{challenger.version} is the champion of {state.model}, and cannot be its challenger"
        raise RolloutError(fact, remedy="Name another package")
    share = rules.stages[0] if strategy is Strategy.CANARY else FIRST[strategy] if order.share is None else order.share
    return state.replace(
        strategy=strategy,
        challenger=challenger,
        share=share,
        stage=0,
        since=now,
        paused=False,
        salt=secrets.token_hex(8),
        key=order.key,
        off_peak=order.off_peak,
        rules=rules,
    )


def check_order(strategy: Strategy, order: RolloutOrder) -> None:
    """Refuse what a strategy does not have; `UsageError`."""
    if strategy is Strategy.SINGLE:
        fact = "Under the strategy single there is no challenger"
        raise UsageError(fact, remedy="Name canary, shadow, ab or blue-green")
    if order.share is not None and strategy in (Strategy.CANARY, Strategy.BLUE_GREEN):
        has = "its stages" if strategy is Strategy.CANARY else "all or nothing"
        fact = f"The strategy {strategy} takes no share: it has {has}"
        raise UsageError(fact, remedy="Leave the share out")
    if order.share is not None and not 0 < order.share <= ALL:
        fact = "The share of a challenger is a percentage above 0, and 100 at most"
        raise UsageError(fact, received=order.share, remedy="Give for example 50")
    if order.off_peak and strategy is not Strategy.SHADOW:
        fact = f"Under the strategy {strategy} there is no off-peak"
        raise UsageError(fact, remedy="Leave it out, or name shadow")
    if order.rules is not None and strategy is Strategy.BLUE_GREEN:
        fact = "The strategy blue-green takes no rules and no stages: only a person switches it"
        raise UsageError(fact, remedy="Leave them out, or name canary")
    if order.rules is not None and order.rules.stages != RolloutRules().stages and strategy is not Strategy.CANARY:
        fact = f"The strategy {strategy} has no stages"
        raise UsageError(fact, remedy="Leave the stages out, or name canary")


def changed(state: RolloutState, action: RolloutAction, now: float) -> RolloutState:
    """What an action makes of a state; of `start` see `started`.

    Raises
    ------
    RolloutError
        When it is not to be had in this state.
    """
    if state.challenger is None:
        return _taken_back(state, action, now)
    if action is RolloutAction.PROMOTE:
        return _ended(state, state.challenger, now)
    if action is RolloutAction.ROLLBACK:
        return _ended(state, state.champion, now)
    if action is RolloutAction.PAUSE or action is RolloutAction.RESUME:
        if state.paused is (action is RolloutAction.PAUSE):
            fact = f"The rollout of {state.model} is {'paused already' if state.paused else 'not paused'}"
            raise RolloutError(fact, remedy="Ask for its status")
        return state.replace(paused=not state.paused)
    if action is RolloutAction.SWITCH and state.strategy is Strategy.BLUE_GREEN:
        return state.replace(share=ALL - state.share, since=now)
    if action is RolloutAction.ADVANCE and state.strategy is Strategy.CANARY:
        stage = state.stage + 1
        if stage == len(state.rules.stages):
            fact = f"The rollout of {state.model} is in its last stage"
            raise RolloutError(fact, remedy="Promote the challenger, or roll it back")
        return state.replace(stage=stage, share=state.rules.stages[stage], since=now)
    fact = f"The strategy {state.strategy} has no {action}"
    raise RolloutError(fact, remedy="A canary advances, blue-green switches; each can be promoted and rolled back")


def _ended(state: RolloutState, champion: SlotPackage, now: float) -> RolloutState:
    return state.replace(
        strategy=Strategy.SINGLE, champion=champion, challenger=None, share=0.0, stage=0, since=now, paused=False
    )


def _taken_back(state: RolloutState, action: RolloutAction, now: float) -> RolloutState:
    """A promotion can be rolled back when it is done, too."""
    last = state.decisions[-1] if state.decisions else None
    if action is RolloutAction.ROLLBACK and last is not None and last.action is RolloutAction.PROMOTE:
        return _ended(state, last.champion, now)
    fact = f"There is no rollout of {state.model} under way"
    raise RolloutError(fact, remedy="Start one, with a package that the server has as another version of the model")
