"""skops: a zip of arrays and a description of types, loaded only when each type is on an allow-list."""

import json
import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from cellops.errors import PackageError
from cellops.packaging.formats.base import Trust
from cellops.packaging.formats.checks import audited, check_model
from cellops.packaging.predictor import Predictor, SklearnPredictor
from cellops.records.contract import Schema

SCHEMA = "schema.json"
LOSSES = ("sklearn._loss._loss", "sklearn.linear_model._sgd_fast")
"""What may be restored as a loss function is: by calling it and giving it a state."""
MOST_TIMES = 100
"""How many times its own size a file may be when it is unpacked."""


class Skops:
    name = "skops"
    file = "model.skops"

    def untrusted(self, content: bytes) -> list[str]:
        """Types that skops does not trust of itself, and estimators that it does but whose numbers nobody checks."""
        import skops.io

        try:
            unchecked = [name for name in _types(content) if name.startswith("sklearn.") and not audited(name)]
            return sorted({*map(str, skops.io.get_untrusted_types(data=content)), *unchecked})
        except Exception as error:  # skops states no errors of its own for what is not a skops file
            raise _unreadable(error) from error

    def load(self, content: bytes, trust: Trust) -> Any:
        import skops.io

        untrusted = self.untrusted(content)
        trust.require(untrusted)
        try:
            model = skops.io.loads(content, trusted=untrusted)
        except Exception as error:  # a file of trusted types can still be put together wrongly
            raise _unreadable(error) from error
        check_model(model)
        return model

    def predictor(self, model: Any, schema: Schema) -> Predictor:
        return SklearnPredictor(model, schema)


def _types(content: bytes) -> Iterator[str]:
    """Every type that the file's own description names.

    Raises
    ------
    ValueError
        When the description asks skops for a way of loading that it does not write for that type.
    """
    from skops.io._protocol import PROTOCOL

    with zipfile.ZipFile(BytesIO(content)) as file:
        if sum(entry.file_size for entry in file.infolist()) > MOST_TIMES * len(content):
            text = "it is far larger when unpacked"
            raise ValueError(text)
        schema = json.loads(file.read(SCHEMA))
    if schema["protocol"] != PROTOCOL:
        text = f"it is of protocol {schema['protocol']}, where this skops writes {PROTOCOL}"
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
