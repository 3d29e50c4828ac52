"""What os-ken reads in messages, and what it writes; for its own Python.

Reads a list of messages in hexadecimal digits (JSON), and writes for each its class, its content
and the bytes that os-ken makes of it again (``read``); and messages that os-ken makes by itself,
by version and name (``made``).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from os_ken.ofproto import ofproto_parser
from os_ken.ofproto.ofproto_protocol import ProtocolDesc

VERSIONS = (1, 4, 5, 6)
PACKET = bytes.fromhex("50540000000a50540000000908000000")


def read(digits: str) -> dict[str, Any]:
    """What one message says."""
    raw = bytes.fromhex(digits)
    version, kind, n_bytes, xid = ofproto_parser.header(raw)
    message = ofproto_parser.msg(ProtocolDesc(version=version), version, kind, n_bytes, xid, raw)
    (content,) = message.to_jsondict().values()
    again = None
    if hasattr(message, "_serialize_body") and type(message).__name__.endswith("Mod"):
        message.serialize()
        again = bytes(message.buf).hex()
    return {"class": type(message).__name__, "content": content, "again": again}


def made(version: int) -> Iterator[tuple[str, Any]]:
    """Messages of a version."""
    switch = ProtocolDesc(version=version)
    ofproto, parser = switch.ofproto, switch.ofproto_parser
    yield (
        "packet-out",
        parser.OFPPacketOut(
            *(switch, ofproto.OFP_NO_BUFFER if version > 1 else 0xFFFFFFFF),
            **in_port(parser, version, 3),
            actions=[parser.OFPActionOutput(2), parser.OFPActionOutput(ofproto.OFPP_FLOOD)],
            data=PACKET,
        ),
    )
    yield "barrier", parser.OFPBarrierRequest(switch)
    if version == 1:
        match = parser.OFPMatch(in_port=1, dl_type=0x800, nw_proto=6, tp_dst=80)
        actions = [parser.OFPActionSetDlDst(b"\2\0\0\0\0\5"), parser.OFPActionOutput(2)]
        yield (
            "flow",
            parser.OFPFlowMod(
                *(switch, match, 7, ofproto.OFPFC_ADD), priority=5, idle_timeout=9, actions=actions
            ),
        )
        return
    match = parser.OFPMatch(
        in_port=1,
        eth_type=0x800,
        ip_proto=6,
        tcp_dst=80,
        ipv4_src=("10.0.0.0", "255.0.0.0"),
        vlan_vid=10 | ofproto.OFPVID_PRESENT,
    )
    actions = [
        parser.OFPActionPopVlan(),
        parser.OFPActionPushVlan(0x8100),
        parser.OFPActionSetField(vlan_vid=20 | ofproto.OFPVID_PRESENT),
        parser.OFPActionSetField(eth_dst="02:00:00:00:00:05"),
        parser.OFPActionDecNwTtl(),
        parser.OFPActionGroup(4),
        parser.OFPActionOutput(ofproto.OFPP_CONTROLLER, 64),
    ]
    instructions = [
        parser.OFPInstructionActions(ofproto.OFPIT_APPLY_ACTIONS, actions),
        parser.OFPInstructionWriteMetadata(5, 0xFF),
        parser.OFPInstructionGotoTable(3),
    ]
    yield (
        "flow",
        parser.OFPFlowMod(
            switch,
            cookie=7,
            table_id=2,
            idle_timeout=9,
            hard_timeout=30,
            priority=5,
            flags=ofproto.OFPFF_SEND_FLOW_REM,
            match=match,
            instructions=instructions,
        ),
    )
    yield (
        "deletion",
        parser.OFPFlowMod(
            switch,
            table_id=ofproto.OFPTT_ALL,
            command=ofproto.OFPFC_DELETE,
            out_port=ofproto.OFPP_ANY,
            out_group=ofproto.OFPG_ANY,
            match=parser.OFPMatch(eth_dst="02:00:00:00:00:05"),
        ),
    )
    band = parser.OFPMeterBandDrop(rate=1000, burst_size=10)
    yield (
        "meter",
        parser.OFPMeterMod(
            switch, ofproto.OFPMC_ADD, ofproto.OFPMF_KBPS | ofproto.OFPMF_BURST, 6, [band]
        ),
    )
    if version < 6:
        buckets = [
            parser.OFPBucket(weight=weight, actions=[parser.OFPActionOutput(port)])
            for weight, port in ((2, 1), (1, 2))
        ]
        yield (
            "group",
            parser.OFPGroupMod(switch, ofproto.OFPGC_ADD, ofproto.OFPGT_SELECT, 3, buckets),
        )


def in_port(parser: Any, version: int, number: int) -> dict[str, Any]:
    """Where a packet-out says that a packet came in."""
    return {"match": parser.OFPMatch(in_port=number)} if version == 6 else {"in_port": number}


def bytes_of(message: Any) -> str:
    message.xid = 6
    message.serialize()
    return bytes(message.buf).hex()


if __name__ == "__main__":
    answer = {
        "read": [read(digits) for digits in json.load(sys.stdin)],
        "made": {
            str(version): {name: bytes_of(message) for name, message in made(version)}
            for version in VERSIONS
        },
    }
    json.dump(answer, sys.stdout)
