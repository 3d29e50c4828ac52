"""The real Open vSwitch with a dummy datapath, in a directory of its own."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import MappingProxyType

from tests.ovs.control_socket import ControlSocket

SCHEMA = Path("/usr/share/openvswitch/vswitch.ovsschema")
TIMEOUT_S = 90

IS_INSTALLED = shutil.which("ovs-vswitchd") is not None and SCHEMA.exists()

_DAEMON = ("--detach", "--no-chdir", "--pidfile", "--log-file", "-vconsole:off")


class PrivateOvs:
    """A running ``ovs-vswitchd`` and its database. No service, no root, no kernel module."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        places = ("OVS_RUNDIR", "OVS_LOGDIR", "OVS_DBDIR", "OVS_SYSCONFDIR")
        self._environment = MappingProxyType(os.environ | dict.fromkeys(places, str(directory)))

    def do(self, *command: str, timeout_s: float = TIMEOUT_S) -> subprocess.CompletedProcess[str]:
        """Run one of its programs, whatever comes of it."""
        return subprocess.run(
            command,
            env=dict(self._environment),
            cwd=self.directory,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
        )

    def vsctl(self, *arguments: str) -> str:
        """``ovs-vsctl``, which must find nothing wrong."""
        done = self.do("ovs-vsctl", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ofctl(self, *arguments: str) -> str:
        """``ovs-ofctl``, which must find nothing wrong."""
        done = self.do("ovs-ofctl", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def try_ofctl(self, *arguments: str) -> tuple[str, str]:
        """``ovs-ofctl``'s output, and what was found wrong."""
        done = self.do("ovs-ofctl", *arguments)
        return done.stdout, done.stderr

    def appctl(self, *arguments: str) -> tuple[str, str]:
        """What ``ovs-appctl`` prints, and what the daemon found wrong."""
        with closing(self.control_socket()) as control:
            try:
                return control.call(*arguments), ""
            except RuntimeError as error:
                return "", str(error)

    def control_socket(self) -> ControlSocket:
        """A connection to the control socket of ``ovs-vswitchd``, which is the caller's."""
        return ControlSocket(self.directory / "vswitchd.ctl", TIMEOUT_S)

    def start(self) -> None:
        """Start both daemons and wait until they answer."""
        self.start_database()
        for command in (
            ("ovs-vsctl", "--no-wait", "init"),
            (
                *("ovs-vswitchd", "--enable-dummy", "--disable-system", "--disable-system-route"),
                *(*_DAEMON, f"--unixctl={self.directory}/vswitchd.ctl"),
                f"unix:{self.directory}/db.sock",
            ),
        ):
            self._must(*command)

    def start_database(self) -> None:
        """Start the database alone, with nothing in it."""
        database = str(self.directory / "conf.db")
        self._must("ovsdb-tool", "create", database, str(SCHEMA))
        socket = f"--remote=punix:{self.directory}/db.sock"
        self._must("ovsdb-server", database, *_DAEMON, socket)

    def _must(self, *command: str) -> None:
        done = self.do(*command)
        assert done.returncode == 0, done.stderr

    def stop(self) -> None:
        """End both daemons, by their own process numbers."""
        for name in ("ovs-vswitchd", "ovsdb-server"):
            pidfile = self.directory / f"{name}.pid"
            if pidfile.exists():
                end_process(int(pidfile.read_text()))


def end_process(pid: int) -> None:
    """End a process and wait for it to be gone, whatever it takes."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        signal.pidfd_send_signal(process, signal.SIGTERM)
        # Its number may be taken for longer: until somebody asks what became of it.
        ended, _, _ = select.select([process], [], [], TIMEOUT_S)
        if not ended:
            signal.pidfd_send_signal(process, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        os.close(process)


@contextmanager
def private_ovs(directory: Path) -> Iterator[PrivateOvs]:
    """Open vSwitch while the block lasts."""
    ovs = PrivateOvs(directory)
    try:
        ovs.start()
        yield ovs
    finally:
        ovs.stop()
