"""Xen's route mode: guests behind a host that forwards for them and answers ARP."""

from __future__ import annotations

from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import Ether

from vnet.base.drops import DropReason
from vnet.base.ids import ip_text, mac_text
from vnet.lab.lab import Lab
from vnet.linux.netns.drops import NOT_FOR_US
from vnet.sim.trace import TraceNode

LAB = """
version: 1
hosts:
  dom0: {hypervisor: xen, mode: route, nics: {eth0: {ip: 192.0.2.1/24}}, gateway: 192.0.2.254}
  other: {hypervisor: xen, mode: route, nics: {eth0: {ip: 192.0.2.2/24}}, gateway: 192.0.2.254}
vms:
  vm1: {host: dom0, vnics: [{ip: 192.0.2.11/24}]}
  vm2: {host: dom0, vnics: [{ip: 192.0.2.12/24}]}
  far-off: {host: dom0, vnics: [{ip: 203.0.113.9/32}]}
routers:
  gw:
    nics: {eth0: {ip: 192.0.2.254/24}, eth1: {ip: 198.51.100.1/24}}
    routes: [{to: 203.0.113.9/32, via: 192.0.2.1}]
  ext: {nics: {eth0: {ip: 192.0.2.100/24}}}
  far: {nics: {eth0: {ip: 198.51.100.2/24}}, gateway: 198.51.100.1}
switches: {lan: }
links:
  - {ends: ['dom0:eth0', 'lan:p1']}
  - {ends: ['other:eth0', 'lan:p2']}
  - {ends: ['ext:eth0', 'lan:p3']}
  - {ends: ['gw:eth0', 'lan:p4']}
  - {ends: ['gw:eth1', 'far:eth0']}
"""


def steps_of(lab: Lab, script: str) -> list[str]:
    return [s.command for s in lab.network.script_steps if (s.host, s.script) == ("dom0", script)]


def routes_to_vifs(lab: Lab, host: str) -> dict[str, str]:
    main = lab.host(host).namespace.routing4.main
    hops = [(route, route.nexthops[0].device.name) for route in main]
    return {ip_text(route.network): name for route, name in hops if name.startswith("vif")}


def drops_of(node: TraceNode) -> list[tuple[str, DropReason]]:
    found = [] if node.drop is None else [(node.place, node.drop)]
    return found + [drop for child in node.children for drop in drops_of(child)]


def test_network_route_and_vif_route_step_by_step() -> None:
    with Lab.from_text(LAB) as lab:
        assert steps_of(lab, "network-route") == [
            "echo 1 >/proc/sys/net/ipv4/ip_forward",
            "echo 1 >/proc/sys/net/ipv4/conf/eth0/proxy_arp",
        ]
        assert steps_of(lab, "vif-route")[:6] == [
            "ifconfig vif1.0 192.0.2.1 netmask 255.255.255.255 up",
            "echo 1 >/proc/sys/net/ipv4/conf/vif1.0/proxy_arp",
            "ip route add 192.0.2.11 dev vif1.0 src 192.0.2.1",
            "ifconfig vif2.0 192.0.2.1 netmask 255.255.255.255 up",
            "echo 1 >/proc/sys/net/ipv4/conf/vif2.0/proxy_arp",
            "ip route add 192.0.2.12 dev vif2.0 src 192.0.2.1",
        ]
        settings = lab.host("dom0").namespace.sysctls
        names = ("ip_forward", "conf/eth0/proxy_arp", "conf/vif2.0/proxy_arp")
        assert [settings[f"net/ipv4/{name}"] for name in names] == [1, 1, 1]
        assert routes_to_vifs(lab, "dom0") == {
            "192.0.2.11": "vif1.0",
            "192.0.2.12": "vif2.0",
            "203.0.113.9": "vif3.0",
        }


def test_guests_reach_neighbours_each_other_and_what_is_behind_routers() -> None:
    with Lab.from_text(LAB) as lab:
        for source, target in (
            ("vm1", "192.0.2.1"),
            ("vm1", "192.0.2.100"),
            ("vm1", "192.0.2.12"),
            ("vm1", "198.51.100.2"),
            ("far-off", "198.51.100.2"),
        ):
            assert lab.vm(source).ping(target, count=2).received == 2, (source, target)
        assert lab.router("ext").ping("192.0.2.12", count=2).received == 2
        ext = lab.router("ext")
        dom0_mac = mac_text(lab.host("dom0").namespace.interface("eth0").device.mac)
        assert ext.arping("192.0.2.12", count=1).mac == dom0_mac


def test_a_guest_that_moves_takes_its_route_along() -> None:
    move = """
scenario:
  - move: {vm: vm2, to: other}
  - ping: {from: vm2, to: vm1, count: 2}
    expect: {received: 2}
"""
    with Lab.from_text(LAB + move) as lab:
        before = set(lab.host("dom0").namespace.interfaces)
        assert lab.run().held
        dom0 = lab.host("dom0").namespace
        assert before - set(dom0.interfaces) == {"vif2.0"}
        assert "192.0.2.12" not in routes_to_vifs(lab, "dom0")
        assert routes_to_vifs(lab, "other") == {"192.0.2.12": "vif1.0"}
        assert dom0.owner_of(dom0.interface("eth0").addresses[0].ip) is dom0.interface("eth0")


def test_without_ip_forward_guests_reach_the_host_alone_and_the_trace_says_why() -> None:
    with Lab.from_text(LAB) as lab:
        vm1 = lab.vm("vm1")
        assert vm1.ping("192.0.2.100", count=1).received == 1
        lab.host("dom0").namespace.sysctls["net.ipv4.ip_forward"] = 0
        assert vm1.ping("192.0.2.1", count=1).received == 1
        assert vm1.ping("192.0.2.100", count=1).received == 0
        packet = Ether(dst="fe:ff:ff:ff:ff:ff") / IP(src="192.0.2.11", dst="192.0.2.100") / ICMP()
        trace = lab.trace("vm1", packet)
        assert drops_of(trace) == [("dom0:vif1.0", NOT_FOR_US)]
        assert "net.ipv4.ip_forward" in NOT_FOR_US.cure
        assert "this namespace does not forward" in str(trace)
