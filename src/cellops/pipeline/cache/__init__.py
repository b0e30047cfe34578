"""What steps have given, found again by all that decided it."""
