"""The files that sqlite writes of a database, by the name that it is opened with."""

import os
import re
from typing import Any
from urllib.parse import unquote

BESIDE_A_DATABASE = ("", "-wal", "-shm", "-journal")
URI = re.compile(r"file:(?://(?:localhost)?(?=/))?(?P<path>[^?#]*)(?:\?(?P<options>[^#]*))?(?:#.*)?", re.DOTALL)
READ_ONLY = re.compile(r"mode=(?:ro|memory)$|immutable=1$")


def of_database(given: tuple[Any, ...]) -> tuple[object, ...]:
    """A database with what stands beside it; one that is named as `file:` may also be a file of that very name."""
    name = given[0]
    text = os.fsdecode(name) if isinstance(name, str | bytes | os.PathLike) else ""
    places = dict.fromkeys([text, *filter(None, [_of_uri(text)])])
    return tuple(place + end for place in places if place and place[0] != ":" for end in BESIDE_A_DATABASE)


def _of_uri(text: str) -> str | None:
    """The path of sqlite's `file:` addresses (https://www.sqlite.org/uri.html); None where nothing can be written."""
    uri = URI.fullmatch(text)
    if uri is None or any(READ_ONLY.match(unquote(option)) for option in (uri["options"] or "").split("&")):
        return None
    return unquote(uri["path"])
