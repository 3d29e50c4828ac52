"""A bridge with controllers has no flows of its own, but for a time in which they are away."""

from __future__ import annotations

from tests.ovs.vswitchd.test_reconcile import Switch
from vnet.base.units import NS_PER_S
from vnet.ovs.ofproto.dump.flows import dump_all_flows
from vnet.ovs.openflow.messages import PacketIn
from vnet.ovs.openflow.ofpacts import PacketInReason
from vnet.ovs.openflow.text.packet import packet_text


def flows(switch: Switch) -> list[str]:
    """Those of table 0 without their counts, but for in-band control's."""
    found = dump_all_flows(switch.vswitchd.bridges["br0"], shows_offload=False)
    shown = [line.partition("n_bytes=0, ")[2] for line in found if not line.startswith("table_id")]
    return [line for line in shown if not line.startswith("priority=18000")]


def test_without_controllers_a_bridge_learns_and_with_them_it_waits() -> None:
    switch = Switch("add-br br0", "set-controller br0 tcp:127.0.0.1:6653")
    assert flows(switch) == []
    switch.scheduler.run(14 * NS_PER_S)
    assert flows(switch) == []
    switch.scheduler.run(15 * NS_PER_S)
    assert flows(switch) == ["priority=15790320,actions=NORMAL"], "three probes later"
    switch.vsctl("set-fail-mode br0 secure")
    assert flows(switch) == []
    switch.vsctl("set-fail-mode br0 standalone")
    assert flows(switch) == ["priority=15790320,actions=NORMAL"]
    switch.vsctl("del-controller br0")
    assert flows(switch) == ["priority=0,actions=NORMAL"]


def test_who_only_waits_for_others_keeps_its_flows() -> None:
    switch = Switch("add-br br0", "set-controller br0 ptcp:6653")
    assert flows(switch) == ["priority=0,actions=NORMAL"]
    switch.vsctl("set-controller br0 ptcp:6653 -- set controller br0 type=primary")
    assert flows(switch) == []


def test_a_secure_bridge_is_never_without_its_controllers() -> None:
    switch = Switch(
        "add-br br0", "set-fail-mode br0 secure", "set-controller br0 tcp:127.0.0.1:6653"
    )
    switch.scheduler.run(100 * NS_PER_S)
    assert flows(switch) == []


def test_a_controller_that_admits_the_bridge_has_it_back() -> None:
    target = "tcp:127.0.0.1:6653"
    switch = Switch("add-br br0", f"--inactivity-probe=2000 set-controller br0 {target}")
    control = switch.vswitchd.running["br0"].control.fail_open
    switch.scheduler.run(6 * NS_PER_S)
    assert flows(switch) == ["priority=15790320,actions=NORMAL"]
    control.admitted(target)
    assert flows(switch) == []
    switch.scheduler.run(60 * NS_PER_S)
    assert flows(switch) == []
    control.dropped(target)
    switch.scheduler.run(66 * NS_PER_S)
    assert flows(switch) == ["priority=15790320,actions=NORMAL"]


def test_who_is_there_and_does_not_admit_the_bridge_is_shown_a_frame_now_and_then() -> None:
    target = "tcp:127.0.0.1:6653"
    switch = Switch("add-br br0", f"--inactivity-probe=2000 set-controller br0 {target}")
    shown: list[PacketIn] = []
    bridge = switch.vswitchd.bridges["br0"]
    bridge.packet_in_sink = lambda packet_in: shown.append(packet_in)
    control = switch.vswitchd.running["br0"].control.fail_open
    switch.scheduler.run(10 * NS_PER_S)
    control.reached(target)
    switch.scheduler.run(15 * NS_PER_S)
    assert [packet_in.reason for packet_in in shown] == [PacketInReason.NO_MATCH] * 2
    assert packet_text(shown[0].frame).startswith("rarp,")
    control.admitted(target)
    switch.scheduler.run(30 * NS_PER_S)
    assert len(shown) == 2
