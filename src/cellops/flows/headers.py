"""The verbs that stand on the first line of a cell, for the faces."""

from cellops.pipeline.cell_verbs import VERBS, asks_for_help, explained, read, seconds, split

__all__ = ["VERBS", "asks_for_help", "explained", "read", "seconds", "split"]
