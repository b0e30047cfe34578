"""A run executed again, cell by cell, and held against what it was."""
