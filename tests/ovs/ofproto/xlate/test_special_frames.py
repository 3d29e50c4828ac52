"""Frames that are for a protocol of the switch's own: claimed, handed over, and not forwarded."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from benchmarks.dummy_switch import BRIDGE
from tests.ovs.command_switch import Switch
from tests.ovs.whole_switch import flow_lines, frame_of, outputs, switch_with
from vnet.ovs.dpif.cookies import SlowPath
from vnet.ovs.flow.flow import Flow
from vnet.ovs.ofproto.ports.ofport import OfPort

MINE = "eth_type=0x8809,dl_src=00:00:00:00:00:01,dl_dst=00:00:00:00:00:02"
OTHER = "eth_type=0x8808,dl_src=00:00:00:00:00:01,dl_dst=00:00:00:00:00:02"


@dataclass
class Listener:
    """A protocol that takes frames of one type."""

    slow_path: SlowPath = SlowPath.LACP
    heard: list[tuple[str, bytes]] = field(default_factory=list)

    def claims(self, flow: Flow, _wc: Flow) -> bool:
        return flow.dl_type == 0x8809

    def receive(self, port: OfPort, frame: bytes) -> None:
        self.heard.append((port.name, frame))


@pytest.fixture
def switch() -> Switch:
    return switch_with(["actions=output:2"])


def port_of(switch: Switch, name: str, bridge: str = BRIDGE) -> OfPort:
    port = switch.bridge(bridge).port_by_name(name)
    assert port is not None
    return port


def test_a_claimed_frame_goes_to_its_protocol_each_time_and_nowhere_else(switch: Switch) -> None:
    listener = Listener()
    port_of(switch, "p1").add_protocol(listener)
    frame = frame_of(MINE)
    assert outputs(switch, "p1", frame) == outputs(switch, "p1", frame) == []
    assert listener.heard == [("p1", frame)] * 2
    assert "n_packets=2" in flow_lines(switch)[-1]
    assert not switch.datapath.drops, "it has arrived, and is no loss"


def test_other_frames_and_other_ports_are_forwarded(switch: Switch) -> None:
    listener = Listener()
    port_of(switch, "p1").add_protocol(listener)
    assert outputs(switch, "p1", frame_of(OTHER)) == ["p2"]
    assert outputs(switch, "p3", frame_of(MINE)) == ["p2"]
    assert not listener.heard


def test_a_protocol_that_has_left_hears_nothing(switch: Switch) -> None:
    listener = Listener()
    port = port_of(switch, "p1")
    port.add_protocol(listener)
    port.remove_protocol(listener)
    assert outputs(switch, "p1", frame_of(MINE)) == ["p2"]
    assert not listener.heard


def test_of_two_protocols_the_one_with_the_lower_reason_gets_the_frame(switch: Switch) -> None:
    first, second = Listener(SlowPath.CFM), Listener(SlowPath.LACP)
    port = port_of(switch, "p1")
    port.add_protocol(second)
    port.add_protocol(first)
    outputs(switch, "p1", frame_of(MINE))
    assert [len(first.heard), len(second.heard)] == [1, 0]


def test_a_trace_says_why_and_hands_over_only_what_is_a_frame(switch: Switch) -> None:
    listener = Listener()
    port_of(switch, "p1").add_protocol(listener)
    text = switch.appctl(["ofproto/trace", BRIDGE, f"in_port=1,{MINE}"])
    assert "Datapath actions: drop\n" in text
    assert text.endswith("slow path because it:\n  - Consists of LACP packets.")
    assert not listener.heard
    switch.appctl(["ofproto/trace", BRIDGE, "in_port=1", frame_of(MINE).hex()])
    assert len(listener.heard) == 1


def test_a_frame_that_comes_by_a_patch_port_is_taken_there(switch: Switch) -> None:
    words = "add-br br1 -- set bridge br1 datapath_type=dummy fail-mode=secure"
    for bridge, port, peer in ((BRIDGE, "a", "b"), ("br1", "b", "a")):
        words += f" -- add-port {bridge} {port} -- set interface {port} type=patch"
        words += f" options:peer={peer} ofport_request=9"
    switch.vsctl(*words.split())
    switch.ofctl(["add-flow", BRIDGE, "priority=65535,actions=output:9"])
    switch.ofctl(["add-flow", "br1", "actions=in_port"])
    listener = Listener()
    port_of(switch, "b", "br1").add_protocol(listener)
    frame = frame_of(MINE)
    assert outputs(switch, "p1", frame) == []
    assert listener.heard == [("b", frame)]
