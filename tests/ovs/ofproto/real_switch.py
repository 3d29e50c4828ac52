"""The real Open vSwitch with one dummy bridge, for tests that ask what its classifier does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.dummy_switch import BRIDGE, bridge_words
from tests.ovs.private_ovs import PrivateOvs, private_ovs

_N_PORTS = 3
_VERSIONS = ",".join(f"OpenFlow1{n}" for n in range(6))


class RealSwitch:
    """Bridge ``br0`` with ports 1 to 3, once there are flows."""

    def __init__(self, ovs: PrivateOvs) -> None:
        self._ovs = ovs

    def set_flows(self, lines: list[str]) -> None:
        """These flows, in a bridge that has never had others.

        A classifier keeps deleted flows for as long as a thread may look at them, and until then
        what a lookup depends on shows it.
        """
        self._ovs.vsctl("--if-exists", "del-br", BRIDGE)
        self._ovs.vsctl(*bridge_words(_N_PORTS, [f"protocols=[{_VERSIONS}]"]))
        (self._ovs.directory / "flows.txt").write_text("".join(f"{line}\n" for line in lines))
        self.ofctl("add-flows", BRIDGE, "flows.txt")

    def ofctl(self, *arguments: str) -> str:
        """What ``ovs-ofctl`` prints."""
        return self._ovs.ofctl(*arguments)

    def refusal(self, *arguments: str) -> str | None:
        """The error that ``ovs-ofctl`` gets from the switch; None if it does as it is told."""
        done = self._ovs.do("ovs-ofctl", *arguments)
        if done.returncode == 0:
            return None
        error = re.search(r"OFPT_ERROR.*: (\w+)", done.stderr)
        return error[1] if error else done.stderr

    def megaflow(self, packet: str) -> str:
        """What a trace of a packet says that it depends on."""
        trace, wrong = self._ovs.appctl("ofproto/trace", BRIDGE, packet)
        found = re.search(r"Megaflow: (.*)", trace)
        assert found is not None, wrong
        return found[1]


@contextmanager
def real_switch(directory: Path) -> Iterator[RealSwitch]:
    """A running switch, stopped at the end."""
    with private_ovs(directory) as ovs:
        yield RealSwitch(ovs)
