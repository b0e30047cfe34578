"""A package tried as it will be deployed: in an environment of its own, over the wire."""
