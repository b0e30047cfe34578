"""How cells hang together through names, and the slice of a run."""
