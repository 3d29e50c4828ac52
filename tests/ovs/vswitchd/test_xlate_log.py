"""What goes wrong with packets is in the log, as Open vSwitch 3.1 says it."""

from __future__ import annotations

from tests.ovs.vswitchd.row_switch import RowSwitch, dummy
from vnet.base.units import NS_PER_S
from vnet.ovs.openflow.messages import FlowModCommand
from vnet.ovs.openflow.text.flow_mod import parse_flow
from vnet.ovs.vswitchd.appctl.table import appctl

PING = bytes.fromhex(
    "505400000007 505400000005 08004500001c000000004001f98d c0a80001 c0a80002 0800f7ff00000000"
).ljust(60, b"\0")
SEEN = (
    "icmp,in_port=1,vlan_tci=0x0000,dl_src=50:54:00:00:00:05,dl_dst=50:54:00:00:00:07,"
    "nw_src=192.168.0.1,nw_dst=192.168.0.2,nw_tos=0,nw_ecn=0,nw_ttl=64,nw_frag=no,"
    "icmp_type=8,icmp_code=0"
)


def said_of(flow: str, n_frames: int, module: str = "ofproto_dpif_xlate") -> list[str]:
    switch = RowSwitch()
    switch.add_bridge("br0", dummy("p1", ofport_request=1))
    bridge = switch.vswitchd.bridges["br0"]
    bridge.flow_mod(parse_flow(flow, FlowModCommand.ADD))
    appctl(switch.vswitchd, "ofproto/trace", ["br0", "in_port=1"])
    for _ in range(n_frames):
        appctl(switch.vswitchd, "dpctl/del-flows", [])
        switch.devices["p1"].deliver(PING)
        switch.scheduler.run(switch.scheduler.now_ns + NS_PER_S)
    return [line for line in switch.log.lines if line.startswith(f"{module}|")]


def test_what_goes_wrong_is_said_with_the_packet_five_times_and_not_for_traces() -> None:
    line = f"ofproto_dpif_xlate|WARN|stack underflow on bridge br0 while processing {SEEN}"
    assert said_of("actions=pop:NXM_NX_REG0[],2", 7) == [line] * 5


def test_packets_that_go_round_in_circles_are_told_of() -> None:
    (line,) = said_of("actions=resubmit(,0)", 1)
    wanted = "ofproto_dpif_xlate|WARN|over max translation depth 64 on bridge br0 while processing"
    assert line == f"{wanted} {SEEN}"


def test_packets_that_go_round_in_circles_are_traced_in_the_log_once_a_minute() -> None:
    (said,) = said_of("actions=resubmit(,0)", 3, "ofproto_dpif_upcall")
    lines = said.splitlines()
    assert lines[:3] == [f"ofproto_dpif_upcall|WARN|Flow: {SEEN}", "", 'bridge("br0")']
    assert sum(line.strip() == "resubmit(,0)" for line in lines) == 65
    assert lines[-1] == "Translation failed (Recursion too deep), packet is dropped."
