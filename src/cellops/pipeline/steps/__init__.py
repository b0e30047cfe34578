"""The steps of a notebook: which cells are theirs, what flows between them, what is wrong with them, how they look."""
