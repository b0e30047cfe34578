"""Which features a model brings when it is loaded, before any of their code is executed."""

from contextvars import ContextVar

Restored = list[tuple[str, str]]
"""The names and sources of features, in the order in which they are restored."""

RESTORED: ContextVar[Restored | None] = ContextVar("restored", default=None)
"""Where features that are restored write themselves down; None where nobody asks."""
