"""skops: a zip of arrays and a description of types, loaded only when each type is on an allow-list."""

import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BytesIO
from typing import Any, TypeVar

from cellops.errors import PackageError
from cellops.packaging.formats.base import Trust
from cellops.packaging.formats.checks import audited, check_model
from cellops.packaging.formats.estimators import of_file, skops_io
from cellops.packaging.predictor import Predictor, SklearnPredictor
from cellops.records.contract import Schema

SCHEMA = "schema.json"
ARCHIVE = b"PK"
"""The beginning of what numpy and scipy unpack."""
LOSSES = ("sklearn._loss._loss", "sklearn.linear_model._sgd_fast")
"""What may be restored as a loss function is: by calling it and giving it a state."""
MOST_TIMES = 100
"""How many times its own size a file may be when it is unpacked."""
TRIES = 5
"""How often a file is read that Python, not the file, stands in the way of."""
Read = TypeVar("Read")


class Skops:
    name = "skops"
    file = "model.skops"
    platform = "sklearn_skops"

    def untrusted(self, content: bytes) -> list[str]:
        """Types that skops does not trust of itself, and estimators that it does but whose numbers nobody checks."""
        return sorted(self._read(content)[1])

    def load(self, content: bytes, trust: Trust) -> Any:
        own, untrusted = self._read(content)
        trust.require(untrusted)
        try:
            with of_file(own):
                model = _beside_threads(lambda: skops_io().loads(content, trusted=sorted(untrusted)))
        except Exception as error:  # a file of trusted types can still be put together wrongly
            raise _unreadable(error) from error
        check_model(model)
        return model

    def predictor(self, model: Any, schema: Schema) -> Predictor:
        return SklearnPredictor(model, schema)

    def _read(self, content: bytes) -> tuple[set[str], set[str]]:
        """The types of scikit-learn in the file that its checks cover, and all that are not trusted."""
        try:
            named = {name for name in types_in(content) if name.startswith("sklearn.")}
            own = set(filter(audited, named))
            with of_file(own):
                untrusted = _beside_threads(lambda: skops_io().get_untrusted_types(data=content))
                return own, {*map(str, untrusted), *(named - own)}
        except PackageError:
            raise
        except Exception as error:  # skops states no errors of its own for what is not a skops file
            raise _unreadable(error) from error


def _beside_threads(read: Callable[[], Read]) -> Read:
    """What skops reads, whatever other threads read meanwhile.

    numpy reads the head of each array as a syntax tree, and Python 3.11 and 3.12 count for all threads together how
    deep a tree is: to one of two that read at once it may say by a SystemError that the counts differ.
    """
    for _ in range(TRIES - 1):
        with suppress(SystemError):
            return read()
    return read()


def schema_of(content: bytes) -> dict[str, Any]:
    """The file's own description of what it holds.

    Raises
    ------
    PackageError
        When the file is not one of skops, or would be far larger when it is unpacked.
    """
    try:
        with zipfile.ZipFile(BytesIO(content)) as file:
            problem = _problem(file, len(content))
            schema: dict[str, Any] = {} if problem else json.loads(file.read(SCHEMA))
    except Exception as error:  # a zip can be broken in many ways, and so can JSON
        raise _unreadable(error) from error
    if problem:
        raise _unreadable(ValueError(problem))
    return schema


def _problem(file: zipfile.ZipFile, size: int) -> str:
    held = file.infolist()
    unpacked = sum(entry.file_size for entry in held)
    if unpacked <= MOST_TIMES * size:  # else they are not even looked into
        unpacked += sum(_inside(file, entry) for entry in held)
    if unpacked > MOST_TIMES * size:
        return "it is far larger when unpacked"
    if len({entry.filename for entry in held}) < len(held):
        return "it holds two files of one name"
    return ""


def _inside(file: zipfile.ZipFile, entry: zipfile.ZipInfo) -> int:
    """How large the files of an archive in the file are, whatever it is called: sparse tables are kept as such."""
    with file.open(entry) as inner:
        if inner.read(len(ARCHIVE)) != ARCHIVE:
            return 0
        with zipfile.ZipFile(inner) as packed:
            return sum(part.file_size for part in packed.infolist())


def types_in(content: bytes) -> Iterator[str]:
    """Every type that the file's own description names.

    Raises
    ------
    PackageError
        When the file is not one of skops.
    ValueError
        When the description asks skops for a way of loading that it does not write for that type.
    """
    schema, protocol = schema_of(content), skops_io()._protocol.PROTOCOL
    if schema["protocol"] != protocol:
        text = f"it is of protocol {schema['protocol']}, where this skops writes {protocol}"
        raise ValueError(text)
    waiting: list[Any] = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if "__class__" in node:
                yield _type(node)
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


def _type(node: dict[str, Any]) -> str:
    if node.get("__loader__") == "LossNode" and node.get("__module__") not in LOSSES:
        text = f"it restores {node['__class__']} as if it were a loss function"
        raise ValueError(text)
    return f"{node.get('__module__')}.{node['__class__']}"


def _unreadable(error: Exception) -> PackageError:
    fact = f"{Skops.file} cannot be read as a skops file: {type(error).__name__}: {error}"
    return PackageError(fact, remedy="Package the run again; skops and scikit-learn should be those of its lock")
