"""The steps of a notebook, each executed in a kernel of its own, or taken from what was kept of it."""
