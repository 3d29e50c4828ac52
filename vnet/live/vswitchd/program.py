"""What ovs-vswitchd(8) is as a process: its options, its help, its start."""

from __future__ import annotations

from collections.abc import Sequence

from vnet.live.daemon.errors import FatalError
from vnet.live.daemon.getopt import Argument, Option
from vnet.live.daemon.memory import lock_memory
from vnet.live.daemon.options import DAEMON_OPTIONS, LOG_OPTIONS, OTHER_OPTIONS, TLS_OPTIONS
from vnet.live.daemon.program import Program
from vnet.live.daemon.running import RunningDaemon
from vnet.live.daemon.usage import ACTIVE_METHODS, TLS_USAGE, daemon_usage
from vnet.live.devices.dummy_level import DummyLevel
from vnet.live.directories import run_directory
from vnet.live.vswitchd.process import SwitchProcess
from vnet.ovs.unixctl.coverage_names import VSWITCHD_EVENTS
from vnet.ovs.unixctl.request import Request
from vnet.ovs.unixctl.table import Command
from vnet.ovs.vlog.modules import VSWITCHD_MODULES


class VswitchdProgram(Program):
    """One run of it."""

    name = "ovs-vswitchd"
    modules = VSWITCHD_MODULES
    events = VSWITCHD_EVENTS
    options = (
        *OTHER_OPTIONS,
        Option("mlockall"),
        *DAEMON_OPTIONS,
        *LOG_OPTIONS,
        *TLS_OPTIONS,
        Option("enable-dummy", Argument.OPTIONAL),
        Option("disable-system"),
        Option("disable-system-route"),
        Option("dpdk", Argument.OPTIONAL),
        Option("dummy-numa", Argument.REQUIRED),
    )

    def __init__(self) -> None:
        self.database = ""
        self.enables_dummy: str | None = None
        """None: no; else which types dummies stand in for: ``""``, ``override`` or ``system``."""
        self.has_system = True
        self.locks_memory = False

    def take_option(self, name: str, value: str | None) -> None:
        """What ovs-vswitchd has besides what all daemons have."""
        match name:
            case "enable-dummy":
                self.enables_dummy = value or ""
            case "disable-system":
                self.has_system = False
            case "disable-system-route" | "dummy-numa":
                pass  # The machine's routes and processors are none of this switch's business.
            case "mlockall":
                self.locks_memory = True
            case "dpdk":
                raise FatalError("Using --dpdk to configure DPDK is not supported.")
            case _:
                super().take_option(name, value)

    def take_words(self, words: Sequence[str]) -> None:
        """Where the database is."""
        if len(words) > 1:
            raise FatalError(
                "at most one non-option argument accepted; use --help for usage", module="vswitchd"
            )
        self.database = words[0] if words else f"unix:{run_directory()}/db.sock"

    def usage(self) -> str:
        """As ovs-vswitchd's own."""
        return f"""\
ovs-vswitchd: Open vSwitch daemon
usage: ovs-vswitchd [OPTIONS] [DATABASE]
where DATABASE is a socket on which ovsdb-server is listening
      (default: "unix:{run_directory()}/db.sock").

Active DATABASE connection methods:
{ACTIVE_METHODS}{TLS_USAGE}{daemon_usage(self.name)}
DPDK options:
Configuration of DPDK via command-line is removed from this
version of Open vSwitch. DPDK is configured through ovsdb.

Other options:
  --unixctl=SOCKET          override default control socket name
  -h, --help                display this help message
  -V, --version             display version information
"""

    def start(self, daemon: RunningDaemon) -> None:
        """Open the control socket, and go to the database."""

        def exit_now(request: Request, _words: Sequence[str]) -> None:
            request.reply()
            daemon.exit()

        if self.locks_memory:
            lock_memory(daemon.vlog.module("vswitchd"))
        daemon.open_unixctl()
        daemon.commands.register(Command("exit", "[--cleanup]", 0, 1, exit_now))
        try:
            level = DummyLevel(self.enables_dummy)
            SwitchProcess(daemon, self.database, level, has_system=self.has_system)
        except OSError as error:
            raise FatalError(f"{self.database}: {error.strerror}") from error
