"""skops: a zip of arrays and a description of types, loaded only when each type is on an allow-list."""

import json
import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from cellops.errors import PackageError
from cellops.packaging.formats.base import Trust
from cellops.packaging.formats.checks import audited, check_model

SCHEMA = "schema.json"


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

    def load(self, content: bytes, trust: Trust) -> object:
        import skops.io

        untrusted = self.untrusted(content)
        trust.require(untrusted)
        try:
            model = skops.io.loads(content, trusted=untrusted)
        except Exception as error:  # a file of trusted types can still be put together wrongly
            raise _unreadable(error) from error
        check_model(model)
        return model


def _types(content: bytes) -> Iterator[str]:
    """Every type that the file's own description names."""
    with zipfile.ZipFile(BytesIO(content)) as file:
        waiting: list[Any] = [json.loads(file.read(SCHEMA))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if "__class__" in node:
                yield f"{node.get('__module__')}.{node['__class__']}"
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


def _unreadable(error: Exception) -> PackageError:
    fact = f"{Skops.file} cannot be read as a skops file: {type(error).__name__}: {error}"
    return PackageError(fact, remedy="Package the run again; skops and scikit-learn should be those of its lock")
