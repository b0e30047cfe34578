"""Where the labels of a review go: into the label log of a folder, or to a server that keeps one."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import numpy as np

from cellops.data.arrays import build_column
from cellops.errors import CredentialsError, InputError, UsageError
from cellops.monitoring import label_log
from cellops.monitoring.log_types import label_kind
from cellops.monitoring.segments import SegmentWriter
from cellops.records.base import Value
from cellops.records.contract import Field, Schema
from cellops.settings import without_credentials

FEEDBACK = "feedback"
PATIENCE = 30
AT_ONCE = 1000
"""Labels in one request; servers take a hundred times as many unless they are told otherwise."""
REFUSED = (401, 403)
LONGEST_ANSWER = 100_000


@dataclass(frozen=True, slots=True)
class GivenLabel:
    prediction_id: str
    label: Value
    reviewer: str
    time: int
    """When it was given, in nanoseconds since the epoch."""


class LabelSink(Protocol):
    """Takes labels; what it cannot take it says at once or at its end."""

    @property
    def place(self) -> str:
        """Where the labels go, as a person reads it."""

    def take(self, labels: Sequence[GivenLabel]) -> None:
        """Keep labels."""

    def close(self) -> None:
        """Let nothing wait; closing again does nothing."""


class FolderLabels:
    """The label log in a folder, beside servers that may write it too; its file is made with the first label."""

    def __init__(self, folder: Path, schema: Schema) -> None:
        self.place = str(folder)
        self._folder, self._schema = folder, schema
        self._field = Field(name="label", kind=label_kind(schema), dtype="object", nullable=False)
        self._writer: SegmentWriter[label_log.Labelled] | None = None

    def take(self, labels: Sequence[GivenLabel]) -> None:
        """Write labels.

        Raises
        ------
        UsageError
            When the folder cannot be written to.
        InputError
            When the disk does not take them.
        """
        if self._writer is None:
            self._writer = label_log.open_writer(self._folder, self._schema, flush_seconds=0.1, segment_rows=100_000)
        values, _ = build_column(self._field, [each.label for each in labels])
        entry = label_log.Labelled(
            prediction_ids=[each.prediction_id for each in labels],
            labels=np.asarray(values),
            observed=[each.time for each in labels],
            received=time.time_ns(),
            reviewers=[each.reviewer for each in labels],
        )
        self._writer.append(entry, len(labels))
        self._require_kept(self._writer)

    def close(self) -> None:
        """Write what waits; `InputError` when the disk does not take it."""
        if self._writer is not None:
            self._writer.close()
            self._require_kept(self._writer)

    def _require_kept(self, writer: SegmentWriter[label_log.Labelled]) -> None:
        if writer.lost_rows:
            fact = f"{writer.lost_rows} labels could not be written to {self._folder}"
            raise InputError(fact, remedy="See that the disk has room, and review the rows again")


class ServerLabels:
    """`POST /feedback` of a server; whether it lets this token give labels is asked before a person begins.

    Raises
    ------
    UsageError
        When the address is none.
    CredentialsError
        When the server takes no labels from this token.
    InputError
        When it does not answer.
    """

    def __init__(self, url: str, token: str | None) -> None:
        self.place = without_credentials(url)
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            fact = "This is no address of a server"
            raise UsageError(fact, received=self.place, remedy="Give http://HOST:PORT")
        has_path = FEEDBACK in parts.path.split("/")
        self._url = url if has_path else f"{url.rstrip('/')}/{FEEDBACK}"
        self._token = token
        # No list of labels is refused, after the token was looked at.
        self._ask({"labels": []})

    def take(self, labels: Sequence[GivenLabel]) -> None:
        """Send labels.

        Raises
        ------
        CredentialsError, InputError
            When the server does not take them.
        """
        for first in range(0, len(labels), AT_ONCE):
            body = {"labels": [_document(each) for each in labels[first : first + AT_ONCE]]}
            status, said = self._ask(body)
            if status != 200:  # noqa: PLR2004 - all went well
                fact = f"{self.place} does not take the labels ({status}): {said}"
                raise InputError(fact, remedy="Correct what it says, and give the labels again")

    def close(self) -> None:
        """Nothing waits."""

    def _ask(self, body: dict[str, Any]) -> tuple[int, str]:
        headers = {"Content-Type": "application/json"}
        headers |= {"Authorization": f"Bearer {self._token}"} if self._token else {}
        request = urllib.request.Request(self._url, json.dumps(body).encode(), headers)  # noqa: S310 - http, as was seen
        try:
            # A token goes where it was meant to go, and to no other place that an answer names.
            with urllib.request.build_opener(_NoRedirect).open(request, timeout=PATIENCE) as answer:
                return answer.status, ""
        except urllib.error.HTTPError as error:
            said = _sentence(error.read(LONGEST_ANSWER))
            if error.code in REFUSED:
                fact = f"{self.place} takes no labels from you: {said}"
                remedy = "Set CELLOPS_SERVER_TOKEN to one that does: cellops token new NAME --scope feedback"
                raise CredentialsError(fact, remedy=remedy, given=self._token is not None) from None
            return error.code, said
        except OSError as error:
            fact = f"{self.place} does not answer: {getattr(error, 'reason', error)}"
            raise InputError(fact, remedy="See that the server runs and the address is right") from error


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        return None


def _document(given: GivenLabel) -> dict[str, Any]:
    observed = datetime.fromtimestamp(given.time / 1e9, UTC).isoformat()
    return {
        "prediction_id": given.prediction_id,
        "label": given.label,
        "observed": observed,
        "reviewer": given.reviewer,
    }


def _sentence(content: bytes) -> str:
    """What a server says of an error, in whatever words of its protocol."""
    try:
        said = json.loads(content)["error"]
        return str(said.get("message", said) if isinstance(said, dict) else said).rstrip(".")
    except (ValueError, LookupError, TypeError):
        return "no reason was given"
