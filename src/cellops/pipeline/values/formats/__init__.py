"""One file a format, each of the same shape: `SUFFIX`, `accepts(value)`, `write(value, path)` and `read(path)`."""
