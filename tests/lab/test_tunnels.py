"""Tunnels between the hosts of a lab."""

from __future__ import annotations

import pytest

from vnet.base.errors import TopologyError
from vnet.lab.lab import Lab
from vnet.netdev.device import NetDevice
from vnet.ovs.vswitchd.appctl.table import appctl
from vnet.topology.load import parse_topology

TWO_HOSTS = """\
version: 1
name: tunnels
hosts:
  h1:
    hypervisor: kvm
    nics: {eth0: {ip: 192.0.2.1/24, mtu: %(mtu)s}}
    switches:
      br-phy: {type: ovs, uplink: eth0}
      br-int: {type: ovs, %(flows)s ports: {%(first)s}}
  h2:
    hypervisor: kvm
    nics: {eth0: {ip: 192.0.2.2/24, mtu: %(mtu)s}}
    switches:
      br-phy: {type: ovs, uplink: eth0}
      br-int: {type: ovs, ports: {%(second)s}}
vms:
  vm1: {host: h1, vnics: [{switch: br-int, ip: 10.0.0.1/24}]}
  vm2: {host: h2, vnics: [{switch: br-int, ip: 10.0.0.2/24}]}
links:
  - {ends: ['h1:eth0', 'h2:eth0'], latency: 1ms, mtu: %(mtu)s}
"""
ONE_WAY = "flows: ['in_port=vnet0,actions=tun'], fail_mode: secure,"
"""What vm1 sends goes through the tunnel and nowhere else."""


def tunnel(kind: str = "vxlan", remote: str = "192.0.2.2", **options: str) -> str:
    words = ", ".join(
        f"{name}: {value}" for name, value in {"remote_ip": remote, **options}.items()
    )
    return f"tun: {{type: {kind}, options: {{{words}}}}}"


def file(first: str = "", second: str = "", *, flows: str = "", mtu: int = 1600) -> str:
    words = {"first": first or tunnel(), "second": second or tunnel(remote="192.0.2.1")}
    return TWO_HOSTS % {**words, "flows": flows, "mtu": mtu}


def lab(*args: str, **options: object) -> Lab:
    return Lab.from_text(file(*args, **options))  # type: ignore[arg-type]


def drops(running: Lab, device: str) -> dict[str, int]:
    return {reason.word: n for reason, n in _device(running, device).drops.items()}


def _device(running: Lab, label: str) -> NetDevice:
    return next(d for d in running.network.devices() if d.label == label)


@pytest.mark.parametrize(
    ("kind", "more_bytes", "options"),
    [
        ("vxlan", 50, {}),
        ("vxlan", 50, {"key": "77", "csum": "true", "dst_port": "8472"}),
        ("geneve", 50, {"key": "5"}),
        ("gre", 38, {}),
        ("gre", 42, {"key": "1280256"}),
        ("gre", 46, {"key": "1280256", "csum": "true"}),
        ("gre", 46, {"key": "7", "seq": "true"}),
    ],
)
def test_guests_reach_each_other_through_a_tunnel(
    kind: str, more_bytes: int, options: dict[str, str]
) -> None:
    ends = tunnel(kind, **options), tunnel(kind, "192.0.2.1", **options)
    with lab(*ends) as running:
        assert running.vm("vm1").ping("vm2", count=2).received == 2
        before = _device(running, "h1:eth0").tx_bytes
        assert running.vm("vm1").ping("vm2", count=1).received == 1
        assert _device(running, "h1:eth0").tx_bytes - before == 98 + more_bytes


def test_one_megaflow_leads_through_both_bridges() -> None:
    with lab() as running:
        running.vm("vm1").ping("vm2", count=3)
        flows = running.switch("h1:br-int").dump_megaflows(names=True)
    (through,) = (
        flow for flow in flows if "tnl_push" in flow and "ipv4(" in flow.split("actions")[0]
    )
    assert "in_port(vnet0)" in through
    assert through.endswith("out_port(br-phy)),eth0")


def test_a_tunnel_to_where_no_route_leads_loses_frames_by_name() -> None:
    with lab(tunnel(remote="203.0.113.9"), flows=ONE_WAY) as running:
        running.vm("vm1").ping("10.0.0.2", count=1)
        assert set(drops(running, "h1:vnet0")) == {"ovs-tunnel-no-route"}


def test_the_frame_that_finds_no_neighbour_is_lost_by_name_and_asks() -> None:
    with lab(flows=ONE_WAY) as running:
        running.advance("1ms")
        sent = _device(running, "h1:eth0").tx_packets
        running.vm("vm1").arping("10.0.0.2", count=1)
        assert drops(running, "h1:vnet0") == {"ovs-tunnel-no-neighbor": 1}
        assert _device(running, "h1:eth0").tx_packets == sent + 1
        shown = appctl(running.switch("h1:br-int").machine.vswitchd, "tnl/neigh/show")
    assert shown.splitlines()[2].split()[0] == "192.0.2.2"


def test_frames_too_large_for_the_underlay_are_lost_where_they_would_leave() -> None:
    with lab(mtu=1500) as running:
        assert running.vm("vm1").ping("vm2", count=1, size=1422, df=True).received == 1
        assert running.vm("vm1").ping("vm2", count=1, size=1423, df=True).received == 0
        assert drops(running, "h1:eth0") == {"ovs-port-mtu": 1}


def test_addresses_and_routes_that_come_later_are_taken_up_at_once() -> None:
    with lab() as running:
        assert running.vm("vm1").ping("vm2", count=1).received == 1
        namespace = running.host("h1").namespace
        (address,) = namespace.interface("br-phy").addresses
        namespace.delete_address("br-phy", address.ip)
        assert running.vm("vm1").ping("vm2", count=1).received == 0
        namespace.add_address("br-phy", address.ip, address.prefix_length)
        assert running.vm("vm1").ping("vm2", count=1).received == 1


def test_what_is_damaged_on_the_way_is_lost_at_the_tunnels_port() -> None:
    ends = tunnel(csum="true"), tunnel(remote="192.0.2.1", csum="true")
    with lab(*ends) as running:
        running.vm("vm1").ping("vm2", count=1)
        running.link("h1:eth0").set(corrupt="100%")
        running.vm("vm1").ping("vm2", count=30)
        assert drops(running, "h2:vxlan_sys_4789")["ovs-tunnel-bad-checksum"] > 10


def test_a_trace_follows_a_frame_through_the_tunnel() -> None:
    from scapy.layers.inet import ICMP, IP

    with lab() as running:
        running.vm("vm1").ping("vm2", count=1)
        text = str(running.trace("vm1", IP(dst="10.0.0.2") / ICMP()))
    for event in ("tunnel push", "tunnel pop"):
        assert event in text


# -- what a file may say


@pytest.mark.parametrize(
    ("port", "what"),
    [
        ("tun: {type: vxlan}", "tun: vxlan type requires valid 'remote_ip' argument"),
        (tunnel(remote="224.0.0.1"), "tun: multicast remote_ip=224.0.0.1 not allowed"),
        (tunnel(colour="red"), "tun: unknown vxlan argument 'colour'"),
        (tunnel(tos="3"), "tun: invalid TOS 3"),
        (tunnel(packet_type="legacy_l3"), "cannot carry L3 traffic"),
        (tunnel(local_ip="flow"), "tun: vxlan type requires 'remote_ip=flow' with 'local_ip=flow'"),
        (
            f"{tunnel()}, {tunnel().replace('tun:', 'other:')}",
            "other: tunnel port with same config as port 'tun'",
        ),
    ],
)
def test_what_is_no_tunnel_is_told(port: str, what: str) -> None:
    with pytest.raises(TopologyError) as caught:
        parse_topology(file(port))
    assert what in str(caught.value)


def test_tunnels_join_bridges_in_the_graph() -> None:
    with lab() as running:
        assert running.graph.edges["h1:br-int", "h2:br-int"]["kind"] == "tunnel"


def report(running: Lab) -> dict[tuple[str, str], int]:
    return {(row.place, row.reason.word): row.frames for row in running.report().drops}


@pytest.mark.parametrize(
    ("remote", "reason"),
    [("203.0.113.9", "ovs-tunnel-no-route"), ("192.0.2.77", "ovs-tunnel-no-neighbor")],
)
def test_copies_that_find_no_way_into_the_tunnel_are_counted_though_others_arrive(
    remote: str, reason: str
) -> None:
    """A flood goes to the bridge's own device as well, so the frame as a whole is not lost."""
    with lab(tunnel(remote=remote)) as running:
        assert running.vm("vm1").ping("vm2", count=2).received == 0
        lost = report(running)["h1:tun", reason]
        asked = report(running)["h1:br-int", "arp-not-for-us"]
        assert lost == asked > 2
        assert not drops(running, "h1:vnet0")


def test_what_no_tunnel_port_is_for_dies_by_a_name_of_its_own() -> None:
    with lab(tunnel(key="100"), tunnel(remote="192.0.2.1", key="101")) as running:
        assert running.vm("vm1").ping("vm2", count=1).received == 0
        assert drops(running, "h2:vxlan_sys_4789").keys() == {"ovs-unknown-tunnel"}
