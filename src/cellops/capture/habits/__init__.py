"""What in a cell's source keeps it from being repeated elsewhere."""
