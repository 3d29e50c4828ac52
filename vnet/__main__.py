"""``python -m vnet``, and the console script.

Kept apart from the command line proper, so that Ctrl-C while that is still being imported
ends as it does later. Whoever terminates the process (a CI job that took too long) gets
whole captures too.
"""

from __future__ import annotations

import signal
import sys

DAEMONS = ("ovs-vswitchd", "ovsdb-server")


def main() -> None:
    """Run the command line and exit with its code; or a daemon, without all that is around it."""
    if len(sys.argv) > 1 and sys.argv[1] in DAEMONS:
        from vnet.live.daemon.entry import run_daemon

        run_daemon(sys.argv[1], sys.argv[2:])
    signal.signal(signal.SIGTERM, _terminated)
    try:
        if sys.argv[1:2] == ["ovs"]:
            _run_switch()
        from vnet.cli.main import main as run_command_line

        run_command_line()
    except KeyboardInterrupt:
        sys.exit(130)


def _run_switch() -> None:
    """Be an Open vSwitch at once, if the words for it are plain; then it does not return."""
    from vnet.live.switch.entry import run_plainly

    try:
        code = run_plainly(sys.argv[2:])
    except Exception as error:  # noqa: BLE001 - the rim: nobody above could handle it
        from vnet.cli.failing import told

        code = told(error)
    if code is not None:
        sys.exit(code)


def _terminated(number: int, _frame: object) -> None:
    from vnet.base.errors import Terminated

    raise Terminated(128 + number)


if __name__ == "__main__":
    main()
