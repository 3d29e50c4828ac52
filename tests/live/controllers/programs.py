"""Controllers that others have written, as processes."""

from __future__ import annotations

import os
import socket
import subprocess
from contextlib import ExitStack, closing
from pathlib import Path

from tests.live.ports import ReservedPort
from tests.live.processes import wait_until
from tests.ovs.private_ovs import end_process
from tests.own_python import own_python

_HERE = Path(__file__).parent

FAUCET_CONFIGURATION = """\
vlans:
  office: {vid: 10}
  guest: {vid: 20}
dps:
  sw1:
    dp_id: 1
    hardware: Open vSwitch
    interfaces:
      1: {native_vlan: office}
      2: {native_vlan: guest}
      3: {tagged_vlans: [office, guest]}
  sw2:
    dp_id: 2
    hardware: Open vSwitch
    interfaces:
      1: {native_vlan: office}
      2: {native_vlan: guest}
      3: {tagged_vlans: [office, guest]}
"""


class Program:
    """A controller that listens at ``port`` of this machine, from :meth:`start` to :meth:`stop`;
    the port is its own until :meth:`close`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._reserved = ExitStack()
        self.port = self.reserve_port()
        self.log = folder / f"{type(self).__name__}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        """What starts it."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """What it wants to be told besides."""
        return {}

    def start(self) -> None:
        """Start it, and wait until it listens."""
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(), env=environment | self.environment(), stdout=log, stderr=log
            )
        process = self._process

        def listens() -> bool:
            assert process.poll() is None, self.log.read_text()
            return self._listens()

        wait_until(listens)

    def reserve_port(self) -> int:
        """A port that nobody else is given."""
        return self._reserved.enter_context(closing(ReservedPort())).number

    def _listens(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            end_process(self._process.pid)
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """End it for good."""
        self.stop()
        self._reserved.close()


class OsKen(Program):
    """A learning switch for OpenFlow 1.3."""

    def command(self) -> list[str]:
        python = own_python(_HERE / "os-ken-requirements.txt", is_complete=True)
        return [str(python), str(_HERE / "os_ken_switch.py"), str(self.port)]


class Faucet(Program):
    """Two VLANs across two switches."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._metrics_port = self.reserve_port()

    def command(self) -> list[str]:
        python = own_python(_HERE / "faucet-requirements.txt", is_complete=True)
        listen = ["--ofp-listen-host=127.0.0.1", f"--ofp-tcp-listen-port={self.port}"]
        return [str(python), str(python.with_name("osken-manager")), *listen, "faucet.faucet"]

    def environment(self) -> dict[str, str]:
        configuration = self.folder / "faucet.yaml"
        configuration.write_text(FAUCET_CONFIGURATION, encoding="utf-8")
        return {
            "FAUCET_CONFIG": str(configuration),
            "FAUCET_LOG": str(self.folder / "faucet.log"),
            "FAUCET_EXCEPTION_LOG": str(self.folder / "faucet-exceptions.log"),
            "FAUCET_PROMETHEUS_ADDR": "127.0.0.1",
            "FAUCET_PROMETHEUS_PORT": str(self._metrics_port),
        }
