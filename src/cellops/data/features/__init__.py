"""Features: what was known of each row at its time, and functions that make columns of other columns."""
