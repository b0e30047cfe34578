"""The terminal face: `cellops VERB`. It parses, calls the one function in `flows` that does the work, and shows."""

from cellops.cli.verbs import main, terminal

__all__ = ["main", "terminal"]
