"""What only Open vSwitch is asked: connections to be forgotten, and options of tunnels."""

from __future__ import annotations

from collections.abc import Iterable

from vnet.ovs.connmgr.request import NO_ANSWER, Request
from vnet.ovs.dpif.text.flushed import log_flush
from vnet.ovs.ofproto.tunnel.options import options_named
from vnet.ovs.openflow.wire.kinds import NXT_TLV_TABLE_REPLY
from vnet.ovs.openflow.wire.nicira.ct_flush import decode_ct_flush, decode_zone
from vnet.ovs.openflow.wire.nicira.tlv_table import decode_tlv_table_mod, encode_tlv_table
from vnet.tables.conntrack.flush import ConnMatch, flush_matching


def flush_zone(request: Request) -> Iterable[bytes]:
    """NXT_CT_FLUSH_ZONE"""
    zone = decode_zone(request.body)
    _log(request, ConnMatch(), zone)
    request.ofconn.manager.backer.dpif.ct_flush(zone)
    return NO_ANSWER


def flush(request: Request) -> Iterable[bytes]:
    """NXT_CT_FLUSH; it is no error where there is no such connection."""
    wanted = decode_ct_flush(request.body)
    _log(request, wanted.match, wanted.zone)
    now_ns = request.bridge.scheduler.now_ns
    tracker = request.ofconn.manager.backer.dpif.tracker
    flush_matching(tracker, wanted.match, now_ns, wanted.zone)
    return NO_ANSWER


def _log(request: Request, match: ConnMatch, zone: int | None) -> None:
    manager = request.ofconn.manager
    log_flush(manager.vlog.module("ct_dpif"), manager.backer.dpif, match, zone)


def modify_options(request: Request) -> Iterable[bytes]:
    """NXT_TLV_TABLE_MOD"""
    request.ofconn.need_rights()
    mod, bridge = decode_tlv_table_mod(request.body), request.bridge
    rules = (rule for table in bridge.tables for rule in table.classifier)
    used = {number for rule in rules for number in options_named(rule.match, rule.actions)}
    bridge.tlv_mappings.apply(mod, used)
    return NO_ANSWER


def options(request: Request) -> Iterable[bytes]:
    """NXT_TLV_TABLE_REQUEST"""
    table = request.bridge.tlv_mappings.table()
    return request.reply(NXT_TLV_TABLE_REPLY, encode_tlv_table(table))
