"""``dhcp`` and ``ip: dhcp`` in a file: what a server is told, and what cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from vnet.base.errors import TopologyError
from vnet.base.ids import ip_from_text, ip_text, mac_from_text
from vnet.linux.services.dhcp_server.settings import (
    FOREVER_S,
    DhcpOption,
    DhcpServing,
    Reservation,
    default_ranges,
)
from vnet.topology.load import load_topology

FILE = """
version: 1
name: lab
hosts:
  h1:
    nics: {eth0: }
    switches: {virbr0: {uplink: none, BRIDGE}}
vms: {vm1: {host: h1, vnics: [{ip: IP}]}}
"""
ADDRESS = "ip: 192.168.122.1/24, "


def written(folder: Path, bridge: str, ip: str = "dhcp") -> Path:
    path = folder / "lab.yaml"
    path.write_text(FILE.replace("BRIDGE", bridge).replace("IP}", f"{ip}}}"))
    return path


def serving(folder: Path, said: str) -> DhcpServing:
    topology = load_topology(written(folder, f"{ADDRESS}dhcp: {said}"))
    found = topology.hosts["h1"].switches["virbr0"].dhcp
    assert found is not None
    return found


def spans(found: DhcpServing) -> list[str]:
    return [f"{ip_text(each.start)}-{ip_text(each.end)}" for each in found.ranges]


def test_true_leases_what_libvirt_would(tmp_path: Path) -> None:
    found = serving(tmp_path, "true")
    assert spans(found) == ["192.168.122.2-192.168.122.254"]
    assert (found.lease_s, found.most_leases, found.authoritative) == (3_600, 1_000, False)


def test_a_server_in_the_middle_leases_what_is_on_both_sides() -> None:
    found = default_ranges(ip_from_text("10.0.0.9"), 28)
    ends = [(each.start[3], each.end[3], len(each)) for each in found]
    assert ends == [(1, 8, 8), (10, 14, 5)]
    assert default_ranges(ip_from_text("10.0.0.1"), 31) == ()


def test_every_key_arrives(tmp_path: Path) -> None:
    found = serving(
        tmp_path,
        "{range: [192.168.122.9-192.168.122.20, 192.168.122.30], lease: infinite,"
        " reservations: [{mac: '02:00:00:00:00:03', name: guest3, ip: 192.168.122.50, lease: 2h},"
        " {client_id: '01:0a', ignore: true}], router: none, dns: [192.168.122.3],"
        " domain: lab.test, options: {mtu: 1400, 42: 0.0.0.0, 252: 'http://w'}, force: [mtu],"
        " authoritative: true, leases: 7, sequential: true, ping: false, overload: false,"
        " rapid_commit: true}",
    )
    assert spans(found) == ["192.168.122.9-192.168.122.20", "192.168.122.30-192.168.122.30"]
    assert found.lease_s == FOREVER_S
    mac, ip = mac_from_text("02:00:00:00:00:03"), ip_from_text("192.168.122.50")
    assert found.reservations == (
        Reservation(mac, None, ip, "guest3", 7_200),
        Reservation(client_id=b"\x01\x0a", ignored=True),
    )
    assert found.options == (
        DhcpOption(3, b"", is_addresses=True),
        DhcpOption(6, bytes((192, 168, 122, 3)), is_addresses=True),
        DhcpOption(26, b"\x05\x78", forced=True),
        DhcpOption(42, bytes(4), is_addresses=True),
        DhcpOption(252, b"http://w", is_text=True),
    )
    assert (found.domain, found.authoritative, found.most_leases) == ("lab.test", True, 7)
    assert (found.sequential, found.checks, found.overload, found.rapid_commit) == (
        True,
        False,
        False,
        True,
    )


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("router: [10.0.0.1, 10.0.0.2]", b"\x0a\0\0\1\x0a\0\0\2"),
        ("domain-search: [a.test, b.a.test]", b"\1a\4test\0\1b\xc0\0"),
        ("T1: 10min", b"\0\0\x02\x58"),
        ("ip-forward-enable: true", b"\1"),
        ("200: [1, 255]", b"\1\xff"),
        ("200: '0a:ff:1'", b"\x0a\xff\x01"),
        ("tftp-server: boot", b"boot"),
        ("12: none", b""),
    ],
)
def test_options_are_written_by_their_kind(tmp_path: Path, option: str, value: bytes) -> None:
    assert serving(tmp_path, f"{{options: {{{option}}}}}").options[0].value == value


def test_a_card_asks_by_dhcp_besides_what_it_has(tmp_path: Path) -> None:
    topology = load_topology(written(tmp_path, ADDRESS, "[dhcp, '2001:db8::1/64']"))
    card = topology.vms["vm1"].vnics[0]
    assert card.dhcp_client
    assert [ip_text(address.ip) for address in card.addresses] == ["2001:db8::1"]
    bridge = topology.hosts["h1"].switches["virbr0"]
    assert [ip_text(address.ip) for address in bridge.addresses] == ["192.168.122.1"]


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ("{range: 192.168.123.2-192.168.123.9}", "is not in 192.168.122.0/24"),
        ("{range: 192.168.123.2-192.168.123.9}", "networks behind relays stand in 'relayed'"),
        ("{range: 192.168.122.200-192.168.123.9}", "is not in 192.168.122.0/24"),
        ("{range: 192.168.122.0-192.168.122.9}", "is not in 192.168.122.0/24"),
        ("{range: 192.168.122.9-192.168.122.255}", "is not in 192.168.122.0/24"),
        ("{range: 192.168.122.9-192.168.122.2}", "ends before it begins"),
        ("{range: 192.168.122.1-192.168.122.9}", "own address 192.168.122.1 is in the range"),
        (
            "{range: [192.168.122.2-192.168.122.9, 192.168.122.9-192.168.122.12]}",
            "overlaps 192.168.122.2-192.168.122.9",
        ),
        ("{range: '2001:db8::1-2001:db8::9'}", "is not a range of IPv4 addresses"),
        ("{range: 7}", "wants a range of addresses, not the number 7"),
        ("{lease: 1min}", "is no time for a lease"),
        ("{reservations: [{ip: 192.168.122.9}]}", "a reservation for nobody"),
        ("{reservations: [{name: a, ip: 192.168.122.1}]}", "is the server's own address"),
        ("{reservations: [{name: a, ip: 10.0.0.1}]}", "is not in 192.168.122.0/24"),
        (
            "{reservations: [{name: a, ip: 192.168.122.9}, {name: b, ip: 192.168.122.9}]}",
            "a second reservation with ip 192.168.122.9",
        ),
        ("{reservations: [{name: a}, {name: A}]}", "a second reservation with name a"),
        ("{reservations: [{name: a.b}]}", "is not the name of a host"),
        ("{options: {moo: 1}}", "there is no DHCP option 'moo'"),
        ("{options: {lease-time: 1}}", "there is no DHCP option"),
        ("{options: {51: 1}}", "is the protocol's own"),
        ("{options: {256: 1}}", "there is no DHCP option '256'"),
        ("{options: {mtu: 70000}}", "wants a number"),
        ("{options: {router: here}}", "is not an IP address"),
        ("{options: {root-path: 7}}", "wants text"),
        ("{force: [mtu]}", "is not among the options"),
        ("{domain: '-x'}", "is not the name of a domain"),
        ("{dns: '2001:db8::1'}", "is not an IPv4 address"),
    ],
)
def test_a_server_that_cannot_be(tmp_path: Path, said: str, what: str) -> None:
    with pytest.raises(TopologyError) as caught:
        load_topology(written(tmp_path, f"{ADDRESS}dhcp: {said}"))
    assert what in str(caught.value)
    assert ":7:" in str(caught.value), "the problem has a place"


@pytest.mark.parametrize(
    ("bridge", "ip", "what"),
    [
        ("dhcp: true", "dhcp", "a DHCP server on a device without an IPv4 network"),
        ("ip: 10.0.0.1/31, dhcp: true", "dhcp", "has no addresses to lease"),
        (ADDRESS, "[dhcp, dhcp]", "the card has dhcp twice"),
        (ADDRESS, "192.168.122.1/24", "'192.168.122.1' of vm1:eth0 is also that of h1:virbr0"),
    ],
)
def test_what_does_not_fit(tmp_path: Path, bridge: str, ip: str, what: str) -> None:
    with pytest.raises(TopologyError) as caught:
        load_topology(written(tmp_path, bridge, ip))
    assert what in str(caught.value)


ROUTER = """
version: 1
name: lab
routers: {r1: {nics: {eth0: {ip: 10.0.0.1/24, CARD}, eth1: {CARD2}}}}
"""


def test_a_card_relays(tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"
    path.write_text(
        ROUTER.replace("CARD2", "ip: 10.1.0.1/24").replace("CARD", "dhcp_relay: 10.1.0.2")
    )
    card = load_topology(path).routers["r1"].nics["eth0"]
    assert card.dhcp_relay == (ip_from_text("10.1.0.2"),)


@pytest.mark.parametrize(
    ("one", "other", "what"),
    [
        (
            "dhcp: true, dhcp_relay: 10.1.0.2",
            "",
            "serves addresses or passes requests on, not both",
        ),
        ("", "dhcp_relay: 10.1.0.2", "a DHCP relay on a card without an IPv4 address"),
        ("dhcp_relay: 10.0.0.1", "", "is the relay itself"),
        ("dhcp_relay: '2001:db8::1'", "", "is not an IPv4 address"),
    ],
)
def test_a_relay_that_cannot_be(tmp_path: Path, one: str, other: str, what: str) -> None:
    path = tmp_path / "lab.yaml"
    path.write_text(ROUTER.replace("CARD2", other).replace("CARD", one))
    with pytest.raises(TopologyError) as caught:
        load_topology(path)
    assert what in str(caught.value)
