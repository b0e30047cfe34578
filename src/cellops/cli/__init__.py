"""The terminal face: `cellops VERB`. It parses, calls the one function in `flows` that does the work, and shows."""

import sys

from cellops.cli.codes import STOPPED


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code, also where it is stopped while it is still imported."""
    try:
        from cellops.cli.verbs import main as run
    except KeyboardInterrupt:
        sys.stderr.write("cellops: Stopped\n")
        sys.exit(STOPPED)
    run(arguments)
