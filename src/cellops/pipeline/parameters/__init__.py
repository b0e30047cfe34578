"""The typed parameters of a notebook: found in its source, bound to values from outside, injected as a cell."""
