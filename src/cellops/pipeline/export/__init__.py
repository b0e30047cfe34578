"""A notebook's pipeline as a file that a CI system or an orchestrator reads."""
