"""Messages that apps and switches exchange, as os-ken's codec has them: both read the other's."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.own_python import own_python
from vnet.base.ids import Mac
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.flow.protocols import P_OF10_STD
from vnet.ovs.openflow.controller.heard import hear
from vnet.ovs.openflow.controller.heard_text import heard_text
from vnet.ovs.openflow.controller.said import encode_request
from vnet.ovs.openflow.messages import (
    Capabilities,
    FlowRemoved,
    MeterModCommand,
    PacketIn,
    PacketInFormat,
    PortDesc,
    PortReason,
    PortStatus,
    SwitchFeatures,
)
from vnet.ovs.openflow.messages.port import PortConfig, PortState
from vnet.ovs.openflow.ofpacts import PacketInReason
from vnet.ovs.openflow.text.flow_mod import read_flow
from vnet.ovs.openflow.text.group import read_group
from vnet.ovs.openflow.text.meter import parse_meter
from vnet.ovs.openflow.text.packet_out import read_packet_out
from vnet.ovs.openflow.version import OpenFlowVersion, protocol_of
from vnet.ovs.openflow.wire import kinds
from vnet.ovs.openflow.wire.errors import error
from vnet.ovs.openflow.wire.flow import encode_flow_mod, encode_flow_removed
from vnet.ovs.openflow.wire.message import Message
from vnet.ovs.openflow.wire.packet.packet_in import encode_packet_in
from vnet.ovs.openflow.wire.packing import pack
from vnet.ovs.openflow.wire.port.description import encode_port_status
from vnet.ovs.openflow.wire.switch import encode_features

pytestmark = pytest.mark.pypi

ROOT = Path(__file__).parents[4]
OF10, OF13, OF14, OF15 = (
    *(OpenFlowVersion.OF10, OpenFlowVersion.OF13),
    *(OpenFlowVersion.OF14, OpenFlowVersion.OF15),
)
SPOKEN = (OF10, OF13, OF14, OF15)
PACKET = "50540000000a50540000000908004500001c0000000040117cce0a0000010a00000200350035000800000000"

FLOWS = (
    "priority=5,tcp,in_port=1,tp_dst=80,nw_src=10.0.0.0/8,idle_timeout=9,actions=output:2",
    "cookie=7,dl_vlan=10,send_flow_rem,actions=strip_vlan,mod_dl_dst:02:00:00:00:00:05,FLOOD",
    "arp,arp_tpa=10.0.0.1,hard_timeout=3,actions=CONTROLLER:64",
    "priority=0,actions=drop",
    "modify_strict priority=5,udp,actions=mod_nw_dst:1.2.3.4,mod_tp_dst:53,IN_PORT",
    "delete dl_src=02:00:00:00:00:05",
)
LATER_FLOWS = (
    "table=3,ipv6,ipv6_dst=2001:db8::/32,actions=dec_ttl,group:4,goto_table:9",
    "table=1,dl_vlan=10,actions=push_vlan:0x8100,set_field:4116->vlan_vid,output:3",
    "metadata=5/0xff,mpls,mpls_label=7,actions=pop_mpls:0x0800,write_metadata:3,goto_table:254",
    "icmp6,nd_target=fe80::1,actions=meter:6,output:LOCAL",
    "tcp,tcp_flags=+syn-ack,actions=write_actions(set_queue:2,output:3)",
)


class OsKen:
    """What os-ken has read and made."""

    def __init__(self, messages: list[bytes]) -> None:
        python = own_python(
            ROOT / "tests/live/controllers/os-ken-requirements.txt", is_complete=True
        )
        done = subprocess.run(
            [python, Path(__file__).with_name("os_ken_codec.py")],
            input=json.dumps([message.hex() for message in messages]),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        self.read: list[dict[str, Any]] = answer["read"]
        self.made: dict[str, dict[str, str]] = answer["made"]


@pytest.fixture(scope="module")
def os_ken() -> OsKen:
    said = [message for version in SPOKEN for message in switch_messages(version)]
    return OsKen([*controller_messages(), *said])


def controller_messages() -> list[bytes]:
    """Changes of flows, meters and groups, of kinds and versions that os-ken reads."""
    messages = []
    for version in SPOKEN:
        protocol = P_OF10_STD if version is OF10 else protocol_of(version)
        for text in FLOWS if version is OF10 else FLOWS + LATER_FLOWS:
            messages.append(encode_flow_mod(read_flow(text, None).mod, protocol, 6))
    band = "band=type=drop rate=9 burst_size=3"
    meter = parse_meter(f"meter=6 kbps burst {band}", MeterModCommand.ADD)
    messages += [encode_request(meter, version, 6) for version in (OF14, OF15)]
    group = read_group("group_id=3,type=select,bucket=weight=2,output:1,bucket=output:2", None).mod
    messages.append(encode_request(group, OF14, 6))
    return messages


def test_changes_of_flows_groups_and_meters_are_written_again_as_they_were(os_ken: OsKen) -> None:
    for message, read in zip(controller_messages(), os_ken.read, strict=False):
        assert read["again"] == message.hex(), read


def test_os_ken_s_messages_arrive_as_they_were_meant(os_ken: OsKen) -> None:
    for version, messages in os_ken.made.items():
        for name, digits in messages.items():
            raw = bytes.fromhex(digits)
            text = heard_text(hear(Message(raw[0], raw[1], 6, raw)))
            meant = MEANT[name, int(version) == OF10]
            assert text.partition("):")[2].strip().startswith(meant), text


_MATCH = "priority=5,tcp,in_port=1,dl_vlan=10,nw_src=10.0.0.0/8,tp_dst=80"
MEANT = {
    ("packet-out", True): "in_port=3 actions=output:2,FLOOD data_len=16",
    ("packet-out", False): "in_port=3 actions=output:2,FLOOD data_len=16",
    ("barrier", True): "",
    ("barrier", False): "",
    ("flow", True): (
        "ADD priority=5,tcp,in_port=1,tp_dst=80 cookie:0x7 idle:9 "
        "actions=mod_dl_dst:02:00:00:00:00:05,output:2"
    ),
    ("flow", False): (
        f"ADD table:2 {_MATCH} cookie:0x7 idle:9 hard:30 out_port:0 send_flow_rem "
        "actions=pop_vlan,push_vlan:0x8100,set_field:4116->vlan_vid,"
        "set_field:02:00:00:00:00:05->eth_dst,dec_ttl,group:4,CONTROLLER:64,"
        "write_metadata:0x5/0xff,goto_table:3"
    ),
    ("deletion", False): "DEL table:255 dl_dst=02:00:00:00:00:05 actions=drop",
    ("meter", False): "ADD meter=6 kbps burst bands=",
    ("group", False): (
        "ADD group_id=3,type=select,bucket=weight:2,actions=output:1,bucket=actions=output:2"
    ),
}
"""What each says, by its name and whether it is of 1.0; os-ken names port 0 where any is meant."""


def test_what_a_switch_says_is_read_by_os_ken(os_ken: OsKen) -> None:
    read = iter(os_ken.read[len(controller_messages()) :])
    for version in SPOKEN:
        features, port, packet_in, removed, refused = (next(read) for _ in range(5))
        assert features["class"] == "OFPSwitchFeatures"
        assert (features["content"]["datapath_id"], features["content"]["n_tables"]) == (7, 254)
        desc = port["content"]["desc"]["OFPPhyPort" if version is OF10 else "OFPPort"]
        assert (desc["port_no"], desc["name"], desc["hw_addr"]) == (4, "p4", "02:00:00:00:00:04")
        assert (desc["config"], desc["state"], port["content"]["reason"]) == (1, 1, 2)
        assert packet_in["content"]["total_len"] == len(PACKET) // 2
        assert _in_port(packet_in["content"], version) == 1
        content = removed["content"]
        assert (content["priority"], content["cookie"], content["reason"]) == (9, 5, 0)
        assert refused["class"] == "OFPErrorMsg"
        assert (refused["content"]["type"], refused["content"]["code"]) == (2, 0)


def _in_port(content: dict[str, Any], version: OpenFlowVersion) -> int:
    if version is OF10:
        return int(content["in_port"])
    (field,) = content["match"]["OFPMatch"]["oxm_fields"]
    assert field["OXMTlv"]["field"] == "in_port"
    return int(field["OXMTlv"]["value"])


def switch_messages(version: OpenFlowVersion) -> list[bytes]:
    """Features, a port's status, a packet, a flow that is gone, and an error."""
    features = SwitchFeatures(7, 0, 254, Capabilities.FLOW_STATS)
    desc = PortDesc(
        *(OfpPort(4), "p4", Mac(b"\2\0\0\0\0\4"), PortConfig.PORT_DOWN, PortState.LINK_DOWN)
    )
    status = encode_port_status(PortStatus(PortReason.MODIFY, desc), version)
    packet = read_packet_out(f"in_port=1,packet={PACKET}").packet_out
    packet_in = PacketIn(packet.frame, PacketInReason.ACTION, 0, 7, packet.pipeline)
    match = read_flow("tcp,in_port=1,actions=drop", None).mod.match
    removed = FlowRemoved(match, 9, 0, 5, 3, 1_022_000_000, 10, 0, 4, 240)
    protocol = P_OF10_STD if version is OF10 else protocol_of(version)
    name = "OFPBAC_BAD_TYPE"
    return [
        pack(kinds.OFPT_FEATURES_REPLY, version, 0, encode_features(features, version)),
        pack(kinds.OFPT_PORT_STATUS, version, 0, status),
        encode_packet_in(packet_in, PacketInFormat.STANDARD, version),
        encode_flow_removed(removed, protocol),
        error(version, 6, name, bytes(8)),
    ]
