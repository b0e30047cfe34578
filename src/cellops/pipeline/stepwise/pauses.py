"""How long a step that failed waits before it is executed again."""

from collections.abc import Iterator

FIRST, LONGEST = 1.0, 60.0


def pauses() -> Iterator[float]:
    """Seconds before each further try: each pause is twice the one before, up to a minute.

    Examples
    --------
    >>> from itertools import islice
    >>> list(islice(pauses(), 8))
    [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
    """
    pause = FIRST
    while True:
        yield pause
        pause = min(2 * pause, LONGEST)
