"""Many rows at once: scored in chunks, resumed where they were stopped, with the checks of the server."""
