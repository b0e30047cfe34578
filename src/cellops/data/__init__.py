"""What is known of a table: its profile, its expectations, its typing."""
