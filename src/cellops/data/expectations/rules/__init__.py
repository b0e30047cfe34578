"""The rules, one file for each thing that they speak of."""
