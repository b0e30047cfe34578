"""The steps of a notebook: which cells are theirs, what flows between them, and what is wrong with them."""
