"""Roles, generations, and what connections are told unasked; answers are recorded from
ovs-vswitchd 3.1."""

from __future__ import annotations

from tests.ovs.connmgr.talk import Peer
from tests.ovs.whole_switch import frame_of, switch_with
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.openflow.messages import PortConfig, PortMod
from vnet.ovs.openflow.version import OpenFlowVersion

OF10, OF13, OF15 = OpenFlowVersion.OF10, OpenFlowVersion.OF13, OpenFlowVersion.OF15

PRIMARY_5 = "18 00000002000000000000000000000005"
SECONDARY_4 = "18 00000003000000000000000000000004"
SECONDARY_6 = "18 00000003000000000000000000000006"
PORT_MOD = "10 00000001 00000000 aa55aa550001 0000 00000010 00000010 00000000 00000000"


def test_who_comes_with_an_older_generation_gets_no_role() -> None:
    switch = switch_with(n_ports=2)
    one, other = Peer(switch, OF13), Peer(switch, OF13)
    assert one.say(PRIMARY_5) == ["19 00000002000000000000000000000005"]
    refusal = other.say(SECONDARY_4)
    assert [answer[:11] for answer in refusal] == ["01 000b0000"], "OFPRRFC_STALE"
    assert other.say(SECONDARY_6) == ["19 00000003000000000000000000000006"]


def test_a_second_primary_makes_the_first_one_look_on() -> None:
    switch = switch_with(n_ports=2)
    one, other = Peer(switch, OF13), Peer(switch, OF15)
    one.say(PRIMARY_5)
    assert other.say(PRIMARY_5) == ["19 00000002000000000000000000000005"]
    told = "04 4f4e4600 00000777 00000003 00000000 0000000000000005".replace(" ", "")
    assert one.take() == [f"{told[:2]} {told[2:]}"]
    assert [answer[:11] for answer in one.say(PORT_MOD)] == ["01 0001000a"], "OFPBRC_IS_SECONDARY"


def test_who_has_changed_a_port_is_told_of_it_from_1_5_on_only() -> None:
    switch = switch_with(n_ports=2)
    peers = [Peer(switch, version, is_primary=True) for version in (OF10, OF13, OF15)]
    mac = switch.bridge().ports[OfpPort(1)].mac.hex()
    said = f"10 00000001 00000000 {mac} 0000 00000040 00000040 00000000 00000000"
    assert peers[1].say(said) == []
    assert [[told[:5] for told in peer.take()] for peer in peers] == [["0c 02"], [], ["0c 02"]]
    switch.bridge().port_mod(PortMod(OfpPort(1), PortConfig.NONE, PortConfig.NO_PACKET_IN))
    assert [len(peer.take()) for peer in peers] == [1, 1, 1]
    switch.bridge().port_mod(PortMod(OfpPort(1), PortConfig.NO_STP, PortConfig.NO_STP))
    assert [len(peer.take()) for peer in peers] == [1, 0, 0], "later versions cannot say it"


def test_ports_come_and_go_before_the_eyes_of_controllers() -> None:
    switch = switch_with(n_ports=2)
    controller, tool = Peer(switch, OF13, is_primary=True), Peer(switch, OF13)
    switch.vsctl("add-port", "br0", "p9", "--", "set", "interface", "p9", "type=dummy")
    switch.settle()
    switch.vsctl("del-port", "p2")
    told = controller.take()
    assert [said[:5] for said in told] == ["0c 00", "0c 02", "0c 01"]
    states = [said[-56:-48] for said in told[:2]]
    assert states == ["00000000", "00000004"], "its link is looked at when it is there"
    assert tool.take() == []


def test_ports_that_come_into_a_bond_are_live_once_lacp_says_so() -> None:
    switch = switch_with(n_ports=2)
    controller = Peer(switch, OF13, is_primary=True)
    switch.vsctl(
        *("add-bond", "br0", "bond", "p8", "p9", "lacp=active", "bond_mode=active-backup"),
        *("--", "set", "interface", "p8", "type=dummy", "--", "set", "interface", "p9"),
        "type=dummy",
    )
    switch.settle()
    told = controller.take()
    assert [(said[:5], said[-56:-48]) for said in told] == [("0c 00", "00000000")] * 2


def test_a_port_is_set_down_before_its_link_is() -> None:
    switch = switch_with(n_ports=2)
    peer = Peer(switch, OF13, is_primary=True)
    ports, down = switch.bridge().ports, PortConfig.PORT_DOWN
    switch.bridge().port_mod(PortMod(OfpPort(1), down, down))
    switch.bridge().port_mod(PortMod(OfpPort(1), PortConfig.NONE, down))
    device = ports[OfpPort(1)].device
    assert device is not None
    device.set_admin(False)
    device.set_admin(True)
    assert [(said[-57], said[-49]) for said in peer.take()] == [
        *(("1", "0"), ("1", "1"), ("0", "1"), ("0", "4")),
        *(("0", "0"), ("1", "1"), ("0", "4")),
    ], "configuration and state"


def test_packets_without_a_flow_come_up_while_an_old_controller_hears_of_them() -> None:
    switch = switch_with()
    switch.vswitchd.backer.packet_in_sink = None
    frame = frame_of("udp,nw_src=10.0.0.1,nw_dst=10.0.0.2,udp_dst=53")
    switch.inject("p1", frame)
    version = switch.bridge().version
    tool = Peer(switch, OF10)
    assert switch.bridge().version == version, "who is not told changes nothing"
    tool.say("09 0000 0080", "12")
    switch.inject("p1", frame)
    assert [told[:2] for told in tool.take()] == ["0a"]
    assert switch.bridge().version == version + 1
    tool.ofconn.closed()
    assert switch.bridge().version == version + 2
