"""How many requests a client may send: counted by the `limits` library, in this process or in Redis for several."""

import asyncio
import logging
import math
import time
from typing import TYPE_CHECKING

from cellops.errors import SettingsError
from cellops.serving.errors import RateError

if TYPE_CHECKING:
    from limits import RateLimitItem

REDIS = ("redis://", "rediss://")
PATIENCE = 0.25
"""Seconds for which a request waits until Redis has counted it."""
AWAY = 5.0
"""Seconds for which nobody is counted after that, so that not each request waits."""
logger = logging.getLogger(__name__)


class Throttle:
    """Counts requests in windows that slide.

    Parameters
    ----------
    rates
        `10/second`, `1000 per hour`, or several with `;` between them, all of which hold.
    store
        Address of a Redis that several servers share; None counts in this process.

    Raises
    ------
    SettingsError
        When a rate or the address is none, or the client of Redis is not installed.
    """

    def __init__(self, rates: str, store: str | None = None) -> None:
        from limits import parse_many
        from limits.aio.storage import MemoryStorage, RedisStorage
        from limits.aio.strategies import SlidingWindowCounterRateLimiter

        try:
            self._rates: list[RateLimitItem] = sorted(parse_many(rates))
        except ValueError as error:
            fact = "CELLOPS_SERVER_RATE is no rate"
            remedy = "Write 10/second, 1000 per hour, or several with ; between them"
            raise SettingsError(fact, received=rates, remedy=remedy) from error
        if not self._rates or min(rate.amount for rate in self._rates) < 1:
            fact = "CELLOPS_SERVER_RATE lets nobody in"
            raise SettingsError(fact, received=rates, remedy="Let it be one request at least, or leave it out")
        if store is not None and not store.startswith(REDIS):
            fact = "CELLOPS_SERVER_RATE_STORE is no address of a Redis"
            raise SettingsError(fact, remedy="Write redis://HOST:PORT, or leave it out")
        try:
            storage = MemoryStorage() if store is None else RedisStorage(f"async+{store}", implementation="redispy")
        except Exception as error:  # the library has errors of its own for what is not installed or no address
            fact = f"Redis cannot count requests: {type(error).__name__}"
            raise SettingsError(
                fact, remedy="pip install 'cellops[throttle]', and check CELLOPS_SERVER_RATE_STORE"
            ) from error
        self._limiter = SlidingWindowCounterRateLimiter(storage)
        self._is_shared = store is not None
        self._away_until = float("-inf")
        self._told = False

    async def admit(self, client: str) -> None:
        """Count a request.

        Raises
        ------
        RateError
            When the client has sent as many as it may; `data["retry_after"]` has the seconds until it may again.
        """
        if time.monotonic() < self._away_until:
            return
        for rate in self._rates:
            counting = self._count(rate, client)
            try:
                reset = await (asyncio.wait_for(counting, PATIENCE) if self._is_shared else counting)
            except Exception as error:  # noqa: BLE001 - answers are worth more than their number
                self._away_until = time.monotonic() + AWAY
                self._tell(error)
                return
            if reset is None:
                continue
            wait = max(1, math.ceil(reset - time.time()))
            fact = f"This client has sent its {rate.amount} requests per {_span(rate)}"
            raise RateError(fact, remedy=f"Send the next in {wait} s", retry_after=wait)

    async def _count(self, rate: "RateLimitItem", client: str) -> float | None:
        """Count a request; gives the time when the next may come, None where this one may."""
        if await self._limiter.hit(rate, client):
            return None
        return (await self._limiter.get_window_stats(rate, client)).reset_time

    def _tell(self, error: Exception) -> None:
        """Say once that nobody counts."""
        if not self._told:
            self._told = True
            logger.error("Requests are not counted, and all are admitted: %s", type(error).__name__)


def _span(rate: "RateLimitItem") -> str:
    name = rate.GRANULARITY.name
    return name if rate.multiples == 1 else f"{rate.multiples} {name}s"
