"""The lab of @controlled-switches, up, with a controller of a test's own."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from tests.live.processes import PATIENCE_S, ROOT, VnetProcess, wait_until
from vnet.live.lab.taking_down import take_down
from vnet.ovs.vswitchd.fail_open import PRIORITY
from vnet.wire.pcapng import read_pcapng

_NAME = "controlled-switches"
_PING_S = 1


class ControlledLab:
    """Up from its making on, until :meth:`close`; its guests ping each other each second."""

    def __init__(self, folder: Path, port: int, *, fail_mode: str = "secure") -> None:
        self._vnet = VnetProcess(folder)
        text = (ROOT / "topologies" / f"{_NAME}.yaml").read_text(encoding="utf-8")
        text = text.replace(":6653", f":{port}").replace(
            "fail_mode: secure", f"fail_mode: {fail_mode}"
        )
        started = self._vnet.do("up", self._vnet.lab(text), "--detach")
        assert started.returncode == 0, started.stderr
        self._directory = self._vnet.labs / _NAME
        self._capture = folder / f"pcaps/{_NAME}-live/{_NAME}.pcapng"

    def close(self) -> None:
        """Take it down."""
        assert take_down(self._directory)

    def do(self, switch: str, *command: str) -> str:
        """Run one of Open vSwitch's programs at a switch."""
        done = subprocess.run(
            command,
            env=self._vnet.environment | {"OVS_RUNDIR": str(self._directory / switch)},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def flows(self, switch: str) -> str:
        """What the real ovs-ofctl lists of its flows."""
        return self.do(switch, "ovs-ofctl", "-O", "OpenFlow13", "dump-flows", switch)

    def stands_alone(self, switch: str) -> bool:
        """Whether it has the flow, which no controller sees, by which it learns by itself."""
        flows = self.do(switch, "ovs-appctl", "bridge/dump-flows", switch)
        return f"priority={PRIORITY},actions=NORMAL" in flows

    def n_requests(self, source: str, target: str) -> int:
        """How many echo requests have come to a host from another until now."""
        address = bytes((10, 0, 0, int(source[1:])))
        packets = read_pcapng(self._capture.read_bytes())
        return sum(
            1
            for packet in packets
            if packet.interface.name == f"{target}:eth0"
            and packet.data[12:14] == b"\x08\x00"
            and packet.data[26:30] == address
            and packet.data[34] == 8
        )

    def wait_until_they_talk(self, *pairs: tuple[str, str]) -> None:
        """Until pings come through from the first of each pair to the second, from now on."""
        before = {pair: self.n_requests(*pair) for pair in pairs}
        wait_until(lambda: all(self.n_requests(*pair) > before[pair] for pair in pairs))

    def keep_silent(self, source: str, target: str) -> bool:
        """Whether no ping comes through, in the seconds that follow."""
        before = self.n_requests(source, target)
        time.sleep(3 * _PING_S)
        return self.n_requests(source, target) == before
