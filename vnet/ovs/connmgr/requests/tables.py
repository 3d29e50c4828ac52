"""Tables: to set them up, what they can do, and what they have seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vnet.ovs.connmgr.request import NO_ANSWER, Request
from vnet.ovs.ofproto.table_facts import table_features, table_stats, visible_tables
from vnet.ovs.ofproto.table_renaming import change_table_features
from vnet.ovs.openflow.messages import TableFeatures
from vnet.ovs.openflow.wire.table.features import decode_table_features, encode_table_features
from vnet.ovs.openflow.wire.table.stats import encode_table_stats
from vnet.ovs.openflow.wire.table.table_mod import decode_table_mod, encode_table_desc


def modify(request: Request) -> Iterable[bytes]:
    """OFPT_TABLE_MOD"""
    request.ofconn.need_rights()
    request.bridge.table_mod(decode_table_mod(request.body, request.version))
    return NO_ANSWER


def stats(request: Request) -> Iterable[bytes]:
    """OFPST_TABLE"""
    seen, features = table_stats(request.bridge), table_features(request.bridge)
    return request.parts(
        encode_table_stats(one, its, request.version)
        for one, its in zip(seen, features, strict=True)
    )


def features(request: Request) -> Iterator[bytes]:
    """OFPST_TABLE_FEATURES, which may ask for others, in several parts."""
    wanted: list[TableFeatures] = []
    for message in request.messages:
        if wanted:
            yield b""  # Each part takes its time.
        wanted += decode_table_features(message.raw[request.offset :], request.version)
    log = request.ofconn.manager.vlog.module("ofproto")
    change_table_features(request.bridge, wanted, log.info)
    yield from request.parts(
        encode_table_features(one, request.version) for one in table_features(request.bridge)
    )


def descriptions(request: Request) -> Iterable[bytes]:
    """OFPST_TABLE_DESC"""
    describe = request.bridge.table_mods.describe
    found = [describe(table) for table in visible_tables(request.bridge)]
    return request.parts(encode_table_desc(one, request.version) for one in found)
