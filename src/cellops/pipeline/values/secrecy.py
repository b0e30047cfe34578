"""Whether a secret stands in a kept value, as far as its bytes show it: nothing is loaded for that.

What is compressed, encoded or of no known shape and no known place is not seen.
"""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from cellops.capture.redaction import distinct_values, redact_scalar
from cellops.capture.secrets import KNOWN
from cellops.capture.token_shapes import secret_beside, token_in
from cellops.pipeline.values.formats import scalar

AT_ONCE = 1 << 24
"""Bytes of a file that are looked through at once."""
OVERLAP = 1 << 13
"""Bytes that are looked through twice, so that what stands across is found; secrets are shorter."""


def seems_secret(names: Iterable[str], path: Path) -> bool:
    """Whether the file of a value holds a known secret, one of a known shape or one of the environment's.

    Parameters
    ----------
    names
        What the value is called in the notebook: a single text or number under a secret's name is one.
    path
        Its file.
    """
    texts = [text.encode(errors="surrogateescape") for text in distinct_values(os.environ, os.environ)]
    for part in _parts(path):
        if KNOWN.are_in(part) or token_in(part) or secret_beside(part) or any(text in part for text in texts):
            return True
    if path.suffix != f".{scalar.SUFFIX}":
        return False
    value = json.loads(path.read_text(encoding="utf-8"))
    return any(redact_scalar(name, value) != value for name in names)


def _parts(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        before = b""
        while part := file.read(AT_ONCE):
            yield before + part
            before = part[-OVERLAP:]
