"""neigh_suppress: whom a bridge answers for, and from whom it keeps what is asked."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet6 import (
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
)
from scapy.layers.l2 import ARP, Dot1Q, Ether

from tests.linux.bridge.kit import Table
from tests.linux.kit import BROADCAST, address, probe_mac
from vnet.base.ids import ip_from_text, mac_from_text
from vnet.linux.bridge.settings import set_port_flag
from vnet.linux.bridge.stations import set_station
from vnet.linux.netns.vlan_devices import add_vlan_device
from vnet.tables.fdb import FdbKind

BEHIND = "02:00:00:00:00:22"  # a station at port 2, which suppresses
ELSEWHERE = "02:00:00:00:00:33"  # a station at port 3, which does not
NOWHERE = "02:00:00:00:00:23"  # a neighbour that the bridge has not seen


def know(table: Table, device: str, ip: str, mac: str) -> None:
    """``ip neigh replace IP lladdr MAC dev DEVICE nud permanent``."""
    interface = table.machine.interface(device)
    packed = ip_from_text(ip)
    cache = interface.nd_cache if len(packed) == 16 else interface.arp_cache
    cache.table.set_permanent(packed, mac_from_text(mac), table.lab.scheduler.now_ns)


@pytest.fixture
def table() -> Table:
    made = Table(3, filtering=False)
    address(made.machine, "br0", "10.0.0.254/24")
    for suffix, mac in ((22, BEHIND), (23, NOWHERE), (33, ELSEWHERE)):
        know(made, "br0", f"10.0.0.{suffix}", mac)
        know(made, "br0", f"fd00::{suffix}", mac)
    set_port_flag(made.port(2), "neigh_suppress", True)
    set_station(made.port(2), mac_from_text(BEHIND), FdbKind.STATIC)
    set_station(made.port(3), mac_from_text(ELSEWHERE), FdbKind.STATIC)
    return made


def ask(target: str, *, source: str = "10.0.0.1", to: str = BROADCAST, op: int = 1) -> Any:
    query = ARP(op=op, hwsrc=probe_mac(1), psrc=source, pdst=target)
    return Ether(src=probe_mac(1), dst=to) / query


def heard(table: Table, packet: Any) -> tuple[list[Any], set[int]]:
    """What probe 1 is told, and which other ports hear what it sent."""
    table.probes[0].send(packet)
    answers = table.probes[0].packets
    reached = {n for n, probe in enumerate(table.probes, 1) if n > 1 and probe.heard}
    for probe in table.probes:
        probe.forget()
    return answers, reached


def test_a_known_station_is_answered_for_and_not_asked(table: Table) -> None:
    (answer,), reached = heard(table, ask("10.0.0.22"))
    assert reached == {3}
    assert bytes(answer) == bytes(
        Ether(src=BEHIND, dst=probe_mac(1))
        / ARP(op=2, hwsrc=BEHIND, psrc="10.0.0.22", hwdst=probe_mac(1), pdst="10.0.0.1")
    )


def test_a_neighbour_entry_alone_is_not_enough(table: Table) -> None:
    """It also takes an entry of the forwarding database."""
    assert heard(table, ask("10.0.0.23")) == ([], {2, 3})


def test_a_database_entry_alone_is_not_enough(table: Table) -> None:
    set_station(table.port(2), mac_from_text("02:00:00:00:00:44"), FdbKind.STATIC)
    assert heard(table, ask("10.0.0.44")) == ([], {2, 3})


def test_a_station_at_a_port_that_does_not_suppress_answers_itself(table: Table) -> None:
    assert heard(table, ask("10.0.0.33")) == ([], {3})


@pytest.mark.parametrize(
    ("packet", "reached"),
    [
        (ask("10.0.0.254"), {3}),  # the host's own address
        (ask("10.0.0.1"), {3}),  # an announcement
        (ask("10.0.0.22", source="0.0.0.0"), {3}),  # a check for duplicates
        (ask("10.0.0.22", op=2), {2, 3}),  # a reply
        (ask("10.0.0.22", to=BEHIND), {2}),  # asked by unicast
        (ask("127.0.0.1"), {2, 3}),
        (ask("224.0.0.1"), {2, 3}),
    ],
)
def test_who_hears_what_is_not_answered(table: Table, packet: Any, reached: set[int]) -> None:
    table.bridge.device.rx_handler = lambda _frame: None
    assert heard(table, packet) == ([], reached)


def test_what_comes_from_a_port_that_suppresses_is_flooded_as_ever(table: Table) -> None:
    table.probes[1].send(Ether(src=probe_mac(2), dst=BROADCAST) / ARP(pdst="10.0.0.22"))
    assert [bool(probe.heard) for probe in table.probes] == [True, False, True]


def test_without_the_flag_nothing_is_looked_at(table: Table) -> None:
    set_port_flag(table.port(2), "neigh_suppress", False)
    assert table.bridge.suppression is None
    assert heard(table, ask("10.0.0.22")) == ([], {2, 3})


# -- neighbour discovery


def solicit(target: str, *, source: str = "fd00::1", to: str = "33:33:ff:00:00:22") -> Any:
    packet = IPv6(src=source, dst="ff02::1:ff00:22") / ICMPv6ND_NS(tgt=target)
    return Ether(src=probe_mac(1), dst=to) / packet / ICMPv6NDOptSrcLLAddr(lladdr=probe_mac(9))


def test_nd_is_answered_too_to_the_address_in_the_option(table: Table) -> None:
    (answer,), reached = heard(table, solicit("fd00::22"))
    assert reached == {3}
    expected = (
        Ether(src=BEHIND, dst=probe_mac(9))
        / IPv6(src="fd00::22", dst="fd00::1", hlim=255)
        / ICMPv6ND_NA(R=0, S=1, O=1, tgt="fd00::22")
        / ICMPv6NDOptDstLLAddr(lladdr=BEHIND)
    )
    assert bytes(answer) == bytes(expected)


def test_who_hears_a_solicitation_that_is_not_answered(table: Table) -> None:
    assert heard(table, solicit("fd00::23")) == ([], {2, 3})
    assert heard(table, solicit("fd00::33")) == ([], {3})
    assert heard(table, solicit("fd00::22", source="::")) == ([], {3})
    unsolicited = IPv6(src="fd00::1", dst="ff02::1") / ICMPv6ND_NA(S=0, tgt="fd00::1")
    everyone = Ether(src=probe_mac(1), dst="33:33:00:00:00:01") / unsolicited
    assert heard(table, everyone) == ([], {3})


# -- VLANs


def test_in_a_vlan_the_neighbours_of_its_device_count_and_the_answer_has_its_tag() -> None:
    table = Table(3)
    for number in (1, 2, 3):
        table.trunk(number, 10)
    table.vlans.add(table.port(0), 10)
    set_port_flag(table.port(2), "neigh_suppress", True)
    set_station(table.port(2), mac_from_text(BEHIND), FdbKind.STATIC, vid=10)
    packet = ask("10.0.0.22")
    tagged = Ether(src=packet.src, dst=packet.dst) / Dot1Q(vlan=10, prio=3) / packet[ARP]
    know(table, "br0", "10.0.0.22", BEHIND)
    assert heard(table, tagged) == ([], {2, 3})
    add_vlan_device(table.machine, "br0", "br0.10", 10)
    know(table, "br0.10", "10.0.0.22", BEHIND)
    (answer,), reached = heard(table, tagged)
    assert reached == {3}
    assert (answer[Dot1Q].vlan, answer[ARP].hwsrc) == (10, BEHIND)
    table.vlans.add(table.port(1), 10, pvid=True)
    (answer,), _reached = heard(table, packet)
    assert Dot1Q not in answer
