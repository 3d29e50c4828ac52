"""What dnsmasq 2.90 answered to random requests, sound and mutilated, byte by byte.

Each case is a configuration, forty requests of eight clients in a row, the frames that came back
(without the zeros at the end of a message), dnsmasq's log, and its leases file at the end.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.linux.dhcp.network import Sniffer
from vnet import Lab
from vnet.base.ids import Mac, ip_from_text, mac_from_text
from vnet.linux.services.dhcp_server.daemon import DhcpServer
from vnet.linux.services.dhcp_server.settings import (
    DhcpOption,
    DhcpRange,
    DhcpServing,
    Reservation,
)
from vnet.sim.frame import Frame
from vnet.topology.schema.dhcp_values import parse_option
from vnet.wire import dhcp, dhcp_options, ipv4, udp
from vnet.wire.ether import TYPE_IPV4
from vnet.wire.ether import frame as ether_frame

CASES = json.loads((Path(__file__).parents[2] / "data" / "dhcp" / "dnsmasq-2.90.json").read_text())
LAB = """
version: 1
name: lab
hosts: {h1: {switches: {virbr0: {uplink: none, ip: 192.168.122.1/24}}}}
vms: {vm1: {host: h1, vnics: [{}]}}
"""
OPTIONS: dict[str, tuple[str, object]] = {
    "mtu": ("mtu", 1400),
    "ntp": ("42", ["0.0.0.0", "10.0.0.3"]),
    "router": ("router", "192.168.122.9"),
    "dns": ("dns-server", ["1.1.1.1", "8.8.8.8"]),
    "domain": ("domain-name", "other.test"),
    "big": ("root-path", "x" * 200),
    "t1": ("T1", 100),
    "none6": ("dns-server", "none"),
    "search": ("domain-search", ["a.test", "b.a.test"]),
    "12": ("hostname", "forced"),
}
RESERVATIONS = (
    Reservation(mac_from_text("02:00:00:00:00:03"), None, ip_from_text("192.168.122.50"), "guest3"),
    Reservation(client_id=b"\0\1\2\3", ip=ip_from_text("192.168.122.103"), lease_s=1_200),
    Reservation(name="named", ip=ip_from_text("192.168.122.60")),
    Reservation(mac_from_text("02:00:00:00:00:05"), ignored=True),
    Reservation(mac_from_text("02:00:00:00:00:06"), name="six"),
)
DRAWN = frozenset((dhcp_options.T1, dhcp_options.T2))
"""When leases are renewed these are a bit shorter, by chance."""


def _option(name: str) -> DhcpOption:
    if name == "wpad":
        return DhcpOption(252, b"http://wpad", is_text=True, forced=True)
    return parse_option(*OPTIONS[name])


def _serving(settings: dict[str, Any]) -> DhcpServing:
    first, last = (ip_from_text(f"192.168.122.{settings[key]}") for key in ("first", "last"))
    return DhcpServing(
        (DhcpRange(first, last),),
        lease_s=settings["lease_s"],
        reservations=RESERVATIONS if settings["reservations"] else (),
        options=tuple(_option(name) for name in settings["options"]),
        domain=settings["domain"],
        authoritative=settings["authoritative"],
        most_leases=settings["most_leases"],
        overload=not settings["no_override"],
        checks=False,
        sequential=settings["sequential"],
        rapid_commit=settings["rapid_commit"],
    )


class Bench:
    """A server on a bridge, and a card that sends what it is told to."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.lab = Lab.from_text(LAB)
        namespace = self.lab.network.hosts["h1"].namespace
        namespace.set_mac("virbr0", Mac(b"\x52\x54\0\0\0\xfe"))
        self.server = DhcpServer(namespace.interface("virbr0"), _serving(settings), 0)
        self.card = self.lab.network.vms["vm1"].vnics[0].interface.device
        self.sniffer = Sniffer()
        self.card.add_sniffer(self.sniffer)
        self.lab.advance("1s")

    def ask(self, step: dict[str, Any]) -> list[bytes]:
        """The frames that answer a request."""
        source, target = bytes.fromhex(step["source"]), bytes.fromhex(step["target"])
        data = bytes.fromhex(step["message"]).ljust(step["size"], b"\0")
        packet = ipv4.emit(source, target, ipv4.UDP, udp.emit(source, target, 68, 67, data))
        to, mac = bytes.fromhex(step["to"]), bytes.fromhex(step["mac"])
        self.sniffer.frames.clear()
        self.card.transmit(Frame(ether_frame(to, mac, TYPE_IPV4, packet)))
        self.lab.advance("50ms")
        return [
            seen.data
            for seen in self.sniffer.frames
            if not seen.outbound and seen.data[12:14] == b"\x08\0" and seen.data[34:36] == b"\0C"
        ]


def _shown(mac: bytes, target: bytes, data: bytes) -> tuple[object, ...]:
    message = dhcp.parse(data)
    assert message is not None
    options = message.options
    if any(message.ciaddr):
        options = tuple(each for each in options if each[0] not in DRAWN)
    if not any(message.yiaddr):
        # An INFORM is told what is left of a lease.
        options = tuple(each for each in options if each[0] != dhcp_options.LEASE_TIME)
    return mac, target, len(data), message._replace(options=options)


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_the_same_answers(case: dict[str, Any]) -> None:
    bench = Bench(case["settings"])
    for number, step in enumerate(case["steps"]):
        wanted = [
            _shown(
                bytes.fromhex(answer["mac"]),
                bytes.fromhex(answer["target"]),
                bytes.fromhex(answer["message"]).ljust(answer["size"], b"\0"),
            )
            for answer in step["answers"]
        ]
        found = [_shown(f[:6], f[30:34], f[42:]) for f in bench.ask(step)]
        assert found == wanted, f"request {number}"
    assert [text for _time, text in bench.server.log] == case["log"]
    leases = [line.split() for line in bench.server.leases.text().splitlines()]
    assert [f"{line[2]} {line[1]} {line[3]} {line[4]}" for line in leases] == case["leases"]
