"""Converters: a model in one format, and in another one that answers the same."""
