"""cellops: from a notebook cell to a proven, served and watched model."""

__version__ = "0.1.0"
