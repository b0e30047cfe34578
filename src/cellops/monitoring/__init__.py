"""Watching a served model: prediction and label logs, windows, drift, performance, reports."""
