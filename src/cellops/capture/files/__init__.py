"""The files that a cell reads and writes, and what pins them."""
