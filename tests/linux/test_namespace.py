"""Configuring a machine: names, addresses, routes, bridges, and what is refused."""

from __future__ import annotations

import pytest
from scapy.layers.l2 import ARP, Ether

from tests.linux.kit import Lab, S, address, host, route
from vnet.base.errors import UsageError
from vnet.base.ids import ip_from_text, ip_text, mac_from_text
from vnet.linux.netns.changes import AddressChange, Change, LinkChange, NeighborChange, RouteChange
from vnet.linux.netns.namespace import Namespace
from vnet.tables.fib import RouteScope


def routes(machine: Namespace) -> list[str]:
    """``ip route``, short: target, gateway, device, source."""
    return [
        f"{ip_text(r.network)}/{r.prefix_length}"
        + (f" via {ip_text(r.gateway)}" if r.gateway else "")
        + f" dev {r.nexthops[0].device.name}"
        + (f" src {ip_text(r.source)}" if r.source else "")
        for fib in (machine.routing4.main, machine.routing6.main)
        for r in fib
    ]


def test_a_machine_has_a_loopback_that_is_up() -> None:
    machine = Lab().machine("m")
    assert list(machine.interfaces) == ["lo"]
    assert machine.loopback.device.ifindex == 1
    assert machine.loopback.device.running
    assert machine.owns(ip_from_text("127.1.2.3"))
    assert machine.owns(ip_from_text("::1"))


def test_devices_are_numbered_in_the_order_they_come() -> None:
    lab = Lab()
    machine, _probe = host(lab)
    machine.add_bridge("br0")
    assert routes(machine) == ["10.0.0.0/24 dev eth0 src 10.0.0.1"]
    assert [i.device.ifindex for i in machine.interfaces.values()] == [1, 2, 3]


def test_a_device_name_is_taken_once() -> None:
    lab = Lab()
    machine, _probe = host(lab)
    with pytest.raises(UsageError, match="eth0 already"):
        lab.probe(machine, "eth0")


def test_asking_for_a_device_that_is_not_there_lists_those_that_are() -> None:
    machine, _probe = host(Lab())
    with pytest.raises(UsageError, match=r'"eth7" does not exist \(it has lo, eth0\)'):
        machine.set_up("eth7")


# -- rename


def test_a_device_is_renamed_and_keeps_all_it_has_even_while_it_is_up() -> None:
    lab = Lab()
    machine, probe = host(lab)
    machine.sysctls["net.ipv4.conf.eth0.arp_ignore"] = 8
    machine.arp.proxy.entries.add(("eth0", ip_from_text("10.0.0.77")))
    machine.rename("eth0", "peth0")
    interface = machine.interface("peth0")
    assert interface.device.name == "peth0"
    assert interface.device.running
    assert interface.find(ip_from_text("10.0.0.1")) is not None
    assert machine.sysctls["net.ipv4.conf.peth0.arp_ignore"] == 8
    assert machine.arp.proxy.entries == {("peth0", ip_from_text("10.0.0.77"))}
    machine.sysctls["net.ipv4.conf.peth0.arp_ignore"] = 0
    found = machine.route_to(ip_from_text("10.0.0.9"))
    assert found is not None
    assert found.out is interface
    ask = ARP(hwsrc=probe.mac, psrc="10.0.0.9", pdst="10.0.0.1")
    probe.send(Ether(src=probe.mac, dst="ff:ff:ff:ff:ff:ff") / ask)
    assert [p[ARP].op for p in probe.of(ARP)][-1:] == [2]
    with pytest.raises(UsageError, match="peth0 already"):
        machine.rename("lo", "peth0")
    with pytest.raises(UsageError, match="does not exist"):
        machine.interface("eth0")


def test_a_renamed_port_stays_a_port() -> None:
    lab = Lab()
    machine, _probe = host(lab)
    bridge = machine.add_bridge("br0")
    machine.set_up("br0")
    machine.enslave("eth0", "br0")
    machine.set_down("eth0")
    machine.rename("eth0", "peth0")
    assert machine.master_of("peth0") is bridge
    machine.set_up("peth0")
    assert bridge.device.running
    machine.release("peth0")
    assert machine.master_of("peth0") is None


@pytest.mark.parametrize(
    "name", ["", "a16charactername", "a/b", "a b", "a:b", "a%d", ".", "..", "all", "default"]
)
def test_names_that_the_kernel_refuses(name: str) -> None:
    machine, _probe = host(Lab())
    for change in (machine.add_bridge, lambda new: machine.rename("eth0", new)):
        with pytest.raises(UsageError, match="RTNETLINK answers: Invalid argument"):
            change(name)


# -- bridges


def test_a_device_has_one_master() -> None:
    machine, _probe = host(Lab())
    machine.add_bridge("br0")
    machine.add_bridge("br1")
    machine.enslave("eth0", "br0")
    with pytest.raises(UsageError, match="already a member of a bridge"):
        machine.enslave("eth0", "br1")
    with pytest.raises(UsageError, match="not a bridge port"):
        machine.release("lo")


def test_enslaving_to_what_is_no_bridge_is_refused() -> None:
    machine, _probe = host(Lab())
    with pytest.raises(UsageError, match="br9"):
        machine.enslave("eth0", "br9")


# -- addresses and routes


def test_an_address_brings_its_network_and_takes_it_away() -> None:
    machine, _probe = host(Lab())
    assert routes(machine) == ["10.0.0.0/24 dev eth0 src 10.0.0.1"]
    machine.delete_address("eth0", ip_from_text("10.0.0.1"))
    assert routes(machine) == []
    assert not machine.owns(ip_from_text("10.0.0.1"))


def test_second_addresses_go_with_the_first_of_their_network() -> None:
    machine, _probe = host(Lab())
    address(machine, "eth0", "10.0.0.2/24")
    address(machine, "eth0", "10.0.0.3/25")
    machine.delete_address("eth0", ip_from_text("10.0.0.1"))
    assert routes(machine) == ["10.0.0.0/25 dev eth0 src 10.0.0.3"]
    assert not machine.owns(ip_from_text("10.0.0.2"))


def test_a_second_address_may_be_promoted_and_then_keeps_the_route() -> None:
    machine, _probe = host(Lab())
    address(machine, "eth0", "10.0.0.2/24")
    machine.sysctls["net.ipv4.conf.all.promote_secondaries"] = 1
    machine.delete_address("eth0", ip_from_text("10.0.0.1"))
    assert routes(machine) == ["10.0.0.0/24 dev eth0 src 10.0.0.2"]
    assert machine.route_to(ip_from_text("10.0.0.9")) is not None


def test_address_errors() -> None:
    machine, _probe = host(Lab())
    with pytest.raises(UsageError, match=r"10.0.0.1 is on eth0 already"):
        address(machine, "eth0", "10.0.0.1/24")
    with pytest.raises(UsageError, match=r"10.0.0.9 is not on eth0"):
        machine.delete_address("eth0", ip_from_text("10.0.0.9"))
    with pytest.raises(UsageError, match="does not speak IPv6"):
        address(machine, "eth0", "fd00::1/64")


def test_a_gateway_must_be_on_a_network_of_ours() -> None:
    machine, _probe = host(Lab())
    route(machine, "0.0.0.0/0", "10.0.0.254")
    with pytest.raises(UsageError, match=r"invalid gateway. \(192.0.2.1 is on no network"):
        route(machine, "203.0.113.0/24", "192.0.2.1")
    assert routes(machine)[-1] == "0.0.0.0/0 via 10.0.0.254 dev eth0"
    found = machine.route_to(ip_from_text("203.0.113.9"))
    assert found is not None
    assert found.route.scope is RouteScope.GLOBAL


def test_routes_are_deleted_by_their_network() -> None:
    machine, _probe = host(Lab())
    route(machine, "0.0.0.0/0", "10.0.0.254")
    machine.delete_route(ip_from_text("0.0.0.0"), 0)
    with pytest.raises(UsageError, match="No such process"):
        machine.delete_route(ip_from_text("0.0.0.0"), 0)


def test_setting_a_link_down_takes_its_routes_and_up_brings_the_connected_back() -> None:
    machine, _probe = host(Lab())
    route(machine, "0.0.0.0/0", "10.0.0.254")
    machine.set_down("eth0")
    assert routes(machine) == []
    machine.set_up("eth0")
    assert routes(machine) == ["10.0.0.0/24 dev eth0 src 10.0.0.1"]


def test_a_machine_answers_for_an_address_it_has_twice_until_both_are_gone() -> None:
    lab = Lab()
    machine, _probe = host(lab)
    lab.probe(machine, "eth1", 2)
    address(machine, "eth1", "10.0.0.1/24")
    machine.delete_address("eth0", ip_from_text("10.0.0.1"))
    assert machine.owner_of(ip_from_text("10.0.0.1")) is machine.interface("eth1")


def test_a_link_local_network_is_routed_once_for_each_device() -> None:
    lab = Lab()
    machine = lab.machine("m")
    for number in (1, 2):
        lab.probe(machine, f"eth{number}", number, ipv6=True)
    lab.run(3 * S)
    assert routes(machine) == ["fe80::/64 dev eth1", "fe80::/64 dev eth2"]


# -- listeners


def test_listeners_hear_every_change() -> None:
    lab = Lab()
    machine, probe = host(lab)
    probe.answers_arp("10.0.0.2")
    changes: list[Change] = []
    machine.listeners.append(changes.append)
    machine.set_mac("eth0", mac_from_text("02:00:00:00:00:77"))
    machine.set_mtu("eth0", 1400)
    machine.set_flags("eth0", multicast=False)
    address(machine, "eth0", "192.0.2.1/24")
    route(machine, "0.0.0.0/0", "192.0.2.254")
    machine.sockets.open_udp(lambda *_: None).send_to(ip_from_text("10.0.0.2"), 9, b"")
    lab.run(1 * S)
    machine.set_down("eth0")
    kinds = [type(change) for change in changes]
    assert kinds[:6] == [
        LinkChange,
        LinkChange,
        LinkChange,
        AddressChange,
        RouteChange,
        RouteChange,
    ]
    assert NeighborChange in kinds
    assert any(isinstance(c, RouteChange) and c.deleted for c in changes)
    assert [c.multicast for c in changes if isinstance(c, LinkChange)][-1] is False
