"""Whom a request is of: by a header, or by an input that says it."""

import re
from collections.abc import Mapping
from typing import Any

from cellops.data.decoder import Columns
from cellops.errors import InputError, UsageError
from cellops.records.contract import Schema

DEFAULT = "X-User-Key"
HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")


class UserKey:
    """Reads users from requests.

    Parameters
    ----------
    name
        An input of the model, else a header; empty for the header X-User-Key.
    schema
        Which inputs there are.

    Raises
    ------
    UsageError
        When it is neither.
    """

    def __init__(self, name: str, schema: Schema) -> None:
        inputs = [field.name for field in schema.inputs]
        self._column = name if name in inputs else None
        if name and self._column is None and not HEADER.fullmatch(name):
            fact = "The key of users is neither an input of the model nor the name of a header"
            raise UsageError(fact, received=name, remedy=f"The inputs are {', '.join(inputs)}")
        self._header = (name or DEFAULT).lower().encode()

    def of(self, headers: Mapping[bytes, bytes], columns: Columns) -> str | None:
        """The user; None where the request says none.

        Raises
        ------
        InputError
            When its rows are of several users, who may belong to different packages.
        """
        if self._column is None:
            return headers.get(self._header, b"").decode("latin-1") or None
        first, *others = dict.fromkeys(map(_known, columns[self._column].tolist()))
        if others:
            fact = f"Column {self._column}: the rows are of several users, each of whom one package answers"
            raise InputError(fact, remedy="Send the rows of each user by themselves", column=self._column)
        return first


def _known(value: Any) -> str | None:
    """A user as a text; None where the cell says none: it is missing, not a number, or empty."""
    return None if value is None or value != value else str(value) or None  # noqa: PLR0124 - NaN is unlike itself
