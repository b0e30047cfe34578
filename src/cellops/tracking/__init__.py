"""The MLflow store: the only place that writes runs."""
