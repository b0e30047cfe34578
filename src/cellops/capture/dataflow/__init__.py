"""What a cell's source says of the names it reads and writes."""
