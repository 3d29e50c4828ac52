"""What is asked over a connection has the effects, and the errors, of what is asked in process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.dummy_switch import BRIDGE
from benchmarks.fuzzing.flow_tables import GROUPS
from tests.examples import examples
from tests.ovs.command_switch import Switch
from tests.ovs.connmgr.talk import Peer
from tests.ovs.test_switch_properties import CHANGES, FLOWS, state
from tests.ovs.whole_switch import switch_with
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.flow.protocols import P_OF15_OXM
from vnet.ovs.ofproto.names import names_of
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import FlowModCommand, GroupModCommand
from vnet.ovs.openflow.text.flow_mod import parse_flow
from vnet.ovs.openflow.text.group import parse_group
from vnet.ovs.openflow.text.port import parse_port_mod
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.errors import decode_error
from vnet.ovs.openflow.wire.flow import encode_flow_mod
from vnet.ovs.openflow.wire.group.group_mod import encode_group_mod
from vnet.ovs.openflow.wire.message import Message
from vnet.ovs.openflow.wire.port.description import encode_port_mod

OF15, BY_15 = OpenFlowVersion.OF15, "-OOpenFlow15"
COMMANDS = {
    "add-flow": FlowModCommand.ADD,
    "mod-flows": FlowModCommand.MODIFY,
    "del-flows": FlowModCommand.DELETE,
}


def message(switch: Switch, words: Sequence[str]) -> str:
    """What ovs-ofctl would send for a command, as a peer says it. Raises OvsTextError."""
    bridge = switch.bridge()
    command, _, text = words[:3]
    if command == "mod-port":
        mod = parse_port_mod(OfpPort(int(text[1:])), words[3])
        mod = replace(mod, mac=bridge.ports[mod.port].mac)
        return f"10 {encode_port_mod(mod, OF15).hex()}"
    if command == "mod-group":
        group = parse_group(text, GroupModCommand.MODIFY, names_of(bridge))
        return f"0f {encode_group_mod(group, OF15).hex()}"
    flow = parse_flow(text, COMMANDS[command], names_of(bridge), P_OF15_OXM)
    return f"0e {encode_flow_mod(flow, P_OF15_OXM, 7)[8:].hex()}"


def error_of(answers: list[str]) -> str | None:
    if not answers:
        return None
    body = bytes.fromhex(answers[0].partition(" ")[2])
    header = bytes((OF15, 1)) + (8 + len(body)).to_bytes(2, "big") + bytes(4)
    return decode_error(Message(OF15, 1, 0, header + body)).name


@given(FLOWS, st.lists(st.sampled_from(CHANGES), max_size=4))
@settings(max_examples=examples(10))
def test_the_way_in_makes_no_difference(flows: list[str], changes: list[list[str]]) -> None:
    told, asked = [switch_with(groups=GROUPS) for _ in range(2)]
    peer = Peer(asked, OF15)
    for words in [*(["add-flow", BRIDGE, flow] for flow in flows), *changes]:
        words = [word for word in words if word != BY_15]
        error: str | None = None
        try:
            told.ofctl([BY_15, *words])
        except OvsTextError:
            continue
        except OpenFlowError as refused:
            error = refused.name
        said = message(asked, words)
        assert error_of(peer.say(said)) == error, words
    assert state(told) == state(asked)
