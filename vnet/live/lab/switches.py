"""Open vSwitch of one machine of a live lab, for its tools."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from vnet.hypervisor.openvswitch import OpenVSwitch
from vnet.live.clock import WallClock
from vnet.live.switch.live_switch import live_switch, switch_server
from vnet.live.switch.logs import Logs
from vnet.live.switch.run_directory import run_directory


@contextmanager
def served(
    clock: WallClock, machine: OpenVSwitch, directory: Path, *, logs_in_files: bool = False
) -> Iterator[None]:
    """Have everything in ``directory`` that the tools look for, while the block lasts; with
    ``logs_in_files`` the logs of both daemons, too."""
    logs = Logs(machine.owner, in_files=logs_in_files)
    server = switch_server(clock, directory, logs)
    with run_directory(directory, logs), closing(server):
        server.add(machine.database)
        with live_switch(clock, directory, server, machine.daemon, logs):
            yield
