"""The shape of every protocol: a body becomes a question, an answer or an error becomes a document."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, runtime_checkable
from typing import Protocol as Shape

import msgspec

from cellops.data.decoder import Columns, Decoder
from cellops.errors import CellopsError
from cellops.packaging.predictor import Predictions
from cellops.records.base import Value
from cellops.records.contract import Schema
from cellops.serving.errors import said, sentence
from cellops.serving.limits import Content, Limits
from cellops.serving.protocols.operation import SAYING, JSONSchema, Operation, record

Document = dict[str, Any] | str


@dataclass(frozen=True, slots=True)
class MixedDocument:
    """A document with bytes behind it."""

    head: dict[str, Any]
    tail: bytes
    media_type: str
    length_header: bytes
    """The header that says how long the document itself is."""


@dataclass(frozen=True)
class Served:
    """The model that a protocol speaks of."""

    name: str
    version: str
    platform: str
    decoder: Decoder
    limits: Limits
    names: tuple[str, ...] = ()
    """All models of the server, this one among them."""
    versions: tuple[str, ...] = ()
    """All versions of this model that the server has."""
    is_default: bool = True
    """Whether this version answers who names none."""
    is_first: bool = True
    """Whether this model answers who names none."""

    @property
    def schema(self) -> Schema:
        return self.decoder.schema

    def paths(self, models: str) -> list[str]:
        """Where this version stands below the path of all models: the default one also where the model itself does."""
        own = f"{models}/{self.name}"
        version = f"{own}/versions/{self.version}"
        return [own, version] if self.is_default else [version]


class Question(msgspec.Struct, frozen=True):
    """What a request asks, without its protocol."""

    columns: Columns
    absent: tuple[str, ...] = ()
    """Inputs that may be missing, of which the request says nothing."""
    request_id: str | None = None
    """The id that stands in the body, for protocols that have one."""
    outputs: tuple[str, ...] = ()
    """The outputs asked for, by name; empty asks for all that the protocol gives."""
    binary: frozenset[str] = frozenset()
    """Those of them that are wanted as bytes, for protocols that can."""
    explained_class: Value = None
    """Which class an explanation is to speak of; None leaves it to the server."""


class Body(msgspec.Struct, frozen=True):
    """The body of a request and what its headers say of it."""

    content: Content
    media_type: str | None
    """Without parameters, in lower case; None when the request names none."""
    headers: Mapping[bytes, bytes]
    request_id: str = ""
    """The client's, else the server's own."""
    prediction_id: str = ""
    """The server's own id of its answer; unlike a client's, it is never used twice."""
    client: str = ""
    """The name of the token that came with it."""
    address: str = ""
    """Where it came from."""


class Protocol(Shape):
    """One protocol for one version of a model; that of the first model speaks for the server, too."""

    name: str
    """As metrics and logs call it."""
    prefix: str
    """Paths below this are this protocol's, also those that do not exist."""

    def __init__(self, served: Served) -> None: ...

    def ask_paths(self) -> Iterable[str]:
        """Where questions are sent (POST)."""

    def documents(self) -> Mapping[str, Document]:
        """What can be read (GET), by path."""

    def probes(self) -> Mapping[str, Document]:
        """What says that requests are answered, by path."""

    def decode(self, body: Body) -> Question:
        """Read a question; every refusal is a `CellopsError`."""

    def encode(self, question: Question, predictions: Predictions) -> Document | MixedDocument:
        """The answer to a question."""

    def error(self, error: CellopsError, status: int) -> Document:
        """How this protocol says an error."""

    def operations(self) -> Mapping[str, Operation]:
        """What is asked where, for the OpenAPI document."""

    def error_schema(self) -> JSONSchema:
        """What describes an error of this protocol."""


@runtime_checkable
class Explaining(Protocol, Shape):
    """A protocol that knows explanations."""

    def explain_paths(self) -> Iterable[str]:
        """Where explanations are asked for (POST)."""

    def decode_explained(self, body: Body) -> Question:
        """Read a question for explanations: as `decode` does, and of which class."""

    def encode_explanations(self, predictions: Predictions, explanations: Sequence[Mapping[str, Any]]) -> Document:
        """The answer to a question for explanations, one for each row."""


ERROR: JSONSchema = record({"error": {"type": "string"}, **SAYING}, "error", "code")
"""What describes `error_document`."""


def error_document(error: CellopsError) -> Document:
    """An error as KServe and Open Inference say it, with what a screen needs beside the sentence."""
    return {"error": sentence(error), **said(error)}
