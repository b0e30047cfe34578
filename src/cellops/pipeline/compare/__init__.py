"""Two runs held against each other by their records; nothing is executed."""
