"""Whom ARP answers and believes, by arp_ignore, arp_filter, arp_accept and the like.

Each line was asked of Linux 6.18, on a router with 10.0.1.254 at eth1 and 10.0.2.254 at eth2.
"""

from __future__ import annotations

import pytest
from scapy.layers.inet import UDP
from scapy.layers.l2 import ARP, Ether

from tests.linux.kit import BROADCAST, MS, Lab, Probe, S, address, host, ip, nud_of, router, to_host
from vnet.base.ids import ip_from_text
from vnet.linux.netns.namespace import Namespace
from vnet.tables.neigh import Nud

STRANGER = "02:00:00:00:00:99"
OWN, OTHERS = "10.0.1.254", "10.0.2.254"


def routed(**settings: int) -> tuple[Lab, Namespace, Probe]:
    lab = Lab()
    machine, near, _far = router(lab)
    for key, value in settings.items():
        machine.sysctls[f"net.ipv4.conf.eth1.{key}"] = value
    return lab, machine, near


def answered(lab: Lab, probe: Probe, asker: str, target: str) -> bool:
    probe.forget()
    ask = ARP(psrc=asker, pdst=target, hwsrc=probe.mac)
    probe.send(Ether(src=probe.mac, dst=BROADCAST) / ask)
    lab.run(MS)
    return any(p[ARP].op == 2 and p[ARP].psrc == target for p in probe.of(ARP))


@pytest.mark.parametrize(
    ("ignore", "own", "of_another_interface", "asked_from_afar"),
    [
        (0, True, True, True),
        (1, True, False, True),
        (2, True, False, False),
        (3, True, True, True),
        (8, False, False, False),
    ],
)
def test_arp_ignore(
    ignore: int, own: bool, of_another_interface: bool, asked_from_afar: bool
) -> None:
    lab, _machine, near = routed(arp_ignore=ignore)
    assert answered(lab, near, "10.0.1.2", OWN) is own
    assert answered(lab, near, "10.0.1.2", OTHERS) is of_another_interface
    assert answered(lab, near, "9.9.9.9", OWN) is asked_from_afar


@pytest.mark.parametrize("arp_filter", [0, 1])
def test_arp_filter_answers_by_the_interface_that_leads_back(arp_filter: int) -> None:
    lab, _machine, near = routed(arp_filter=arp_filter)
    assert answered(lab, near, "10.0.1.2", OWN)
    assert answered(lab, near, "10.0.2.9", OWN) == (not arp_filter)
    assert answered(lab, near, "10.0.1.2", OTHERS)


TALK = {
    "gratuitous request": ("10.0.1.50", "10.0.1.50", 1),
    "gratuitous answer": ("10.0.1.50", "10.0.1.50", 2),
    "answer to nobody's question": ("10.0.1.50", "10.0.1.2", 2),
    "request for another": ("10.0.1.50", "10.0.1.99", 1),
    "from afar": ("9.9.9.50", "9.9.9.50", 1),
}


@pytest.mark.parametrize(
    ("accept", "talk", "believed"),
    [
        (0, "gratuitous request", False),
        (0, "answer to nobody's question", False),
        (1, "gratuitous request", True),
        (1, "gratuitous answer", True),
        (1, "answer to nobody's question", True),
        (1, "request for another", False),
        (1, "from afar", True),
        (2, "gratuitous request", True),
        (2, "answer to nobody's question", True),
        (2, "request for another", False),
        (2, "from afar", False),
    ],
)
def test_arp_accept(accept: int, talk: str, believed: bool) -> None:
    lab, machine, near = routed(arp_accept=accept)
    source, target, operation = TALK[talk]
    news = ARP(op=operation, psrc=source, pdst=target, hwsrc=STRANGER, hwdst=STRANGER)
    near.send(Ether(src=STRANGER, dst=BROADCAST) / news)
    lab.run(MS)
    state = nud_of(machine.interface("eth1"), source)
    assert state is (Nud.STALE if believed else None)


@pytest.mark.parametrize("dropping", [0, 1])
def test_gratuitous_arp_is_dropped_on_request(dropping: int) -> None:
    lab, machine, near = routed(drop_gratuitous_arp=dropping)
    cache = machine.interface("eth1").arp_cache
    ip_50 = ip_from_text("10.0.1.50")
    cache.heard(ip_50, b"\2\0\0\0\0\1", solicited=False)
    lab.run(2 * S)
    news = ARP(psrc="10.0.1.50", pdst="10.0.1.50", hwsrc=STRANGER)
    near.send(Ether(src=STRANGER, dst=BROADCAST) / news)
    known = cache.table.get(ip_50)
    assert known is not None
    assert known.mac == (b"\2\0\0\0\0\1" if dropping else bytes.fromhex("020000000099"))


@pytest.mark.parametrize(
    ("announce", "sender"), [(0, "10.9.0.1"), (1, "10.0.0.1"), (2, "10.0.0.1")]
)
def test_arp_announce_says_whom_we_ask_as(announce: int, sender: str) -> None:
    lab = Lab()
    machine, probe = host(lab)
    address(machine, "lo", "10.9.0.1/32")
    machine.sysctls["net.ipv4.conf.eth0.arp_announce"] = announce
    socket = machine.sockets.open_udp(lambda *_: None)
    socket.send_to(ip_from_text("10.0.0.2"), 9, b"x", source=ip_from_text("10.9.0.1"))
    lab.run(MS)
    assert [p[ARP].psrc for p in probe.of(ARP)] == [sender]


def test_a_route_without_a_carrier_is_taken_unless_told_otherwise() -> None:
    lab = Lab()
    machine, near, far = router(lab)
    far.device.set_admin(False)
    target = ip_from_text("10.0.2.1")
    assert machine.route_to(target) is not None
    machine.sysctls["net.ipv4.conf.eth2.ignore_routes_with_linkdown"] = 1
    assert machine.route_to(target) is None
    near.send(to_host(near, ip("10.0.1.1", "10.0.2.1") / UDP()))
    lab.run(MS)
    assert machine.routing4.main.at(ip_from_text("10.0.2.0"), 24)
