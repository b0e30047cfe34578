"""What bench/serving.py measures: models, the servers that hold them, and the load."""
