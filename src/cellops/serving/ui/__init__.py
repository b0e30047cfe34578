"""The web page of the server: what it does, and a form to try its models."""
