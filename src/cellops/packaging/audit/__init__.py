"""What loading a package would run: read from its files, none of which is loaded."""
