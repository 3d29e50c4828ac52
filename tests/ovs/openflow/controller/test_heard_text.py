"""What a controller hears, printed as ovs-ofctl prints it: recorded, and held against it."""

from __future__ import annotations

import subprocess

import pytest

from tests.ovs.private_ovs import IS_INSTALLED
from vnet.base.ids import Mac
from vnet.ovs.flow.match import CATCHALL
from vnet.ovs.flow.names import Names
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.openflow.controller.heard import hear
from vnet.ovs.openflow.controller.heard_text import heard_text, is_news
from vnet.ovs.openflow.controller.said import encode_request
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import (
    FlowRemoved,
    FlowUpdate,
    FlowUpdateEvent,
    MeterModCommand,
    PacketIn,
    PacketInFormat,
    PortDesc,
    PortMod,
    PortReason,
    PortStatus,
    RemovedReason,
)
from vnet.ovs.openflow.messages.port import PortConfig, PortFeatures, PortState
from vnet.ovs.openflow.ofpacts import PacketInReason
from vnet.ovs.openflow.text.flow_mod import read_flow
from vnet.ovs.openflow.text.flow_monitor import read_flow_monitor
from vnet.ovs.openflow.text.group import read_group
from vnet.ovs.openflow.text.meter import parse_meter
from vnet.ovs.openflow.text.packet_out import read_packet_out
from vnet.ovs.openflow.version import OpenFlowVersion, most_able_protocol
from vnet.ovs.openflow.wire import kinds
from vnet.ovs.openflow.wire.errors import error
from vnet.ovs.openflow.wire.flow import (
    encode_flow_monitor_pause,
    encode_flow_monitor_request,
    encode_flow_removed,
    encode_flow_update,
    update_kind,
)
from vnet.ovs.openflow.wire.message import Message
from vnet.ovs.openflow.wire.packet.packet_in import encode_packet_in
from vnet.ovs.openflow.wire.packing import pack, pack_multipart
from vnet.ovs.openflow.wire.port.description import encode_port_status

OF10, OF13 = OpenFlowVersion.OF10, OpenFlowVersion.OF13
UDP = "50540000000a50540000000908004500001c0000000040117cce0a0000010a00000200350035000800000000"
UDP_TEXT = (
    "udp,vlan_tci=0x0000,dl_src=50:54:00:00:00:09,dl_dst=50:54:00:00:00:0a,nw_src=10.0.0.1,"
    "nw_dst=10.0.0.2,nw_tos=0,nw_ecn=0,nw_ttl=64,nw_frag=no,tp_src=53,tp_dst=53 udp_csum:0"
)


def message(raw: bytes) -> Message:
    return Message(raw[0], raw[1], int.from_bytes(raw[4:8], "big"), raw)


def packet_in(version: OpenFlowVersion) -> bytes:
    packet = read_packet_out(f"in_port=1,reg0=5,packet={UDP}").packet_out
    came = PacketIn(packet.frame, PacketInReason.ACTION, 2, 7, packet.pipeline, userdata=b"\1\2")
    return encode_packet_in(came, PacketInFormat.NXT_PACKET_IN2, version)


def port_status(version: OpenFlowVersion) -> bytes:
    features = PortFeatures.FD_1GB | PortFeatures.COPPER | PortFeatures.PAUSE
    desc = PortDesc(
        *(OfpPort(4), "p4", Mac(b"\2\0\0\0\0\4"), PortConfig.PORT_DOWN, PortState.LINK_DOWN),
        *(features, PortFeatures.AUTONEG),
        current_kbps=1_000_000,
        max_kbps=10_000_000,
    )
    body = encode_port_status(PortStatus(PortReason.DELETE, desc), version)
    return pack(kinds.OFPT_PORT_STATUS, version, 0, body)


def flow_removed(version: OpenFlowVersion) -> bytes:
    match = read_flow("priority=9,tcp,in_port=1,actions=drop", None).mod.match
    removed = FlowRemoved(match, 9, 0, 5, 3, 1_022_000_000, 10, 0, 4, 240)
    return encode_flow_removed(removed, most_able_protocol(version))


def refused_flow(version: OpenFlowVersion) -> bytes:
    mod = read_flow("modify priority=3,ip,in_port=1,actions=group:9,output:2", None).mod
    return error(version, 6, "OFPBAC_BAD_OUT_GROUP", encode_request(mod, version, 6))


def refused_group(version: OpenFlowVersion) -> bytes:
    text = "group_id=3,type=select,bucket=weight=2,output:1,bucket=weight=1,output:2"
    mod = read_group(text, None).mod
    return error(version, 6, "OFPGMFC_GROUP_EXISTS", encode_request(mod, version, 6))


def refused_meter(version: OpenFlowVersion) -> bytes:
    text = "meter=3 kbps burst band=type=drop rate=9 burst_size=2"
    mod = parse_meter(text, MeterModCommand.MODIFY)
    return error(version, 6, "OFPMMFC_UNKNOWN_METER", encode_request(mod, version, 6))


def refused_packet(version: OpenFlowVersion) -> bytes:
    packet_out = read_packet_out(f"in_port=1,packet={UDP},actions=group:8").packet_out
    request = encode_request(packet_out, version, 6)
    return error(version, 6, "OFPBAC_BAD_OUT_GROUP", request)


def flow_updates(version: OpenFlowVersion) -> bytes:
    mod = read_flow("priority=9,tcp,in_port=1,actions=dec_ttl,output:2", None).mod
    told = (
        FlowUpdate(FlowUpdateEvent.ADDED, match=mod.match, actions=mod.actions, table_id=3),
        FlowUpdate(FlowUpdateEvent.MODIFIED, 0, 0, 0, 9, 5, 7, 0x1F, CATCHALL, mod.actions),
        FlowUpdate(FlowUpdateEvent.REMOVED, reason=RemovedReason.HARD_TIMEOUT, match=mod.match),
        FlowUpdate(FlowUpdateEvent.ABBREV, 0x77),
        FlowUpdate(FlowUpdateEvent.ADDED),
    )
    entries = [encode_flow_update(update, version) for update in told]
    (message,) = pack_multipart(update_kind(version), version, 0, entries)
    return message


def flow_monitor(version: OpenFlowVersion) -> bytes:
    text = "!initial,!own,table=2,out_port=3,tcp,tcp_dst=80"
    return encode_flow_monitor_request(read_flow_monitor(text, 5).request, version, 2)


def flow_monitor_of_all(version: OpenFlowVersion) -> bytes:
    return encode_flow_monitor_request(read_flow_monitor("").request, version, 2)


def telling_pauses(version: OpenFlowVersion) -> bytes:
    return encode_flow_monitor_pause(FlowUpdateEvent.PAUSED, version)


def port_mod(version: OpenFlowVersion) -> bytes:
    config, mask = PortConfig.PORT_DOWN, PortConfig.PORT_DOWN | PortConfig.NO_RECV
    mod = PortMod(OfpPort(3), config, mask, Mac(b"\2\0\0\0\0\4"), PortFeatures.FD_1GB)
    return encode_request(mod, version, 2)


def port_mod_of_little(version: OpenFlowVersion) -> bytes:
    mod = PortMod(OfpPort(3), PortConfig.NONE, PortConfig.NO_FWD)
    return encode_request(mod, version, 2)


MESSAGES = {
    "packet-in": packet_in,
    "port status": port_status,
    "flow removed": flow_removed,
    "refused flow": refused_flow,
    "refused group": refused_group,
    "refused meter": refused_meter,
    "refused packet": refused_packet,
}
OTHERS = {
    "flow updates": flow_updates,
    "flow monitor": flow_monitor,
    "flow monitor of all": flow_monitor_of_all,
    "telling pauses": telling_pauses,
    "port mod": port_mod,
    "port mod of little": port_mod_of_little,
}
"""What nobody is told unasked."""


def test_a_refusal_quotes_what_is_refused() -> None:
    assert heard_text(hear(message(refused_packet(OF13)))) == (
        "OFPT_ERROR (OF1.3) (xid=0x6): OFPBAC_BAD_OUT_GROUP\n"
        "OFPT_PACKET_OUT (OF1.3) (xid=0x6): in_port=1 actions=group:8 data_len=44\n" + UDP_TEXT
    )


def test_of_who_speaks_openflow_whole_quotes_say_what_open_vswitch_lacks() -> None:
    names = Names(openflow_full=True)
    mod = read_flow("dl_type=0x88e7,pbb_isid=7,actions=pop_pbb,group:9", None, names).mod
    refused = error(OF13, 6, "OFPBAC_BAD_OUT_GROUP", encode_request(mod, OF13, 6))
    assert heard_text(hear(message(refused)), names) == (
        "OFPT_ERROR (OF1.3) (xid=0x6): OFPBAC_BAD_OUT_GROUP\n"
        "OFPT_FLOW_MOD (OF1.3) (xid=0x6): ADD dl_type=0x88e7,pbb_isid=7 actions=pop_pbb,group:9"
    )
    assert "***decode error: OFPBMC_BAD_FIELD***" in heard_text(hear(message(refused)))


def test_packets_flows_and_ports_are_news_and_answers_are_not() -> None:
    assert all(is_news(hear(message(make(OF13)))) for make in MESSAGES.values())
    assert not is_news(hear(message(pack(kinds.OFPT_BARRIER_REPLY, OF13, 1))))


def test_what_cannot_be_read_is_told_as_such() -> None:
    raw = bytearray(port_status(OF13))
    raw[8] = 9  # No such reason.
    assert heard_text(hear(message(bytes(raw)))) == (
        "OFPT_PORT_STATUS (OF1.3) (xid=0x0): ***decode error: NXBRC_BAD_REASON***"
    )
    with pytest.raises(OpenFlowError, match="OFPBRC_BAD_TYPE"):
        hear(message(bytes((4, 99, 0, 8, 0, 0, 0, 1))))


def test_an_error_that_nobody_knows_is_told_by_number() -> None:
    raw = pack(kinds.OFPT_ERROR, OF13, 1, b"\0\x63\0\x07")
    assert heard_text(hear(message(raw))) == (
        "OFPT_ERROR (OF1.3) (xid=0x1): vendor 0x0, type 99, code 7"
    )


@pytest.mark.ovs
@pytest.mark.skipif(not IS_INSTALLED, reason="Open vSwitch is not installed")
@pytest.mark.parametrize("version", OpenFlowVersion)
@pytest.mark.parametrize("name", MESSAGES | OTHERS)
def test_ovs_ofctl_prints_the_same(name: str, version: OpenFlowVersion) -> None:
    if name == "refused meter" and version < OF13:
        return  # There are no meters yet.
    raw = (MESSAGES | OTHERS)[name](version)
    command = ["ovs-ofctl", "ofp-print", raw.hex(), "1"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert heard_text(hear(message(raw))) == printed.rstrip("\n")
