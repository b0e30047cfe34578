"""Rules that the runs of an execution must satisfy: how they are written, and whether they hold."""
