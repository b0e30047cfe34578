"""Keys in ten thousand buckets, of which a share takes the first ones: a share that grows keeps the keys it has."""

from hashlib import blake2b

BUCKETS = 10_000
ALL = 100.0
"""Percent."""


class Buckets:
    """A share of all keys.

    Parameters
    ----------
    share
        Percent, from 0 to 100; counted in hundredths.
    salt
        Divides the keys otherwise than another salt does.

    Examples
    --------
    >>> few, many = Buckets(5, "april"), Buckets(25, "april")
    >>> users = [f"user {i}" for i in range(1000)]
    >>> sum(map(few.has, users)), sum(map(many.has, users)), all(many.has(user) for user in users if few.has(user))
    (52, 251, True)
    """

    def __init__(self, share: float, salt: str) -> None:
        self._taken = round(share / ALL * BUCKETS)
        # The hash takes no longer key, and a salt may be any text.
        self._salted = blake2b(key=blake2b(salt.encode(), digest_size=32).digest(), digest_size=8)

    def has(self, key: str) -> bool:
        if not self._taken or self._taken == BUCKETS:
            return bool(self._taken)
        digest = self._salted.copy()
        digest.update(key.encode(errors="surrogatepass"))
        # Beside 64 bits the remainder of ten thousand favours no bucket that could be measured.
        return int.from_bytes(digest.digest()) % BUCKETS < self._taken
