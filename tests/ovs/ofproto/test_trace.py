"""``ofproto/trace``: what it takes, what it refuses, and that it always ends."""

from __future__ import annotations

import pytest

from tests.ovs.command_switch import Switch
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.ofproto.trace.tracer import MAX_PASSES

IN_PORT_TWICE = (
    "duplicate in_port attribute in flow key; the flow key in error is: in_port(1),in_port(2)"
)
PACKET = "50540000000250540000000108064500001c000100004001f98cc0a80001c0a800020800f7ff00000000"


@pytest.fixture
def switch() -> Switch:
    switch = Switch()
    words = ["ovs-vsctl", "add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=dummy"]
    for number in (1, 2):
        words += ["--", "add-port", "br0", f"p{number}"]
        words += ["--", "set", "interface", f"p{number}", "type=dummy", f"ofport_request={number}"]
    switch.run(words)
    switch.run(["ovs-ofctl", "del-flows", "br0"])
    return switch


def trace(switch: Switch, *words: str) -> list[str]:
    return switch.appctl(["ofproto/trace", *words]).splitlines()


def test_a_flow_may_be_the_bridges_or_the_datapaths(switch: Switch) -> None:
    switch.run(["ovs-ofctl", "add-flow", "br0", "in_port=1,actions=2"])
    by_bridge = trace(switch, "br0", "in_port=1")
    assert by_bridge[-1] == "Datapath actions: 2"
    assert trace(switch, "br0", "in_port=p1") == by_bridge
    by_datapath = trace(switch, "in_port(1),eth()")
    assert by_datapath[-1] == "Datapath actions: 2"
    assert trace(switch, "ovs-dummy", "in_port(p1),eth()") == by_datapath


def test_names_of_ports_on_request(switch: Switch) -> None:
    switch.run(["ovs-ofctl", "add-flow", "br0", "in_port=1,actions=2"])
    lines = trace(switch, "br0", "in_port=1", "--names")
    assert lines[0].startswith("Flow: in_port=p1,")
    assert lines[-1] == "Datapath actions: p2"


def test_a_packet_has_its_effects_and_a_bare_flow_has_none(switch: Switch) -> None:
    switch.run(["ovs-ofctl", "add-flow", "br0", "actions=NORMAL"])
    table = switch.bridge("br0").switching.mac_table
    trace(switch, "br0", "in_port=1,dl_src=50:54:00:00:00:01")
    assert len(table) == 0
    trace(switch, "br0", "in_port=1", PACKET)
    assert len(table) == 1
    trace(switch, "br0", "in_port=2,dl_src=50:54:00:00:00:02", "-generate")
    assert len(table) == 2


def test_a_connection_is_new_unless_the_user_says_otherwise(switch: Switch) -> None:
    switch.run(["ovs-ofctl", "add-flow", "br0", "ip,ct_state=-trk,actions=ct(table=0)"])
    switch.run(["ovs-ofctl", "add-flow", "br0", "ip,ct_state=+trk+est,actions=2"])
    lines = trace(switch, "br0", "in_port=1,ip")
    assert lines[-1] == "Datapath actions: drop"
    assert any("default ct_state=trk|new" in line for line in lines)
    lines = trace(switch, "br0", "in_port=1,ip", "--ct-next", "trk,est")
    assert lines[-1] == "Datapath actions: 2"
    assert "recirc(0x2) - resume conntrack with ct_state=est|trk" in lines


def test_an_endless_recirculation_ends(switch: Switch) -> None:
    switch.run(["ovs-ofctl", "add-flow", "br0", "ip,actions=ct(table=0)"])
    lines = trace(switch, "br0", "in_port=1,ip")
    assert lines[-1] == f"No more than {MAX_PASSES} recirculations are traced."


def test_actions_of_a_packet_out_stand_in_for_the_tables(switch: Switch) -> None:
    words = ["ofproto/trace-packet-out", "br0", "in_port=1", "mod_dl_src:02:00:00:00:00:01,2"]
    assert switch.appctl(words).endswith("Datapath actions: set(eth(src=02:00:00:00:00:01)),2")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["br9", "in_port=1"], "br9: unknown bridge"),
        (["in_port=1"], "syntax error at in_port=1 (or the bridge name was omitted)"),
        (["in_port(1),in_port(2)"], IN_PORT_TWICE),
        (["ovs-dummy", "in_port(1),in_port(2)"], IN_PORT_TWICE),
        (["br0", "in_port(1),in_port(2)"], "Cannot find the datapath"),
        (["br0", "in_port=9,no_such=1"], "Bad openflow flow syntax: "),
        (["in_port(77),eth()"], "no OpenFlow port for datapath port 77"),
        (["recirc_id(5),in_port(1),eth()"], "no recirculation data for recirc_id 0x5"),
        (["br0", "in_port=1", "--what"], "--what: unknown option"),
        (["br0", "in_port=1", "--l7"], "Missing argument for option --l7"),
        (["br0", "in_port=1", "--l7", "0x"], "Trailing garbage in packet data"),
        (["br0", "in_port=1", "--l7-len", "64001"], "64001: too much L7 data"),
        (["br0", "in_port=1", "00"], "Packet data too short for Ethernet"),
        (["br0", "in_port=1", "--ct-next", "old"], "old: unknown connection tracking state flag"),
        (["br0", "in_port=1", "--ct-next", "trk,inv,new"], "new|inv|trk: invalid connection state"),
        (["br0", "in_port=1", PACKET, "more"], "too many arguments"),
        ([], '"ofproto/trace" command requires at least 1 arguments'),
    ],
)
def test_what_cannot_be_traced_is_refused_in_open_vswitchs_words(
    switch: Switch, words: list[str], sentence: str
) -> None:
    with pytest.raises(OvsTextError) as refusal:
        trace(switch, *words)
    assert refusal.value.what.startswith(sentence)
