"""The models of a server: a table that never changes, of which a request sees one state from its start to its end."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import orjson

from cellops.errors import CellopsError, NotFoundError, UsageError
from cellops.serving import openapi
from cellops.serving.division import Division
from cellops.serving.errors import UnsupportedError
from cellops.serving.metrics import Metrics, ModelMetrics
from cellops.serving.model import Model
from cellops.serving.protocols import PROTOCOLS
from cellops.serving.protocols.protocol import Explaining, Protocol, Served
from cellops.serving.replies import Reply
from cellops.serving.routes import (
    OPEN,
    Handler,
    Route,
    asking,
    explaining,
    measuring,
    probing,
    reading,
    sharing,
    sharing_explanations,
    taking,
)
from cellops.serving.ui.routes import front, page_paths, page_routes

REPOSITORY = "/v2/repository/"
SHOWN_PATHS = 6
"""Those that an unknown path is answered with: there are several for each model."""
MODEL_PATH = re.compile(r"/v[12]/models/([^/:]+)(?:/versions/([^/:]+))?(.*)")


class Models:
    """What the public port answers.

    Parameters
    ----------
    models
        At least one. Of several with one name each is a version, and the last of them the default; the first name is
        what answers those who name none.
    metrics
        Read at /metrics.
    reports
        The folder in which drift reports lie, in one for each model.
    champions
        The default versions of models of which the last is not.
    divisions
        How models share the questions to those who name no version.

    Raises
    ------
    UsageError
        When one version is given twice.
    """

    def __init__(
        self,
        models: Sequence[Model],
        metrics: Metrics,
        reports: Path | None = None,
        champions: Sequence[Model] = (),
        divisions: Sequence[Division] = (),
    ) -> None:
        self.all = tuple(models)
        self.defaults = {model.name: model for model in (*self.all, *champions)}
        """The version that answers who names none, by the model's name."""
        self.first = next(iter(self.defaults.values()))
        for place, model in enumerate(self.all):
            if any(other.key == model.key for other in self.all[:place]):
                fact = f"The package {model.name} is given twice in the version {model.version}"
                raise UsageError(fact, remedy="Give each version of a model once")
        self._measured = metrics
        self._reports = reports
        self._divisions = {division.models[0]: division for division in divisions}
        self._protocols = {model: self._spoken(model) for model in self.all}
        self._words = self._protocols[self.first]
        self.routes: Mapping[str, Route] = self._all_routes()

    @property
    def metrics(self) -> ModelMetrics:
        """Requests by which no model is asked are counted for the first."""
        return self.first.metrics

    def versions(self, name: str) -> tuple[str, ...]:
        return tuple(model.version for model in self.all if model.name == name)

    def protocol_of(self, path: str) -> Protocol:
        """In whose words errors are said, also for paths that do not exist."""
        return next((protocol for protocol in self._words if path.startswith(protocol.prefix)), self._words[0])

    def find(self, path: str) -> Route | None:
        return self.routes.get(path)

    def missing(self, path: str) -> CellopsError:
        """What is wrong with a path that has no route."""
        if path.startswith(REPOSITORY):
            fact = "Models are not loaded by this port"
            return NotFoundError(fact, remedy="Ask on the one that --admin-port names")
        name, version, rest = found.groups() if (found := MODEL_PATH.fullmatch(path)) else (None, None, "")
        if name is not None and name not in self.defaults:
            fact = "There is no such model here"
            return NotFoundError(fact, remedy=_listed("model", tuple(self.defaults)))
        if name is not None and version is not None and version not in self.versions(name):
            fact = f"There is no such version of {name} here"
            return NotFoundError(fact, remedy=_listed("version", self.versions(name)))
        if rest == "/explain" and path.startswith("/v2/"):
            fact = "Open Inference has no explanations"
            return UnsupportedError(fact, remedy=f"Ask for them at /v1/models/{name}:explain")
        fact = "There is no such path here"
        asked = [path for path, route in self.routes.items() if route.method == "POST" and "/versions/" not in path]
        near = sorted(asked, key=lambda each: f"/{name}" not in each)[:SHOWN_PATHS]
        return NotFoundError(fact, remedy=f"Questions go to {', '.join(near)}; {openapi.PATH} has all paths")

    def _spoken(self, model: Model) -> tuple[Protocol, ...]:
        served = self._served(model, is_default=model is self.defaults[model.name])
        return tuple(protocol(served) for protocol in PROTOCOLS)

    def _served(self, model: Model, *, is_default: bool) -> Served:
        return Served(
            name=model.name,
            version=model.version,
            platform=model.platform,
            decoder=model.decoder,
            limits=model.limits,
            names=tuple(self.defaults),
            versions=self.versions(model.name),
            is_default=is_default,
            is_first=is_default and model is self.first,
        )

    def _all_routes(self) -> dict[str, Route]:
        words = self._words[0]
        routes = {
            "/": Route("live", "GET", words, front(Reply(200, orjson.dumps(self._live))), in_thread=False),
            "/metrics": measuring(words, self._measured),
            openapi.PATH: Route("openapi", "GET", words, self._described(), in_thread=False, models=self.all),
            openapi.FEEDBACK: taking(words, tuple(self.defaults.values())),
        }
        routes |= {path: taking(words, (model,)) for model in self.all for path in self._feedback_paths(model)}
        roles = {model: role for each in self._divisions.values() for model, role in each.roles.items()}
        routes |= page_routes(words, self.all, self.defaults, roles, self._measured, reports=self._reports)
        for model in self.all:
            for protocol in self._protocols[model]:
                routes |= reading(protocol, protocol.documents())
                routes |= probing(protocol, model, self.all)
                routes |= asking(protocol, model)
                routes |= explaining(protocol, model)
        for division in self._divisions.values():
            routes |= self._divided(division)
        return routes

    def _divided(self, division: Division) -> dict[str, Route]:
        """Routes of questions that name no version."""
        routes: dict[str, Route] = {}
        for spoken in zip(*(self._protocols[model] for model in division.models), strict=True):
            words = dict(zip(division.models, spoken, strict=True))
            first = spoken[0]
            pinned = type(first)(self._served(division.models[0], is_default=False))
            asked = [path for path in first.ask_paths() if path not in pinned.ask_paths()]
            routes |= dict.fromkeys(asked, sharing(words, division))
            if isinstance(first, Explaining) and isinstance(pinned, Explaining):
                asked = [path for path in first.explain_paths() if path not in pinned.explain_paths()]
                routes |= dict.fromkeys(asked, sharing_explanations(first, division))
        return routes

    @property
    def _live(self) -> dict[str, object]:
        """The status is what KServe's own client asks for."""
        return {"name": self.first.name, "live": True, "status": "alive"}

    def _feedback_paths(self, model: Model) -> tuple[str, ...]:
        """Where labels go that are this model's, whoever made their prediction ids."""
        if model is not self.defaults[model.name]:
            return ()
        return (openapi.FEEDBACK,) if len(self.defaults) == 1 else (f"{openapi.FEEDBACK}/{model.name}",)

    def _described(self) -> Handler:
        """The OpenAPI document, made when it is first asked for."""

        @cache
        def made() -> Reply:
            documents = {
                f"{model.name}.{model.version}": openapi.document(
                    model.plane.contract,
                    model.limits,
                    name=model.name,
                    version=model.version,
                    protocols=self._protocols[model],
                    readable={"/": self._live, "/metrics": ""} if model is self.first else {},
                    is_open=OPEN,
                    feedback=self._feedback_paths(model),
                    more=page_paths() if model is self.first else {},
                )
                for model in self.all
            }
            return Reply(200, orjson.dumps(openapi.merged(documents, self.first.limits)))

        return lambda _body, _received: made()


def _listed(word: str, names: tuple[str, ...]) -> str:
    return f"The {word} is {names[0]}" if len(names) == 1 else f"The {word}s are {', '.join(names)}"
