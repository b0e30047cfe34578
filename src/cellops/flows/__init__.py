"""One verb, one function: what the faces call."""
