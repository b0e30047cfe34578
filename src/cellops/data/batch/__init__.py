"""Tables of any length, where a batch takes them from and where it puts them."""
