"""A private Open vSwitch with one dummy bridge, for tests that ask the real one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep

import pytest

PROGRAMS = ("ovsdb-tool", "ovsdb-server", "ovs-vswitchd", "ovs-vsctl", "ovs-ofctl", "ovs-appctl")
SCHEMA = Path("/usr/share/openvswitch/vswitch.ovsschema")

needs_ovs = [
    pytest.mark.ovs,
    pytest.mark.skipif(
        not all(map(shutil.which, PROGRAMS)) or not SCHEMA.exists(),
        reason="Open vSwitch is not installed",
    ),
]

_VERSIONS = ",".join(f"OpenFlow1{n}" for n in range(6))
_SETTLING_S = 0.05
"""Flows that were deleted linger in a real classifier for as long as a thread may look at them."""


class RealSwitch:
    """Bridge ``br0`` with ports 1 to 3, in ``directory``."""

    def __init__(self, directory: Path) -> None:
        names = ("OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR", "OVS_SYSCONFDIR")
        self._directory = directory
        self._environment = os.environ | dict.fromkeys(names, str(directory))

    def start(self) -> None:
        """Start the daemons, and make the bridge."""
        socket = f"unix:{self._directory}/db.sock"
        daemon = ("--detach", "--no-chdir", "--pidfile", "--log-file", "-vconsole:off")
        self._run("ovsdb-tool", "create", "conf.db", str(SCHEMA))
        self._run("ovsdb-server", "conf.db", *daemon, f"--remote=p{socket}")
        self._run("ovs-vsctl", "--no-wait", "init")
        self._run(
            "ovs-vswitchd",
            "--enable-dummy",
            "--disable-system",
            "--disable-system-route",
            *daemon,
            f"--unixctl={self._directory}/vswitchd.ctl",
            socket,
        )
        bridge = ("datapath_type=dummy", "fail-mode=secure", f"protocols=[{_VERSIONS}]")
        command = ["add-br", "br0", "--", "set", "bridge", "br0", *bridge]
        for number in (1, 2, 3):
            command += ["--", "add-port", "br0", f"p{number}", "--", "set", "interface"]
            command += [f"p{number}", "type=dummy", f"ofport_request={number}"]
        self._run("ovs-vsctl", *command)

    def stop(self) -> None:
        """End the daemons."""
        for name in ("ovs-vswitchd", "ovsdb-server"):
            pidfile = self._directory / f"{name}.pid"
            if pidfile.exists():
                os.kill(int(pidfile.read_text()), 15)

    def ofctl(self, *arguments: str) -> str:
        """What ``ovs-ofctl`` prints."""
        return self._run("ovs-ofctl", *arguments)

    def refusal(self, *arguments: str) -> str | None:
        """The error that ``ovs-ofctl`` gets from the switch; None if it does as it is told."""
        command = ["ovs-ofctl", *arguments]
        done = subprocess.run(
            command, cwd=self._directory, env=self._environment, capture_output=True, text=True
        )
        if done.returncode == 0:
            return None
        error = re.search(r"OFPT_ERROR.*: (\w+)", done.stderr)
        return error[1] if error else done.stderr

    def set_flows(self, lines: list[str]) -> None:
        """These flows and no others."""
        self.ofctl("del-flows", "br0")
        sleep(_SETTLING_S)
        (self._directory / "flows.txt").write_text("\n".join(lines) + "\n")
        self.ofctl("add-flows", "br0", "flows.txt")

    def megaflow(self, packet: str) -> str:
        """What a trace of a packet says that it depends on."""
        control = f"{self._directory}/vswitchd.ctl"
        trace = self._run("ovs-appctl", "-t", control, "ofproto/trace", "br0", packet)
        found = re.search(r"Megaflow: (.*)", trace)
        assert found is not None
        return found[1]

    def _run(self, *command: str) -> str:
        done = subprocess.run(
            command,
            cwd=self._directory,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, (command, done.stderr)
        return done.stdout


@contextmanager
def real_switch(directory: Path) -> Iterator[RealSwitch]:
    """A running switch, stopped at the end."""
    switch = RealSwitch(directory)
    try:
        switch.start()
        yield switch
    finally:
        switch.stop()
