"""Data read again as it was: from a system that keeps versions of it, each system in its own file."""
