"""The ids of answers: never the same twice, and recognised by every server of the model, also after a restart."""

import os
import random
import re
from hashlib import blake2b

RANDOM_BYTES = 12
CHECK_BYTES = 4
PREDICTION_ID = re.compile(r"([0-9a-f]{32}):(0|[1-9][0-9]{0,8})")
"""An answer's id and the number of a row in it."""


class PredictionIds:
    """Makes ids of random bytes and a few that follow from them and the model's name.

    Clients choose request ids, and may choose one twice; a label must mean one prediction.

    >>> ids = PredictionIds("delays")
    >>> ids.issued(f"{ids.new()}:0"), ids.issued(f"{PredictionIds('other').new()}:0"), ids.issued("april:0")
    (True, False, False)
    """

    def __init__(self, model: str) -> None:
        key = blake2b(model.encode(), digest_size=32).digest()
        # Copied for each id: it has read the key, which takes as long as the rest.
        self._keyed = blake2b(key=key, digest_size=CHECK_BYTES)
        # No secret, and asking the system each time would hand the interpreter to another thread, for milliseconds.
        self._random = random.Random(os.urandom(32))  # noqa: S311

    def new(self) -> str:
        """An id for the answer to one request; its rows are called ID:0, ID:1 and so on."""
        return self._of(self._random.randbytes(RANDOM_BYTES))

    def of(self, content: bytes) -> str:
        """The id for the answer to rows that are told from all others by some bytes: the same each time."""
        return self._of(blake2b(content, digest_size=RANDOM_BYTES).digest())

    def issued(self, prediction_id: str) -> bool:
        """Whether a server of this model has made this id of a row."""
        found = PREDICTION_ID.fullmatch(prediction_id)
        if found is None:
            return False
        given = bytes.fromhex(found[1])
        return self._check(given[:RANDOM_BYTES]) == given[RANDOM_BYTES:]

    def _of(self, chosen: bytes) -> str:
        return (chosen + self._check(chosen)).hex()

    def _check(self, chosen: bytes) -> bytes:
        check = self._keyed.copy()
        check.update(chosen)
        return check.digest()
