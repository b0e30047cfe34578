"""A run written out as a notebook that needs nothing of cellops."""
