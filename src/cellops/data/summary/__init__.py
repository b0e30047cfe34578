"""Summaries of tables that merge: one file a noun, each with `merged`, so that files, workers and days reduce.

Whatever is counted is equal in whatever parts and order the rows came; moments are so within rounding.
"""
