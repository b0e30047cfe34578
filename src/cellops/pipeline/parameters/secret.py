"""A parameter whose value no record holds: from a text, a variable or a file."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cellops.capture.secrets import Secret


@dataclass(frozen=True)
class SecretKind:
    """A secret from a text, which can name where it stands: `env:TOKEN`, `file:token.txt`; no error repeats it."""

    def check(self, value: object) -> object:
        if not isinstance(value, str):
            problem = f"a text is expected, a value of type {type(value).__name__} was received"
            raise ValueError(problem)  # noqa: TRY004 - as every value that does not fit its type
        text = value if type(value) is Secret else _from_its_place(value)
        if not text.strip():
            problem = "Secret is expected, an empty text was received"
            raise ValueError(problem)
        return Secret(text)

    def parts(self) -> "Iterator[SecretKind]":
        yield self


def _from_its_place(given: str) -> str:
    place, _, name = given.partition(":")
    if place == "env":
        if name not in os.environ:
            problem = f"the environment has no variable {name}"
            raise ValueError(problem)
        return os.environ[name]
    if place == "file":
        try:
            return Path(name).expanduser().read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            problem = f"the file {name} cannot be read: {error.strerror if isinstance(error, OSError) else 'no text'}"
            raise ValueError(problem) from error
    return given
