"""``mode`` and ``style`` of hosts and their switches; the place of a fault is marked with ``^``."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from vnet.base.ids import ip_text
from vnet.hypervisor.modes.virtual_network import Forward
from vnet.linux.services.dhcp_server.settings import DhcpServing
from vnet.topology.load import parse_topology
from vnet.topology.model import HostSwitch, VifMode, Vm

NIC = "nics: {eth0: {ip: 203.0.113.1/24}}"


def switch_of(host: str, name: str = "virbr0") -> HostSwitch:
    return parse_topology(f"version: 1\nhosts: {{h: {host}}}").hosts["h"].switches[name]


def ranges_of(dhcp: DhcpServing | None) -> list[str]:
    assert dhcp is not None
    return [f"{ip_text(each.start)}-{ip_text(each.end)}" for each in dhcp.ranges]


def routes_of(vm: Vm) -> list[str]:
    gateways = [(route.nexthops[0].gateway, route.onlink) for route in vm.routes]
    return [f"{ip_text(ip)}{' onlink' * onlink}" for ip, onlink in gateways if ip is not None]


def test_mode_nat_alone_is_libvirts_default_network() -> None:
    switch = switch_of(f"{{mode: nat, {NIC}}}")
    network = switch.network
    assert network is not None
    assert (network.name, network.bridge, network.forward) == ("default", "virbr0", Forward.NAT)
    assert (network.subnet, ip_text(network.ip)) == ("192.168.122.0/24", "192.168.122.1")
    assert (network.stp, network.delay_s) == (True, 0)
    assert network.mac[:3] == b"\x52\x54\x00"
    assert switch.uplink is None
    assert switch.dhcp is not None
    assert ranges_of(switch.dhcp) == ["192.168.122.2-192.168.122.254"]
    assert (switch.dhcp.authoritative, switch.dhcp.most_leases) == (True, 253)


@pytest.mark.parametrize("mode", ["route", "isolated", "open"])
def test_other_modes_of_libvirt_have_a_bridge_too(mode: str) -> None:
    network = switch_of(f"{{mode: {mode}, {NIC}}}").network
    assert network is not None
    assert network.forward is Forward(mode)


def test_a_host_has_several_networks_and_a_bridge_with_its_card() -> None:
    host = parse_topology(
        f"version: 1\nhosts: {{h: {{{NIC}, switches: {{br0: , "
        "virbr0: {mode: nat}, virbr1: {mode: isolated, ip: 10.1.0.254/24, stp: false,"
        " dhcp: {range: 10.1.0.5-10.1.0.9}}, virbr2: {mode: open, ip: 10.2.0.1/24, dhcp: false}}}}"
    ).hosts["h"]
    assert host.switches["br0"].uplink == "eth0"
    assert host.switches["br0"].network is None
    names = [s.network.name for s in host.switches.values() if s.network is not None]
    assert names == ["default", "virbr1", "virbr2"]
    isolated = host.switches["virbr1"]
    assert isolated.network is not None
    assert not isolated.network.stp
    assert ranges_of(isolated.dhcp) == ["10.1.0.5-10.1.0.9"]
    assert host.switches["virbr2"].dhcp is None
    macs = {s.network.mac for s in host.switches.values() if s.network is not None}
    assert len(macs) == 3


def test_only_an_isolated_network_tells_of_no_router() -> None:
    for mode, codes in (("nat", []), ("isolated", [3])):
        dhcp = switch_of(f"{{mode: {mode}, {NIC}}}").dhcp
        assert dhcp is not None
        assert [option.code for option in dhcp.options] == codes


def test_xens_modes_have_no_bridge_and_guests_have_a_router() -> None:
    for mode in ("route", "nat"):
        found = parse_topology(f"""
version: 1
hosts: {{h: {{hypervisor: xen, mode: {mode}, {NIC}}}}}
vms:
  near: {{host: h, vnics: [{{ip: 203.0.113.7/24}}, {{ip: 10.9.0.1/24}}]}}
  far: {{host: h, vnics: [{{ip: 198.51.100.7/32}}]}}
  plain: {{host: h, count: 300, vnics: [{{}}, {{}}]}}
  told: {{host: h, gateway: 10.8.0.9, vnics: [{{ip: 10.8.0.1/24}}]}}
""")
        host = found.hosts["h"]
        assert host.vif_mode is VifMode(mode)
        assert (host.netdev, dict(host.switches)) == ("eth0", {})
        near, far, plain, told = (found.vms[n] for n in ("near", "far", "plain300", "told"))
        assert routes_of(told) == ["10.8.0.9"]
        if mode == "route":
            assert routes_of(near) == ["203.0.113.1"]
            assert routes_of(far) == ["203.0.113.1 onlink"]
            assert [vnic.addresses for vnic in plain.vnics] == [(), ()]
        else:
            assert routes_of(near) == ["203.0.113.134"]
            assert routes_of(far) == ["198.51.100.134 onlink"]
            assert plain.domid == 302
            addresses = [ip_text(vnic.addresses[0].ip) for vnic in plain.vnics]
            assert addresses == ["10.1.46.1", "10.1.46.2"]
            assert plain.vnics[0].addresses[0].prefix_length == 16
            assert routes_of(plain) == ["10.1.46.128"]


HOSTS = {
    "mode of others": (
        "{hypervisor: vmware, mode: ^nat}",
        "mode 'nat' is for xen and kvm, not for vmware (write mode: bridge)",
    ),
    "style of bridges": (
        f"{{mode: nat, style: ^enslaved, {NIC}}}",
        "style 'enslaved' is not one of mode nat (it has: libvirt, xen)",
    ),
    "style of networks": (
        f"{{style: ^libvirt, {NIC}}}",
        "style 'libvirt' is not one of mode bridge (it has: network-bridge, enslaved)",
    ),
    "isolated as Xen": (
        f"{{hypervisor: xen, mode: isolated, style: ^xen, {NIC}}}",
        "style 'xen' is not one of mode isolated (it has: libvirt)",
    ),
    "Xen's style elsewhere": (
        f"{{mode: route, style: ^xen, {NIC}}}",
        "style 'xen' is Xen's, not kvm's (write style: libvirt)",
    ),
    "route without an address": (
        "{hypervisor: xen, mode: ^route, nics: {eth0: }}",
        "mode route needs a card of the host with an IPv4 address "
        "(as in nics: {eth0: {ip: 192.0.2.1/24}})",
    ),
    "network with a card": (
        f"{{{NIC}, switches: {{virbr0: {{mode: nat, uplink: ^eth0}}}}}}",
        "a network of mode nat has no card behind it (leave it out, or write mode: bridge)",
    ),
    "network of Open vSwitch": (
        "{switches: {virbr0: {mode: nat, type: ^ovs}}}",
        "mode 'nat' is for Linux bridges (write type: linux, or mode: bridge)",
    ),
    "two addresses": (
        "{switches: {virbr0: {mode: nat, ip: [10.0.0.1/24, ^10.1.0.1/24]}}}",
        "a network of mode nat has one address, of IPv4",
    ),
    "IPv6 alone": (
        "{switches: {virbr0: {mode: nat, ip: ^'2001:db8::1/64'}}}",
        "a network of mode nat has one address, of IPv4",
    ),
    "no room": (
        "{switches: {virbr0: {mode: nat, dhcp: false, ip: ^10.0.0.1/31}}}",
        "10.0.0.1/31 leaves no room for guests (/30 at most)",
    ),
    "half a second": (
        "{switches: {virbr0: {mode: nat, forward_delay: ^2500ms}}}",
        "libvirt counts the forward_delay in seconds, not 2.5s",
    ),
    "overlapping networks": (
        "{switches: {virbr0: {mode: nat}, virbr1: {mode: nat, ip: ^192.168.0.1/16}}}",
        "network '192.168.0.0/16' of virbr1 overlaps with 192.168.122.0/24 of virbr0 "
        "(give it another with 'ip')",
    ),
    "overlap with a card": (
        "{mode: ^nat, nics: {eth0: {ip: 192.168.122.7/24}}}",
        "network '192.168.122.0/24' of virbr0 overlaps with 192.168.122.0/24 of eth0 "
        "(give it another with 'ip')",
    ),
    "range outside": (
        "{switches: {virbr0: {mode: nat, dhcp: {range: ^10.0.0.5-10.0.0.9}}}}",
        "the range 10.0.0.5-10.0.0.9 is not in 192.168.122.0/24 "
        "(all of it is 192.168.122.2-192.168.122.254; networks behind relays stand in 'relayed')",
    ),
    "own address in the range": (
        "{switches: {virbr0: {mode: nat, dhcp: {range: ^192.168.122.1-192.168.122.9}}}}",
        "the server's own address 192.168.122.1 is in the range "
        "(begin behind it, as in 192.168.122.2-192.168.122.9)",
    ),
    "gateway outside": (
        f"{{mode: nat, {NIC}, gateway: ^10.0.0.1}}",
        "gateway '10.0.0.1' is on no network of this machine "
        "(its networks: 203.0.113.0/24, 192.168.122.0/24)",
    ),
}


@pytest.mark.parametrize(("host", "message"), HOSTS.values(), ids=HOSTS)
def test_a_host_whose_mode_cannot_be(
    assert_problem: Callable[[str, str], None], host: str, message: str
) -> None:
    assert_problem(f"version: 1\nhosts: {{h: {host}}}", message)


GUESTS = {
    "twice": (
        "a: {host: h, vnics: [{ip: 10.0.0.1/24}]}, b: {host: h, vnics: [{ip: ^10.0.0.1/24}]}",
        "address '10.0.0.1' of b:eth0 is also that of a:eth0 (h has one route to it)",
    ),
    "the host's": (
        "a: {host: h, vnics: [{ip: ^203.0.113.1/24}]}",
        "address '203.0.113.1' of a:eth0 is also that of h (h has one route to it)",
    ),
    "no router": (
        "a: {host: h, vnics: [{ip: ^10.0.0.129/24}]}",
        "'10.0.0.129' leaves no address for the router of a:eth0 "
        "(vif-nat adds 127 to the last octet: 128 at most)",
    ),
}


@pytest.mark.parametrize(("vms", "message"), GUESTS.values(), ids=GUESTS)
def test_a_guest_that_xens_nat_cannot_bring_online(
    assert_problem: Callable[[str, str], None], vms: str, message: str
) -> None:
    host = f"{{hypervisor: xen, mode: nat, {NIC}}}"
    assert_problem(f"version: 1\nhosts: {{h: {host}}}\nvms: {{{vms}}}", message)


@pytest.mark.slow
def test_xen_has_no_domain_for_a_guest_too_many(assert_problem: Callable[[str, str], None]) -> None:
    assert_problem(
        f"version: 1\nhosts: {{h: {{hypervisor: xen, mode: nat, {NIC}}}}}\n"
        "vms: {a: {host: ^h, count: 32752, vnics: [{}]}}",
        "a32752 would be domain 32752 of h (Xen counts to 32751)",
    )


def test_guests_of_a_network_lease_unless_they_have_an_address() -> None:
    found = parse_topology(f"""
version: 1
hosts: {{h: {{mode: nat, {NIC}, switches: {{virbr0: , virbr1: {{ip: 10.0.0.1/24, dhcp: false}}}}}}}}
vms:
  a:
    host: h
    vnics: [{{switch: virbr0}}, {{switch: virbr1}}, {{switch: virbr0, ip: 192.168.122.9/24}}]
""")
    assert [vnic.dhcp_client for vnic in found.vms["a"].vnics] == [True, False, False]


SERVERS = {
    "the default network": (
        "mode: ^nat",
        254,
        "254 guests on virbr0 of h want a lease, and it has 253",
    ),
    "a range": (
        "switches: {v: {mode: nat, dhcp: ^{range: 192.168.122.5-192.168.122.6}}}",
        3,
        "3 guests on v of h want a lease, and it has 2",
    ),
    "a small network": (
        "switches: {v: ^{mode: isolated, ip: 10.0.0.1/29}}",
        6,
        "6 guests on v of h want a lease, and it has 5",
    ),
    "few leases": (
        "switches: {v: {mode: nat, dhcp: ^{leases: 2}}}",
        3,
        "3 guests on v of h want a lease, and it has 2",
    ),
}


@pytest.mark.parametrize(("host", "count", "message"), SERVERS.values(), ids=SERVERS)
def test_more_guests_than_addresses(
    assert_problem: Callable[[str, str], None], host: str, count: int, message: str
) -> None:
    guests = "{g: {host: h, count: %d, vnics: [{}]}}"
    text = f"version: 1\nhosts: {{h: {{{host}, {NIC}}}}}\nvms: {guests}"
    parse_topology((text % (count - 1)).replace("^", ""))
    assert_problem(text % count, f"{message} (widen the network or the range)")


def test_a_guest_that_leases_has_no_gateway_of_its_own(
    assert_problem: Callable[[str, str], None],
) -> None:
    guest = "{host: h, gateway: ^192.168.122.1, vnics: [{}]}"
    assert_problem(
        f"version: 1\nhosts: {{h: {{mode: nat, {NIC}}}}}\nvms: {{g: {guest}}}",
        "gateway '192.168.122.1' is on no network of this machine "
        "(its address comes by DHCP, and its gateway with it)",
    )
