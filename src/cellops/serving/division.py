"""Two models that share the traffic of one name: each request is answered by one of them as a whole."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cellops.data.decoder import Columns
from cellops.errors import CellopsError, DeadlineError, InputError
from cellops.packaging.predictor import Predictions
from cellops.serving.dataplane import Call
from cellops.serving.errors import InferenceError
from cellops.serving.headers import Headers
from cellops.serving.model import Model
from cellops.serving.rollout.ledger import Ledger
from cellops.serving.rollout.user_key import UserKey
from cellops.serving.shadow.shadow import Shadow
from cellops.serving.strategies.strategy import Asker, Slot, Strategy


@dataclass(frozen=True)
class Traffic:
    """How the traffic of a model is to be divided, whatever has been loaded for it."""

    champion: str
    """Digest of the package."""
    challenger: str | None
    strategy: Strategy
    key: str
    """The input or header that says of which user a request is."""
    ledger: Ledger
    """Where is counted what both do."""
    shadow: Shadow | None = None
    """Where the challenger is shown what the champion answers."""
    share: float = 0.0
    """Percent of the traffic that the challenger takes, or is shown."""


class Division:
    """Chooses who answers, and counts how it went.

    Parameters
    ----------
    traffic
        How the traffic is divided.
    champion, challenger
        The models at work; what clients send is read as the champion's contract says.
    """

    def __init__(self, traffic: Traffic, champion: Model, challenger: Model) -> None:
        self.models = (champion, challenger)
        self._slots = {Slot.CHAMPION: champion, Slot.CHALLENGER: challenger}
        self._strategy, self._ledger, self._shadow = traffic.strategy, traffic.ledger, traffic.shadow
        self._key = UserKey(traffic.key, champion.plane.contract.schema)
        self.roles = _roles(traffic, champion, challenger)
        """What each has to do with the traffic, for a person."""

    def asker(self, headers: Headers, columns: Columns, call: Call) -> Asker:
        """Who asks; `InputError` where rows of several users came together."""
        return Asker(call.request_id, self._key.of(headers, columns))

    def choose(self, asker: Asker) -> Slot:
        """Who answers."""
        return self._strategy.choose(asker)

    def show(self, asker: Asker, columns: Columns, call: Call, predictions: Predictions) -> None:
        """Show a request to the challenger that is not to answer it, where the strategy says so."""
        if self._shadow is not None and self._strategy.copies(asker):
            self._shadow.show(columns, call, predictions)

    def model(self, slot: Slot) -> Model:
        return self._slots[slot]

    @contextmanager
    def counted(self, asker: Asker, slot: Slot, columns: Columns, call: Call) -> Iterator["Counting"]:
        """Count what becomes of a request, where chance chose the package.

        One that was refused for what it asked says nothing of a package, unless the other would have taken it.
        """
        if self._strategy.compares(asker):
            self._ledger.begin(call.prediction_id, slot)
        counting = Counting(self._ledger, slot, call.prediction_id)
        try:
            yield counting
        except (InferenceError, DeadlineError, asyncio.CancelledError):
            self._ledger.failed(call.prediction_id, slot)
            raise
        except CellopsError as error:
            if isinstance(error, InputError) and not self._other(slot).plane.refuses(columns):
                self._ledger.failed(call.prediction_id, slot)
            else:
                self._ledger.refused(call.prediction_id, slot)
            raise
        except BaseException:
            self._ledger.failed(call.prediction_id, slot)
            raise

    def _other(self, slot: Slot) -> Model:
        return self._slots[Slot.CHAMPION if slot is Slot.CHALLENGER else Slot.CHALLENGER]


@dataclass(frozen=True, slots=True)
class Counting:
    """One request under way."""

    ledger: Ledger
    slot: Slot
    prediction_id: str

    def answer(self) -> None:
        self.ledger.answered(self.prediction_id, self.slot)


def _roles(traffic: Traffic, champion: Model, challenger: Model) -> dict[Model, str]:
    if traffic.shadow is not None:
        return {champion: "champion, 100%", challenger: f"challenger in the shadow, shown {traffic.share:g}%"}
    return {champion: f"champion, {100 - traffic.share:g}%", challenger: f"challenger, {traffic.share:g}%"}
