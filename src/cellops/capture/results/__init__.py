"""What a run cell leaves behind: parameters, metrics, models and their tables."""
