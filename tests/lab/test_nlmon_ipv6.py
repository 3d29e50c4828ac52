"""What rtnetlink tells of a host that configures itself, as pyroute2 reads it."""

from __future__ import annotations

from typing import Any

from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ndmsg import ndmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg
from scapy.layers.inet6 import (
    ICMPv6ND_RA,
    ICMPv6NDOptPrefixInfo,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
)
from scapy.layers.l2 import Ether

from tests.linux.kit import Lab, S
from vnet.lab.nlmon import NetlinkWatch

_COOKED_BYTES = 16


class Told:
    """A capture point that keeps messages."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []

    def capture(self, _time_ns: int, data: bytes, _outbound: bool | None) -> None:
        self.messages.append(data[_COOKED_BYTES:])

    def of(self, kind: int, reader: Any) -> list[Any]:
        """Those of a type, decoded."""
        found = []
        for data in self.messages:
            if int.from_bytes(data[4:6], "little") == kind:
                message = reader(data)
                message.decode()
                found.append(message)
        return found


def test_a_router_an_address_of_its_prefix_and_their_lifetimes_are_told() -> None:
    lab = Lab()
    machine = lab.machine("host")
    probe = lab.probe(machine, "eth0", ipv6=True)
    lab.run(4 * S)
    told = Told()
    machine.listeners.append(NetlinkWatch(machine, told))  # type: ignore[arg-type]
    said = IPv6(src="fe80::9", dst="ff02::1", hlim=255) / ICMPv6ND_RA(prf=1, routerlifetime=1800)
    said /= ICMPv6NDOptSrcLLAddr(lladdr=probe.mac)
    said /= ICMPv6NDOptPrefixInfo(
        prefix="fd00:9::", prefixlen=64, validlifetime=3600, preferredlifetime=1800
    )
    probe.send(Ether(src=probe.mac, dst="33:33:00:00:00:01") / said)
    lab.run(3 * S)
    routes = [dict(m["attrs"]) | {"proto": m["proto"]} for m in told.of(24, rtmsg)]
    default = next(r for r in routes if r.get("RTA_GATEWAY") == "fe80::9")
    assert (default["proto"], default["RTA_PRIORITY"], default["RTA_PREF"]) == (9, 1024, 1)
    assert default["RTA_CACHEINFO"]["rta_expires"] == 180_000
    network = next(r for r in routes if r.get("RTA_DST") == "fd00:9::" and r["RTA_TABLE"] == 254)
    assert network["RTA_CACHEINFO"]["rta_expires"] == 360_000
    neighbor = told.of(28, ndmsg)[0]
    assert (neighbor["state"], neighbor["flags"]) == (0x04, 0x80)
    flags = [dict(m["attrs"])["IFA_FLAGS"] for m in told.of(20, ifaddrmsg)]
    assert flags[-1] == 0x100, "not tentative any more, nor permanent"
