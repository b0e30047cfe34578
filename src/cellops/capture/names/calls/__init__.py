"""What calls of functions and methods may change, and what they give."""
