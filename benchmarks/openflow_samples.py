"""Messages as controllers send them, of every kind that a bridge answers, in each version."""

from __future__ import annotations

from collections.abc import Iterator

from vnet.ovs.connmgr.dispatch import HANDLERS
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.match import Match
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import (
    IN_PORT_MASK,
    BundleControl,
    Continuation,
    FlowModCommand,
    MeterModCommand,
    PacketIn,
    PacketOut,
)
from vnet.ovs.openflow.ofpacts import UnrollXlate
from vnet.ovs.openflow.text.actions import parse_actions
from vnet.ovs.openflow.text.flow_mod import read_flow
from vnet.ovs.openflow.text.group import read_group
from vnet.ovs.openflow.text.meter import parse_meter
from vnet.ovs.openflow.version import OpenFlowVersion, most_able_protocol
from vnet.ovs.openflow.wire import kinds
from vnet.ovs.openflow.wire.connection.bundle import encode_bundle_control
from vnet.ovs.openflow.wire.flow import encode_flow_mod
from vnet.ovs.openflow.wire.group.group_mod import encode_group_mod
from vnet.ovs.openflow.wire.kind import Kind
from vnet.ovs.openflow.wire.meter import encode_meter_mod
from vnet.ovs.openflow.wire.packet.packet_in2 import encode_resume
from vnet.ovs.openflow.wire.packet.packet_out import encode_packet_out
from vnet.ovs.openflow.wire.packing import pack

FRAME = bytes.fromhex(
    "50540000000a50540000000908004500001c000000004011000a0a0000010a0000020035003500080000"
)
XID = 7

_FLOWS = (
    "add priority=5,ip,nw_src=10.0.0.0/8,actions=normal",
    "add table=1,cookie=7,idle_timeout=5,hard_timeout=9,send_flow_rem,tcp,tcp_dst=80,actions=2",
    "add tcp6,ipv6_src=2001:db8::/32,actions=dec_ttl,set_field:5->reg1,resubmit(,1)",
    "add dl_vlan=5,actions=strip_vlan,flood",
    "add mpls,mpls_label=7,actions=pop_mpls:0x0800,goto_table:3",
    "add arp,actions=move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[],load:2->NXM_OF_ARP_OP[],in_port",
    "add udp,actions=learn(table=2,idle_timeout=3,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],"
    "output:NXM_OF_IN_PORT[]),controller(max_len=64,reason=no_match,userdata=01.02)",
    "add ct_state=-trk,ip,actions=ct(commit,zone=3,nat(src=10.0.0.1-10.0.0.9:5-9),table=2)",
    "add actions=bundle(eth_src,0,hrw,ofport,members:1,2),multipath(eth_src,50,modulo_n,1,0,"
    "NXM_NX_REG0[])",
    "add icmp,actions=push:NXM_NX_REG0[],pop:NXM_NX_REG1[],clone(set_queue:3,output:1),note:01.02",
    "add in_port=1,actions=controller(pause),write_actions(output:3),meter:1",
    "add actions=sample(probability=9,collector_set_id=1,obs_domain_id=2,obs_point_id=3),group:1",
    "add actions=check_pkt_larger(100)->NXM_NX_REG0[0],conjunction(1,1/2)",
    "add priority=7,nsh,actions=decap(),encap(ethernet)",
    "modify ip,actions=drop",
    "delete_strict table=1,tcp,tcp_dst=80",
    "delete table=255,cookie=0x7/0xff",
)
_GROUPS = (
    "add group_id=1,type=select,bucket=weight:3,output:1,bucket=weight:4,output:2",
    "add group_id=2,type=ff,bucket=watch_port:1,output:1,bucket=watch_group:1,output:2",
    "modify group_id=1,type=all,bucket=set_field:1->reg0,output:3",
    "delete group_id=2",
)
_METERS = (
    "meter=1,pktps,burst,bands=type=drop,rate=5,burst_size=3",
    "meter=2,kbps,stats,bands=type=drop,rate=100",
)
_BODIES: dict[Kind, tuple[str, ...]] = {
    kinds.OFPT_ROLE_REQUEST: ("00000002000000000000000000000005", "0000000300000000" + "00" * 8),
    kinds.NXT_ROLE_REQUEST: ("00000001", "00000002"),
    kinds.OFPT_SET_CONFIG: ("00000080", "0002ffff"),
    kinds.NXT_SET_PACKET_IN_FORMAT: ("00000000", "00000001", "00000002"),
    kinds.NXT_SET_FLOW_FORMAT: ("00000000", "00000002"),
    kinds.NXT_TLV_TABLE_MOD: ("0000000000000000ffff00040000000000"[:32] + "00" * 8,),
    kinds.OFPST_FLOW_MONITOR_REQUEST: ("00000001ffffffffffffffff0047ff000001000400000000",),
    kinds.NXST_FLOW_MONITOR_REQUEST: ("00000001003fffff0000ff0000000000",),
}


def samples(version: OpenFlowVersion) -> list[bytes]:
    """Those of one version. Each is whole; not each is one that a bridge carries out."""
    known = [*_changes(version), *_written(version), *_bare(version)]
    if kinds.OFPT_BUNDLE_ADD_MESSAGE.numberings.get(version):
        known += _bundled(version, known)
    return known


def _changes(version: OpenFlowVersion) -> Iterator[bytes]:
    """Flows, groups and meters, as far as the version has words for them."""
    protocol = most_able_protocol(version)
    for text in _FLOWS:
        try:
            yield encode_flow_mod(read_flow(text, None).mod, protocol, XID)
        except (OpenFlowError, OvsTextError):
            continue
    kind = kinds.OFPT_GROUP_MOD if version > OpenFlowVersion.OF10 else kinds.NXT_GROUP_MOD
    for text in _GROUPS:
        try:
            yield pack(kind, version, XID, encode_group_mod(read_group(text, None).mod, version))
        except OpenFlowError:
            continue
    if version in kinds.OFPT_METER_MOD.numberings:
        for text in _METERS:
            body = encode_meter_mod(parse_meter(text, MeterModCommand.ADD))
            yield pack(kinds.OFPT_METER_MOD, version, XID, body)


def _written(version: OpenFlowVersion) -> Iterator[bytes]:
    """Packets, and messages whose bytes stand above."""
    pipeline = Match(1, IN_PORT_MASK)
    for text in ("output:2", "table", "controller", "dec_ttl,resubmit(,1),flood"):
        packet_out = PacketOut(FRAME, parse_actions(text).actions, pipeline)
        yield pack(kinds.OFPT_PACKET_OUT, version, XID, encode_packet_out(packet_out, version))
    actions = (UnrollXlate(1, 7), *parse_actions("output:2").actions)
    continuation = Continuation(bytes(15) + b"\1", (b"\0\1",), 1, True, actions, actions[1:], 3)
    waiting = PacketIn(FRAME, 1, pipeline=pipeline, continuation=continuation)
    yield pack(kinds.NXT_RESUME, version, XID, encode_resume(waiting, version))
    for kind, bodies in _BODIES.items():
        if version in kind.numberings:
            yield from (pack(kind, version, XID, bytes.fromhex(body)) for body in bodies)


def _bare(version: OpenFlowVersion) -> Iterator[bytes]:
    """Every kind, as short as it may be and longer."""
    for kind in HANDLERS:
        form = kind.numberings.get(version)
        if form is not None:
            for n_steps in (0, 1, 4):
                body = bytes(form.least_bytes + n_steps * form.step_bytes)
                yield pack(kind, version, XID, body)


def _bundled(version: OpenFlowVersion, inner: list[bytes]) -> Iterator[bytes]:
    control, add = kinds.OFPT_BUNDLE_CONTROL, kinds.OFPT_BUNDLE_ADD_MESSAGE
    for kind in (0, 2, 4, 6):
        yield pack(control, version, XID, encode_bundle_control(BundleControl(1, kind)))
    for message in inner[::3]:
        yield pack(add, version, XID, bytes.fromhex("0000000100000000") + message)


def clear(version: OpenFlowVersion) -> bytes:
    """Asks for all flows to be deleted."""
    mod = read_flow("table=255", FlowModCommand.DELETE).mod
    return encode_flow_mod(mod, most_able_protocol(version), XID)
