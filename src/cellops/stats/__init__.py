"""Pure functions: arrays in, records out; one statistic, one file. No input or output, no pandas."""
