"""The rollout of one model in one process of a server: it follows the state on the disk, counts, judges and decides."""

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cellops.errors import NotFoundError, UsageError
from cellops.records.rollout import (
    ALL,
    AUTOMATIC,
    Decision,
    Evidence,
    RolloutAction,
    RolloutOrder,
    RolloutState,
    RolloutView,
    SlotPackage,
    Strategy,
    Verdict,
)
from cellops.serving.division import Traffic
from cellops.serving.errors import RolloutError
from cellops.serving.model import Model
from cellops.serving.rollout.files import RolloutFiles, Stamp
from cellops.serving.rollout.judge import judge
from cellops.serving.rollout.ledger import Ledger
from cellops.serving.rollout.plan import Plan, require_alike
from cellops.serving.rollout.quality import Quality, loss_of
from cellops.serving.rollout.transitions import changed, started
from cellops.serving.rollout.user_key import UserKey
from cellops.serving.shadow.shadow import Shadow
from cellops.serving.strategies import STRATEGIES

KEPT = 20
"""Decisions that the state holds beside the log of all."""
ASKED = "Asked for"
Shadowed = Callable[[RolloutState, Model, Ledger], Shadow]
START = "the start of the server"
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Act:
    """What is done, by whom and why."""

    action: RolloutAction
    who: str
    why: str
    verdict: Verdict | None = None
    evidence: Evidence | None = None


class Rollout:
    """Divides the traffic of a model.

    Parameters
    ----------
    name
        Of the model.
    folder
        Where it logs.
    patience
        Seconds after which a request counts as failed.
    put
        Divides the traffic from now on.
    shadowed
        Begins to show requests to the challenger of a state.
    """

    def __init__(
        self, name: str, folder: Path, patience: float, put: Callable[[str, Traffic], None], shadowed: Shadowed
    ) -> None:
        self.name = name
        self._files = RolloutFiles(folder)
        self._patience = patience
        self._put = put
        self._shadowed = shadowed
        self._shadow: Shadow | None = None
        self._state: RolloutState | None = None
        self._stamp: Stamp = None
        self._ledger = Ledger(patience)
        self._quality: Quality | None = None
        self._since: float | None = None

    def promoted(self, digests: Sequence[str]) -> SlotPackage | None:
        """The champion, where it was promoted in the place of one of these packages and is none of them itself."""
        state = self._files.read()
        if state is None or state.champion.digest in digests:
            return None
        before = [each.champion.digest for each in state.decisions if each.action is RolloutAction.PROMOTE]
        return state.champion if set(before) & set(digests) else None

    def open(self, models: Sequence[Model], plan: Plan | None) -> Traffic | None:
        """How the traffic is divided when the server starts: as when it ended, else as is planned.

        Parameters
        ----------
        models
            All versions of the model, the default one last; where there is a plan, its challenger after that.

        Raises
        ------
        UsageError, RolloutError
            When the plan cannot be carried out, or the state on the disk cannot be read.
        """
        with self._files.held(wait=True):
            state = self._files.read()
            known = {model.digest: model for model in models}
            if plan is not None:
                state = self._planned(state, models, plan)
            elif state is not None and state.champion.digest not in known:
                state = None  # other packages than those that the rollout was of
            elif state is not None and state.challenger is not None and state.challenger.digest not in known:
                why = "The server was started without the challenger"
                after = changed(state, RolloutAction.ROLLBACK, time.time())
                state = self._decided(state, after, Act(RolloutAction.ROLLBACK, START, why))
            self._state, self._stamp = state, self._files.stamp()
        return None if state is None else self._traffic(state, known)

    def follow(self, models: Sequence[Model]) -> None:
        """Divide as the state says, if another process has changed it."""
        stamp = self._files.stamp()
        if stamp != self._stamp:
            self._stamp, self._state = stamp, self._files.read()
            if self._state is not None:
                self._divide(self._state, models)

    def count(self) -> None:
        """Say to other processes what was counted here."""
        if self._state is not None and self._state.challenger is not None:
            self._files.count(self._state.since, self._ledger.evidence())

    def learn(self) -> None:
        """Say what labels tell of the stage, unless another process has the turn; always called in the same thread."""
        quality = self._quality
        if quality is not None and self._files.take_turn() and quality.look():
            self._files.count_quality(quality.since, quality.evidence)

    def judge(self, models: Sequence[Model]) -> None:
        """Do what the evidence says, unless another process is at it."""
        if self._state is None or self._state.challenger is None or self._state.paused:
            return
        with self._files.held(wait=False) as held:
            if not held:
                return
            self.follow(models)
            state = self._state
            if state.challenger is None or state.paused:
                return
            verdict, evidence = self._verdict(state, whole=False)
            if verdict.action is None:
                return
            action, after = verdict.action, changed(state, verdict.action, time.time())
            whole = judge(state.rules, state, evidence, time.time())
            self._change(state, after, Act(action, AUTOMATIC, verdict.why, whole, evidence), models)

    def order(self, order: RolloutOrder, who: str, models: Sequence[Model]) -> None:
        """Do what a person asks.

        Raises
        ------
        RolloutError
            When it is not to be had.
        UsageError
            When the challenger has another contract.
        """
        with self._files.held(wait=True):
            self.follow(models)
            state = self._now(models)
            if order.action is RolloutAction.START:
                challenger, champion = _meant(order.challenger, models), _of(state.champion, models)
                require_alike(champion.package, challenger.package)
                UserKey(order.key, champion.plane.contract.schema)
                after = started(state, order, _slot(challenger), time.time())
                self._change(state, after, Act(order.action, who, order.why or ASKED), models)
                return
            after = changed(state, order.action, time.time())
            _of(after.champion, models)
            verdict, evidence = self._verdict(state)
            self._change(state, after, Act(order.action, who, order.why or ASKED, verdict, evidence), models)

    def view(self, models: Sequence[Model]) -> RolloutView:
        """What is known now; it is still known after a crash, where the disk takes it."""
        self.follow(models)
        with suppress(OSError):
            self.count()
        state = self._now(models)
        verdict, evidence = self._verdict(state)
        return RolloutView(state=state, evidence=evidence, verdict=verdict, now=time.time())

    def _now(self, models: Sequence[Model]) -> RolloutState:
        """The state; where another package has been loaded in the place of the last champion, that is it."""
        default, state = _single(self.name, models[-1]), self._state
        if state is None:
            return default
        if state.challenger is None and state.champion.digest not in {model.digest for model in models}:
            return default.replace(decisions=state.decisions)
        return state

    def close(self) -> None:
        """Show nothing to the challenger any more, and leave the labels to other processes."""
        self._end_shadow()
        self._quality = None
        self._files.end_turn()

    def _end_shadow(self) -> None:
        if self._shadow is not None:
            self._shadow.close()
            self._shadow = None

    @property
    def state(self) -> RolloutState | None:
        """None where there was never a rollout of these packages."""
        return self._state

    def _verdict(self, state: RolloutState, *, whole: bool = True) -> tuple[Verdict, Evidence]:
        """What follows from what all processes have counted; whole with the intervals, which take longer to find."""
        evidence = self._files.counted(state.since, self._ledger.evidence())
        return judge(state.rules, state, evidence, time.time(), whole=whole), evidence

    def _planned(self, state: RolloutState | None, models: Sequence[Model], plan: Plan) -> RolloutState:
        """The state with the planned challenger: the rollout of the two goes on, has ended, or begins."""
        champion, challenger = models[-2], models[-1]
        order = plan.order
        strategy = order.strategy or Strategy.CANARY
        require_alike(champion.package, challenger.package)
        UserKey(order.key, champion.plane.contract.schema)
        pair = (champion.digest, challenger.digest)
        if state is not None and state.challenger is not None:
            if (state.champion.digest, state.challenger.digest) == pair:
                if state.strategy is not strategy:
                    fact = f"A rollout of these packages is under way by the strategy {state.strategy}"
                    raise UsageError(fact, remedy=f"Serve with --strategy {state.strategy}, or end it before")
                return state
            state = None
        if state is not None and _has_ended(state, pair, strategy):
            return state
        before = _single(self.name, champion)
        if state is not None:
            before = before.replace(decisions=state.decisions)
        after = started(before, order, _slot(challenger), time.time())
        return self._decided(before, after, Act(RolloutAction.START, START, "Asked for on the command line"))

    def _change(self, before: RolloutState, after: RolloutState, act: "Act", models: Sequence[Model]) -> None:
        try:
            self._state = self._decided(before, after, act)
        except OSError:
            if act.action is RolloutAction.ROLLBACK:
                # A full disk keeps no bad challenger at work; a server that begins anew judges it once more.
                self._state = after
                self._divide(after, models)
            raise
        self._stamp = self._files.stamp()
        self._divide(self._state, models)
        if after.since != before.since:
            self._files.forget(after.since)
        logger.warning("Rollout of %s by %s: %s. %s", self.name, act.who, act.action, act.why)

    def _decided(self, before: RolloutState, after: RolloutState, act: "Act") -> RolloutState:
        """The state that holds, when the decision has been written down and then the state."""
        decision = Decision(
            when=time.time(),
            who=act.who,
            action=act.action,
            why=act.why,
            model=self.name,
            strategy=before.strategy if before.challenger else after.strategy,
            before=ALL if before.challenger is None and act.action is RolloutAction.ROLLBACK else before.share,
            after=ALL if act.action is RolloutAction.PROMOTE else after.share,
            champion=before.champion,
            challenger=before.challenger or after.challenger,
            evidence=act.evidence,
            comparisons=act.verdict.comparisons if act.verdict else (),
        )
        holds = after.replace(decisions=(*before.decisions, decision)[-KEPT:])
        self._files.note(decision)
        self._files.write(holds)
        return holds

    def _divide(self, state: RolloutState, models: Sequence[Model]) -> None:
        self._put(self.name, self._traffic(state, {model.digest: model for model in models}))

    def _traffic(self, state: RolloutState, known: dict[str, Model]) -> Traffic:
        champion = known.get(state.champion.digest)
        if state.since != self._since:  # what was counted before a pause counts after it, too
            self._since = state.since
            self._ledger = Ledger(self._patience)
            self._quality = self._judged(state, champion)
            self._end_shadow()
            if champion is not None and state.challenger is not None and state.strategy is Strategy.SHADOW:
                self._shadow = self._shadowed(state, champion, self._ledger)
        return Traffic(
            state.champion.digest,
            state.challenger.digest if state.challenger else None,
            STRATEGIES[state.strategy](state.share, state.salt),
            state.key,
            self._ledger,
            self._shadow,
            state.share,
        )

    def _judged(self, state: RolloutState, champion: Model | None) -> Quality | None:
        """What adds up the losses of a stage; None where there is nothing to compare."""
        loss = loss_of(champion.package.contract) if champion is not None else None
        if loss is None or state.challenger is None:
            self._files.let_go()
            return None
        self._files.hold(state.since)
        return Quality(self._files.folder, state, loss)


def _single(name: str, champion: Model) -> RolloutState:
    return RolloutState(model=name, champion=_slot(champion))


def _slot(model: Model) -> SlotPackage:
    return SlotPackage(path=str(model.package.path), version=model.version, digest=model.digest)


def _has_ended(state: RolloutState, pair: tuple[str, str], strategy: Strategy) -> bool:
    """Whether the last rollout was of these two packages and has ended; by another strategy a champion begins anew."""
    for each in reversed(state.decisions):
        if each.challenger is not None:
            same = (each.champion.digest, each.challenger.digest) == pair
            return same and (each.strategy is strategy or state.champion.digest != pair[0])
    return False


def _meant(named: str | None, models: Sequence[Model]) -> Model:
    if not named:
        fact = "The order names no challenger"
        raise UsageError(fact, remedy=f"Name a version: {', '.join(model.version for model in models)}")
    for named_by in (_exactly, _by_folder):
        found = [model for model in models if named in named_by(model)]
        if len(found) == 1:
            return found[0]
    fact = f"The server has no version {named} of {models[-1].name}"
    versions = ", ".join(f"{model.version} ({model.package.path.name})" for model in models)
    raise NotFoundError(fact, remedy=f"Its versions are {versions}")


def _exactly(model: Model) -> tuple[str, ...]:
    return model.version, model.digest, str(model.package.path)


def _by_folder(model: Model) -> tuple[str, ...]:
    return (model.package.path.name,)


def _of(slot: SlotPackage, models: Sequence[Model]) -> Model:
    found = next((model for model in models if model.digest == slot.digest), None)
    if found is None:
        fact = f"The package {slot.version} of {models[-1].name} is not at work any more"
        raise RolloutError(fact, remedy="Start the server with it")
    return found
