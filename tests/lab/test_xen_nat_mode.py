"""Xen's NAT mode: guests hang on their back ends alone, and leave with the host's address."""

from __future__ import annotations

from vnet.base.ids import ip_text
from vnet.lab.lab import Lab

LAB = """
version: 1
hosts:
  dom0: {hypervisor: xen, mode: nat, nics: {eth0: {ip: 203.0.113.1/24}}}
  other: {hypervisor: xen, mode: nat, nics: {eth0: {ip: 203.0.113.2/24}}}
vms:
  vm1: {host: dom0, vnics: [{}]}
  vm2: {host: dom0, vnics: [{}, {}]}
  own: {host: dom0, vnics: [{ip: 10.7.7.7/24}]}
routers: {ext: {nics: {eth0: {ip: 203.0.113.100/24}}}}
switches: {lan: }
links:
  - {ends: ['dom0:eth0', 'lan:p1']}
  - {ends: ['other:eth0', 'lan:p2']}
  - {ends: ['ext:eth0', 'lan:p3']}
"""

RULE = "-A POSTROUTING -o eth0 -j MASQUERADE"


def steps_of(lab: Lab, script: str) -> list[str]:
    return [s.command for s in lab.network.script_steps if (s.host, s.script) == ("dom0", script)]


def nat_rules(lab: Lab, host: str) -> list[str]:
    netfilter = lab.host(host).namespace.netfilter
    assert netfilter is not None
    return [line for line in netfilter.rules4.save().splitlines() if line.startswith("-A")]


def test_network_nat_and_vif_nat_step_by_step() -> None:
    with Lab.from_text(LAB) as lab:
        assert steps_of(lab, "network-nat") == [
            "echo 1 >/proc/sys/net/ipv4/ip_forward",
            "iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE",
        ]
        assert nat_rules(lab, "dom0") == [RULE]
        steps = steps_of(lab, "vif-nat")
        assert steps[:4] == [
            "ip link set dev vif1.0 up arp on",
            "ip addr add 10.0.1.128 dev vif1.0",
            "ip route add 10.0.1.1 dev vif1.0 src 10.0.1.128",
            "echo 1 >/proc/sys/net/ipv4/conf/vif1.0/proxy_arp",
        ]
        assert [step for step in steps if "route" in step][1:] == [
            "ip route add 10.0.2.1 dev vif2.0 src 10.0.2.128",
            "ip route add 10.0.2.2 dev vif2.1 src 10.0.2.129",
            "ip route add 10.7.7.7 dev vif3.0 src 10.7.7.134",
        ]


def test_guests_reach_each_other_as_they_are_and_the_world_as_the_host() -> None:
    with Lab.from_text(LAB) as lab:
        assert lab.vm("vm1").ping("10.0.2.1", count=1).received == 1
        assert lab.report().nat == []
        for name in ("vm1", "vm2", "own"):
            assert lab.vm(name).ping("203.0.113.100", count=1).received == 1, name
        assert {row.new_source.split()[0] for row in lab.report().nat} == {"203.0.113.1"}


def test_a_guest_that_moves_takes_its_router_along_if_its_address_is_its_own() -> None:
    move = """
scenario:
  - move: {vm: own, to: other}
  - ping: {from: own, to: ext, count: 2}
    expect: {received: 2}
"""
    with Lab.from_text(LAB + move) as lab:
        assert lab.run().held
        dom0, other = lab.host("dom0").namespace, lab.host("other").namespace
        assert "vif3.0" not in dom0.interfaces
        routes = [ip_text(route.network) for route in dom0.routing4.main]
        assert "10.7.7.7" not in routes
        addresses = [ip_text(a.ip) for a in other.interface("vif1.0").addresses]
        assert addresses == ["10.7.7.134"]
        assert nat_rules(lab, "dom0") == nat_rules(lab, "other") == [RULE]
