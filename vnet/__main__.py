"""``python -m vnet``, and the console script.

Kept apart from the command line proper, so that Ctrl-C while that is still being imported
ends as it does later.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        from vnet.cli.main import main as run_command_line

        run_command_line()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
