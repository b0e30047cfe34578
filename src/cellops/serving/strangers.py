"""Those who send tokens that are not right: counted by address, and after so many in a minute not looked at any more.

Behind one address there may be many: a proxy, or an office. A client whose token was right from there goes on being
served, else whoever guesses tokens could shut out all others. Any other token from there waits, whether it is right or
not, so that nobody learns of more tokens in a minute than the limit says whether they are right.
"""

import ipaddress
import logging
import math
import time

from cellops.serving.errors import RateError
from cellops.serving.throttle import Throttle

MOST_KNOWN = 10_000
"""Clients that are remembered; when there are more, it is begun anew."""
SITE = 64
"""Bits of an IPv6 address that say whose it is: whoever has one has all that begin so."""
logger = logging.getLogger(__name__)


class Strangers:
    """Shuts out addresses that send wrong tokens.

    Parameters
    ----------
    most
        Wrong tokens that may come from an address in a minute.
    store
        Address of a Redis in which several servers count together; None counts in this process.
    """

    def __init__(self, most: int, store: str | None = None) -> None:
        self._most = most
        self._throttle = Throttle(f"{most}/minute", store)
        self._until: dict[str, float] = {}
        # By their hashes, so that no token stays in memory; the key of these is another in each process.
        self._known: set[tuple[str, int]] = set()

    def look(self, address: str, header: bytes | None) -> None:
        """Refuse to look at a token from an address that is shut out, unless it was right from there.

        Raises
        ------
        RateError
            So; `data["retry_after"]` has the seconds until tokens are looked at again.
        """
        if not self._until or header is None or (address, hash(header)) in self._known:
            return
        left = self._until.get(_site(address), 0.0) - time.monotonic()
        if left > 0:
            raise self._refusal(left)

    def trust(self, address: str, header: bytes | None) -> None:
        """A token was right."""
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known.add((address, hash(header)))

    async def count(self, address: str) -> None:
        """A token was wrong.

        Raises
        ------
        RateError
            When it was one more than may come; the address is shut out then.
        """
        site, now = _site(address), time.monotonic()
        try:
            await self._throttle.admit(f"wrong tokens of {site}")
        except RateError as error:
            self._until = {other: until for other, until in self._until.items() if until > now}
            if site not in self._until:
                logger.warning("%s has sent %d wrong tokens in a minute and is refused for a while", site, self._most)
            seconds = float(str(error.data["retry_after"]))
            self._until[site] = now + seconds
            raise self._refusal(seconds) from None

    def _refusal(self, seconds: float) -> RateError:
        wait = max(1, math.ceil(seconds))
        fact = f"This address has sent {self._most} wrong tokens in a minute, and no other is looked at"
        return RateError(fact, remedy=f"Send a token that is right in {wait} s", retry_after=wait)


def _site(address: str) -> str:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((found, SITE), strict=False)) if found.version == 6 else address  # noqa: PLR2004
