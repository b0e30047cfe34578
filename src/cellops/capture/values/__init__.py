"""What names stand for when a cell has ended: read by content, compared when the cell is executed again."""
