"""Where the front end's built files stand."""

from pathlib import Path

STATIC = Path(__file__).parent / "static"
"""Built from jupyter_extension/ and shipped in the wheel; a source checkout may be without it."""
