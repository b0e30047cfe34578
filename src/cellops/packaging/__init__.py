"""The package: an MLflow model directory with its contract, environment, provenance and manifest of digests."""
