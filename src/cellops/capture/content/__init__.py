"""How a table is pinned by its content: what every value of every library's table adds to a hash."""
