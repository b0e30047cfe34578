"""What the admin port answers: the repository extension of the Open Inference Protocol, metrics and probes.

None of the repository's paths is on the public port, and each needs a token of the scope `admin`.
"""

import re
from collections.abc import Mapping
from functools import partial

import msgspec
import orjson

from cellops.errors import CellopsError, InputError, NotFoundError
from cellops.packaging.stopping import unstopped
from cellops.records.rollout import RolloutOrder
from cellops.serving.actions import Action, Actions, Person
from cellops.serving.metrics import ModelMetrics
from cellops.serving.protocols.parsing import parse_object, refuse_unknown
from cellops.serving.protocols.protocol import Body, Protocol
from cellops.serving.replies import Reply, constant
from cellops.serving.routes import Handler, Route, measuring
from cellops.serving.tokens import TokenScope

INDEX = "/v2/repository/index"
MODEL = re.compile(r"/v2/repository/models/([^/]+)/(load|unload)")
ROLLOUT = re.compile(r"/v2/repository/models/([^/]+)/rollout")
NOTHING: Mapping[str, object] = {}


class AdminTable:
    """What administrators may ask.

    Parameters
    ----------
    actions
        Does it.
    """

    def __init__(self, actions: Actions) -> None:
        self._actions = actions
        self._repository = actions.repository

    @property
    def routes(self) -> Mapping[str, Route]:
        words, metrics = self.protocol_of("/v2"), self._repository.metrics
        live = Route("live", "GET", words, constant({"live": True}), in_thread=False)
        ready = Route("ready", "GET", words, constant({"ready": True}), in_thread=False, says_ready=True)
        return {
            "/": live,
            "/v2/health/live": live,
            "/v2/health/ready": ready,
            "/metrics": measuring(words, metrics),
            INDEX: self._asking(self._indexed),
        }

    @property
    def metrics(self) -> ModelMetrics:
        return self._repository.models.metrics

    def find(self, path: str) -> Route | None:
        if rollout := ROLLOUT.fullmatch(path):
            words = self.protocol_of(path)
            handle = partial(self._rolled, rollout[1])
            return Route("rollout", "GET or POST", words, handle, in_thread=True, scope=TokenScope.ADMIN)
        asked = MODEL.fullmatch(path)
        return self._asking(partial(self._acted, Action(asked[2]), asked[1])) if asked else self.routes.get(path)

    def missing(self, path: str) -> CellopsError:  # noqa: ARG002 - the shape of every table
        fact = "There is no such path on the admin port"
        remedy = f"There are {', '.join(self.routes)}, and /v2/repository/models/MODEL/load, /unload and /rollout"
        return NotFoundError(fact, remedy=remedy)

    def protocol_of(self, path: str) -> Protocol:  # noqa: ARG002
        return self._repository.models.protocol_of("/v2")

    def _asking(self, handle: Handler) -> Route:
        return Route("admin", "POST", self.protocol_of("/v2"), handle, in_thread=True, scope=TokenScope.ADMIN)

    def _indexed(self, body: Body, _received: int) -> Reply:
        asked = _object(body)
        refuse_unknown(asked, ("ready",))
        only_ready = asked.get("ready", False)
        if not isinstance(only_ready, bool):
            fact = "The field ready is neither true nor false"
            raise InputError(fact, remedy='Send {"ready": true} for what is at work, or {} for all')
        found = [model for model in self._actions.index() if model["state"] == "READY" or not only_ready]
        return Reply(200, orjson.dumps(found))

    def _rolled(self, model: str, body: Body, _received: int) -> Reply:
        """The rollout of a model, after what is ordered where there is an order."""
        if body.content:
            asked = parse_object(body)
            refuse_unknown(asked, RolloutOrder.__struct_fields__)
            try:
                order = msgspec.convert(asked, RolloutOrder)
            except msgspec.ValidationError as error:
                fact = f"The order is none: {error}"
                raise InputError(fact, remedy='Send {"action": "pause", "why": "..."}, for example') from None
            with unstopped():
                self._actions.roll(model, order, Person(body.client, body.address))
        return Reply(200, self._repository.rollout(model).to_json())

    def _acted(self, action: Action, model: str, body: Body, _received: int) -> Reply:
        # Triton's clients ask to unload what depends on a model; here nothing does.
        asked = _object(body)
        refuse_unknown(asked, ("parameters",))
        if asked.get("parameters") not in (None, {}, {"unload_dependents": False}, {"unload_dependents": True}):
            fact = "Parameters are not taken: a package is loaded as it lies there"
            raise InputError(fact, remedy="Leave the parameters out")
        with unstopped():
            self._actions.act(action, Person(body.client, body.address), model)
        return Reply(200, orjson.dumps(NOTHING))


def _object(body: Body) -> Mapping[str, object]:
    """The body, which may be absent."""
    return parse_object(body) if body.content else NOTHING
