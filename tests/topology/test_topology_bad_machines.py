"""Hosts and virtual machines that cannot be; the place is marked with ``^``."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from vnet.topology.load import parse_topology

HOSTS = {
    "no mode": (
        "{mode: ^brigde}",
        "mode cannot be 'brigde' (did you mean 'bridge'?)",
    ),
    "switch": (
        "{switches: {s: {type: ^osv}}}",
        "type cannot be 'osv' (did you mean 'ovs'?)",
    ),
    "hypervisor": (
        "{hypervisor: ^zen}",
        "hypervisor cannot be 'zen' (did you mean 'xen'?)",
    ),
    "style": (
        "{style: ^network-bridge}",
        "style 'network-bridge' is Xen's, not kvm's (write style: enslaved)",
    ),
    "uplink": (
        "{nics: {eth0: }, switches: {s: {uplink: ^eth1}}}",
        "h has no card 'eth1' (did you mean 'eth0'?)",
    ),
    "uplink without cards": (
        "{switches: {s: {uplink: ^eth1}}}",
        "h has no card 'eth1' (h has no cards)",
    ),
    "uplink of two": (
        "{nics: {eth0: }, switches: {s: {uplink: eth0}, t: {uplink: ^eth0}}}",
        "card 'eth0' is already the uplink of s (a card has one switch)",
    ),
    "card and switch": (
        "{nics: {a: }, switches: {^a: {uplink: none}}}",
        "'a' is a card of h too",
    ),
    "peth0": (
        "{hypervisor: xen, nics: {eth0: , ^peth0: }, switches: {s: {uplink: eth0}}}",
        "h would have two devices named 'peth0' (network-bridge makes one)",
    ),
    "veth0": (
        "{hypervisor: xen, nics: {eth0: }, switches: {^veth0: {uplink: eth0}}}",
        "h would have two devices named 'veth0' (network-bridge makes one)",
    ),
    "no prefix": (
        "{nics: {eth0: {ip: ^10.0.0.1}}}",
        "'10.0.0.1' has no prefix length (for example 10.0.0.1/24)",
    ),
    "bad prefix": (
        "{nics: {eth0: {ip: ^10.0.0.1/33}}}",
        "'10.0.0.1/33' has a bad prefix length (a number from 0 to 32)",
    ),
    "netmask": (
        "{nics: {eth0: {ip: ^10.0.0.1/255.0.0.0}}}",
        "'10.0.0.1/255.0.0.0' has a bad prefix length (a number from 0 to 32)",
    ),
    "bad ip": (
        "{nics: {eth0: {ip: ^10.0.0/8}}}",
        "'10.0.0/8' is not an IP address",
    ),
    "one of several": (
        "{nics: {eth0: {ip: [10.0.0.1/8, ^'::g/64']}}}",
        "'::g/64' is not an IP address",
    ),
    "network address": (
        "{nics: {eth0: {ip: ^10.0.0.0/8}}}",
        "'10.0.0.0/8' is the address of its network, not of a machine",
    ),
    "broadcast address": (
        "{nics: {eth0: {ip: ^10.0.0.255/24}}}",
        "'10.0.0.255/24' is the broadcast address of its network",
    ),
    "multicast address": (
        "{nics: {eth0: {ip: ^ff02::1/64}}}",
        "'ff02::1/64' is a group address, not one machine's",
    ),
    "bad mac": (
        "{nics: {eth0: {mac: ^52:54:00}}}",
        "'52:54:00' is not a MAC address (for example 52:54:00:12:34:56)",
    ),
    "group mac": (
        "{nics: {eth0: {mac: ^'01:00:5e:00:00:01'}}}",
        "MAC 01:00:5e:00:00:01 is a group address (the first byte must be even)",
    ),
    "mtu for IPv6": (
        "{nics: {eth0: {ip: '2001:db8::1/64', mtu: ^1000}}}",
        "mtu 1000 is too small for IPv6 (IPv6 needs 1280)",
    ),
    "gateway out of reach": (
        "{nics: {eth0: {ip: 10.0.0.1/8}}, gateway: ^11.0.0.1}",
        "gateway '11.0.0.1' is on no network of this machine (its networks: 10.0.0.0/8)",
    ),
    "gateway is oneself": (
        "{nics: {eth0: {ip: 10.0.0.1/8}}, gateway: ^10.0.0.1}",
        "gateway '10.0.0.1' is the machine's own address",
    ),
    "gateway of both versions": (
        "{nics: {eth0: {ip: 10.0.0.1/8}}, routes: [{to: '2001:db8::/32', via: ^10.0.0.2}]}",
        "the gateway speaks another IP version than the network",
    ),
    "two defaults": (
        "{nics: {eth0: {ip: 10.0.0.1/8}}, gateway: [10.0.0.2, ^10.0.0.3]}",
        "a second route to 0.0.0.0/0",
    ),
    "host bits": (
        "{nics: {eth0: {ip: 10.0.0.1/8}}, routes: [{to: ^11.0.0.1/8, via: 10.0.0.2}]}",
        "'11.0.0.1/8' has host bits set (the network is 11.0.0.0/8)",
    ),
    "the same address twice": (
        "{nics: {eth0: {ip: [10.0.0.1/8, ^10.0.0.1/24]}}}",
        "the card has 10.0.0.1 twice",
    ),
    "IPv6 on a card without it": (
        "{nics: {eth0: {ip: 'fd00::1/64', ipv6: ^false}}}",
        "an IPv6 address on a card with `ipv6: false` (leave one of the two out)",
    ),
    "sysctl": (
        "{sysctls: {^'rm -rf': 1}}",
        "'rm -rf' is not the name of a kernel setting (for example net.ipv4.ip_forward)",
    ),
    "unknown sysctl": (
        "{sysctls: {^net.ipv4.ip_froward: 1}}",
        "there is no kernel setting 'net.ipv4.ip_froward' (did you mean 'net.ipv4.ip_forward'?)",
    ),
    "sysctl out of range": (
        "{sysctls: {net.ipv4.ip_default_ttl: ^256}}",
        "net.ipv4.ip_default_ttl takes 1 to 255, not '256'",
    ),
    "sysctl of words": (
        "{sysctls: {net.ipv4.ip_forward: ^yes please}}",
        "'yes please' is not a kernel setting (write a whole number)",
    ),
}


@pytest.mark.parametrize(("host", "message"), HOSTS.values(), ids=HOSTS)
def test_a_host_that_cannot_be(
    host: str, message: str, assert_problem: Callable[[str, str], None]
) -> None:
    assert_problem(f"version: 1\nhosts: {{h: {host}}}", message)


VMS = {
    "sysctl of another device": (
        "vm: {host: h, sysctls: {^net.ipv4.conf.eth1.rp_filter: 1}, vnics: [{switch: br0}]}",
        "'net.ipv4.conf.eth1.rp_filter' is of a device that the machine does not have "
        "(did you mean 'eth0'?)",
    ),
    "no host": (
        "vm: {host: ^x}",
        "there is no host 'x' (there are: h, empty, two)",
    ),
    "missing host": (
        "^vm: {vnics: []}",
        "missing key 'host'",
    ),
    "nothing": (
        "^vm: ",
        "vm wants a map, not nothing",
    ),
    "no switch": (
        "vm: {host: h, vnics: [{switch: ^br1}]}",
        "host 'h' has no switch 'br1' (did you mean 'br0'?)",
    ),
    "no switch at all": (
        "vm: {host: empty, vnics: [^{}]}",
        "host 'empty' has no switch to plug into",
    ),
    "which switch": (
        "vm: {host: two, vnics: [^{}]}",
        "the vnic does not say which switch it plugs into (two has: a, b)",
    ),
    "count of 10 million": (
        "vm: {host: h, count: ^10000000}",
        "count is too large: 10000000 (at most 100000)",
    ),
    "count of none": (
        "vm: {host: h, count: ^0}",
        "count is too small: 0 (at least 1)",
    ),
    "full subnet": (
        "vm: {host: h, count: 250, vnics: [{ip: ^10.0.0.6/24}]}",
        "250 addresses from '10.0.0.6/24' do not fit in its network (choose a shorter "
        "prefix length)",
    ),
    "full subnet of IPv6": (
        "vm: {host: h, count: 16, vnics: [{ip: ^'2001:db8::1/124'}]}",
        "16 addresses from '2001:db8::1/124' do not fit in its network (choose a shorter "
        "prefix length)",
    ),
    "MACs run over": (
        "vm: {host: h, count: 2, vnics: [{mac: ^'52:54:00:ff:ff:ff'}]}",
        "2 MAC addresses from '52:54:00:ff:ff:ff' run over (the last three bytes count up)",
    ),
    "same address twice": (
        "vm: {host: h, vnics: [{ip: 10.0.0.1/24}, {ip: ^10.0.0.1/24}]}",
        "address '10.0.0.1' of vm:eth1 is also that of vm:eth0 (they are in one segment)",
    ),
    "same MAC twice": (
        "vm: {host: h, vnics: [{mac: '52:54:00:00:00:01'}, {mac: ^'52:54:00:00:00:01'}]}",
        "MAC '52:54:00:00:00:01' of vm:eth1 is also that of vm:eth0 (they are in one segment)",
    ),
}


@pytest.mark.parametrize(("vm", "message"), VMS.values(), ids=VMS)
def test_a_virtual_machine_that_cannot_be(
    vm: str, message: str, assert_problem: Callable[[str, str], None]
) -> None:
    hosts = "{h: {switches: {br0: }}, empty: {}, two: {switches: {a: , b: }}}"
    assert_problem(f"version: 1\nhosts: {hosts}\nvms: {{{vm}}}", message)


def test_addresses_clash_across_a_cable_but_not_across_a_router(
    problems: Callable[[str], list[str]],
) -> None:
    text = """\
version: 1
hosts:
  h1: {nics: {eth0: }, switches: {br0: }}
  h2: {nics: {eth0: }, switches: {br0: }}
vms:
  a: {host: h1, vnics: [{ip: 10.0.0.1/24}]}
  b: {host: h2, vnics: [{ip: 10.0.0.1/24}]}
"""
    assert parse_topology(text).vms.keys() == {"a", "b"}
    assert problems(text + "links: [{ends: ['h1:eth0', 'h2:eth0']}]") == [
        "7:30: address '10.0.0.1' of b:eth0 is also that of a:eth0 (they are in one segment)"
    ]
    through_switch = (
        "switches: {s: }\nlinks: [{ends: ['h1:eth0', 's:1']}, {ends: ['h2:eth0', 's:2']}]"
    )
    assert len(problems(text + through_switch)) == 1
    router = """\
routers: {r: {nics: {eth0: , eth1: }}}
links: [{ends: ['h1:eth0', 'r:eth0']}, {ends: ['h2:eth0', 'r:eth1']}]
"""
    assert len(parse_topology(text + router).links) == 2
