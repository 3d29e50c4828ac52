"""Whatever flows a bridge has, its host reaches controllers and managers through it."""

from __future__ import annotations

from benchmarks.dummy_switch import BRIDGE
from tests.ovs.command_switch import Switch
from tests.ovs.vswitchd.test_reconcile import Switch as HostSwitch
from vnet.base.ids import IpAddress, Mac, ip_from_text
from vnet.base.units import NS_PER_S
from vnet.netdev.route_source import HostRoute, NoRoutes
from vnet.ovs.ofproto.dump.flows import dump_all_flows
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.vswitchd.reconcile import Vswitchd

LOCAL = [
    "180000,udp,in_port=LOCAL,dl_src=aa:55:aa:55:00:01,tp_src=68,tp_dst=67",
    "180001,arp,dl_dst=aa:55:aa:55:00:01,arp_op=2",
    "180002,arp,dl_src=aa:55:aa:55:00:01,arp_op=1",
]


def remote(ip: str, port: int) -> list[str]:
    return [
        f"180005,arp,arp_tpa={ip},arp_op=2",
        f"180006,arp,arp_spa={ip},arp_op=1",
        f"180007,tcp,nw_dst={ip},tp_dst={port}",
        f"180008,tcp,nw_src={ip},tp_src={port}",
    ]


def hidden(bridge: Ofproto, actions: str = "NORMAL") -> list[str]:
    """The hidden flows of table 0, all of which have the same actions."""
    found = []
    for line in dump_all_flows(bridge, shows_offload=False):
        flow, _, did = line.partition("priority=")[2].partition(",actions=")
        if flow.startswith("18000"):
            assert did == actions
            found.append(flow)
    return sorted(found)


def switch_with(*controllers: str) -> Switch:
    switch = Switch()
    switch.add_bridge(1, ["other_config:hwaddr=aa:55:aa:55:00:01"])
    switch.vsctl("set-controller", BRIDGE, *controllers)
    return switch


def test_controllers_that_are_gone_to_by_ipv4_are_let_through() -> None:
    switch = switch_with("tcp:192.0.2.1", "ssl:192.0.2.1:77", "ptcp:99:192.0.2.2", "tcp:[::1]:88")
    assert hidden(switch.bridge()) == sorted(
        {*LOCAL, *remote("192.0.2.1", 6653), *remote("192.0.2.1", 77)}
    )


def test_managers_are_let_through_unless_they_are_of_this_machine() -> None:
    switch = switch_with("ptcp:6653")
    switch.vsctl("set-manager", "tcp:192.0.2.9:66", "ssl:192.0.2.10", "tcp:127.0.0.1", "ptcp:1")
    assert hidden(switch.bridge()) == sorted(
        [*LOCAL, *remote("192.0.2.9", 66), *remote("192.0.2.10", 6640)]
    )
    switch.vsctl("del-manager")
    assert hidden(switch.bridge()) == []


def test_who_is_out_of_band_needs_no_flows_and_neither_does_anybody_of_some_bridges() -> None:
    switch = switch_with("tcp:192.0.2.1", "tcp:192.0.2.2")
    (first,) = switch.vsctl("--bare", "--columns=_uuid", "find", "controller", *_is("1")).split()
    switch.vsctl("set", "controller", first, "connection_mode=out-of-band")
    assert hidden(switch.bridge()) == sorted([*LOCAL, *remote("192.0.2.2", 6653)])
    switch.vsctl("set", "bridge", BRIDGE, "other_config:disable-in-band=true")
    assert hidden(switch.bridge()) == []


def _is(last: str) -> list[str]:
    return [f'target="tcp:192.0.2.{last}"']


def test_a_queue_for_them_is_in_their_actions() -> None:
    switch = switch_with("tcp:192.0.2.1")
    switch.vsctl("set", "bridge", BRIDGE, "other_config:in-band-queue=7")
    assert hidden(switch.bridge(), "set_queue:7,NORMAL") == [*LOCAL, *remote("192.0.2.1", 6653)]


def test_openflow_neither_shows_nor_changes_them() -> None:
    switch = switch_with("tcp:192.0.2.1")
    was = hidden(switch.bridge())
    switch.ofctl(["del-flows", BRIDGE])
    assert hidden(switch.bridge()) == was
    assert switch.ofctl(["dump-flows", BRIDGE]) == "NXST_FLOW reply (xid=0x4):"
    assert "active=0" in switch.ofctl(["dump-tables", BRIDGE])


def test_the_local_ports_new_address_is_that_of_the_flows() -> None:
    switch = switch_with("tcp:192.0.2.1")
    switch.vsctl("set", "bridge", BRIDGE, "other_config:hwaddr=aa:55:aa:55:00:02")
    flows = hidden(switch.bridge())
    assert [flow for flow in flows if ":55:" in flow] == [
        flow.replace("00:01", "00:02") for flow in LOCAL
    ]


def test_what_dhcp_servers_answer_comes_to_the_host_whatever_flows_say() -> None:
    switch = switch_with("tcp:192.0.2.1")
    answer = "in_port=1,udp,udp_src=67,udp_dst=68"
    switch.ofctl(["add-flow", BRIDGE, "actions=drop"])
    traced = switch.appctl(["ofproto/trace", BRIDGE, answer])
    assert "     -> outputting DHCP packet to local port for in-band control\n" in traced
    assert traced.endswith("tp_src=67,tp_dst=68\nDatapath actions: 100")
    switch.ofctl(["add-flow", BRIDGE, "priority=40000,udp,actions=LOCAL"])
    assert "in-band" not in switch.appctl(["ofproto/trace", BRIDGE, answer])
    switch.vsctl("del-controller", BRIDGE)
    switch.ofctl(["add-flow", BRIDGE, "actions=drop"])
    assert "in-band" not in switch.appctl(["ofproto/trace", BRIDGE, answer])


class Host(NoRoutes):
    """A host with one way out, whose gateway it comes to know."""

    def __init__(self) -> None:
        super().__init__()
        self.gateway_mac: Mac | None = None

    def route(self, _target: IpAddress) -> HostRoute | None:
        gateway = ip_from_text("198.51.100.1")
        return HostRoute(ip_from_text("0.0.0.0"), 0, gateway, BRIDGE)

    def neighbor(self, device: str, target: IpAddress) -> Mac | None:
        known = (device, target) == (BRIDGE, ip_from_text("198.51.100.1"))
        return self.gateway_mac if known else None


def with_host(host: Host) -> HostSwitch:
    switch = HostSwitch("add-br br0")
    switch.vswitchd.backer.underlay.set_host(host)
    switch.vsctl("set-controller br0 tcp:192.0.2.1")
    return switch


def of_next_hop(vswitchd: Vswitchd) -> list[str]:
    flows = hidden(vswitchd.bridges[BRIDGE])
    return [flow for flow in flows if flow.startswith(("180003", "180004"))]


def test_arp_for_the_next_hop_is_let_through_as_soon_as_the_host_knows_it() -> None:
    host = Host()
    switch = with_host(host)
    assert of_next_hop(switch.vswitchd) == []
    host.gateway_mac = Mac(bytes.fromhex("020000000001"))
    switch.scheduler.run(NS_PER_S)
    assert of_next_hop(switch.vswitchd) == [
        "180003,arp,dl_dst=02:00:00:00:00:01,arp_op=2",
        "180004,arp,dl_src=02:00:00:00:00:01,arp_op=1",
    ]
    host.gateway_mac = Mac(bytes.fromhex("020000000002"))
    switch.scheduler.run(10 * NS_PER_S)
    assert "02:00:00:00:00:01" in of_next_hop(switch.vswitchd)[0], "looked at again later"
    switch.scheduler.run(11 * NS_PER_S)
    assert "02:00:00:00:00:02" in of_next_hop(switch.vswitchd)[0]
