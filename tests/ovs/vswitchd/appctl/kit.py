"""Two daemons that are set up by the same words and asked the same: ours and the real one."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.ovs.command_switch import Switch
from tests.ovs.private_ovs import PrivateOvs, private_ovs
from vnet.ovs.flow.errors import OvsTextError

SET_UP = (
    "--may-exist add-br br0 -- set bridge br0 datapath_type=dummy "
    "other_config:hwaddr=aa:55:aa:55:00:00 -- add-port br0 p1 -- "
    "set interface p1 type=dummy ofport_request=1 -- add-port br0 p2 -- "
    "set interface p2 type=dummy ofport_request=2"
)
FLOWS = (
    "table=0,tcp,actions=ct(commit,table=1)",
    "table=0,udp,actions=ct(commit,zone=5,table=1)",
    "table=0,arp,actions=2",
    "table=1,actions=2",
)
TCP_FRAME = (
    "in_port(1),eth(src=50:54:00:00:00:09,dst=50:54:00:00:00:0a),eth_type(0x0800),"
    "ipv4(src=10.0.0.2,dst=10.0.0.1,proto=6,tos=0,ttl=64,frag=no),tcp(src=1000,dst=80),"
    "tcp_flags(syn)"
)


class OurDaemon:
    """A switch and every command to it, as a daemon with ``--enable-dummy`` has them."""

    def __init__(self) -> None:
        self.switch = Switch()

    def set_up(self) -> None:
        """Add the bridge, its ports and flows."""
        self.switch.vsctl(*SET_UP.split())
        self.switch.ofctl(["del-flows", "br0"])
        self.switch.ofctl(["add-flows", "br0", "-"], FLOWS)

    def ask(self, line: str) -> tuple[str, str]:
        """What is printed, and what is wrong."""
        try:
            return self.switch.appctl(shlex.split(line)), ""
        except OvsTextError as error:
            return "", error.what


@contextmanager
def real_daemon(directory: Path) -> Iterator[PrivateOvs]:
    """The real one, set up alike; its clock stands still."""
    with private_ovs(directory) as ovs:
        ovs.appctl("time/stop")
        ovs.vsctl(*SET_UP.split())
        ovs.ofctl("del-flows", "br0")
        for flow in FLOWS:
            ovs.ofctl("add-flow", "br0", flow)
        yield ovs


def check_same(ours: OurDaemon, real: PrivateOvs, lines: Iterable[str]) -> None:
    """Ask both, line by line."""
    for line in lines:
        out, error = real.appctl(*shlex.split(line))
        assert ours.ask(line) == (out.removesuffix("\n"), error.removesuffix("\n")), line
