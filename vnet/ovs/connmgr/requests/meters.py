"""Meters: to change them, how they are set up, and what they have counted."""

from __future__ import annotations

from collections.abc import Iterable

from vnet.ovs.connmgr.request import NO_ANSWER, Request
from vnet.ovs.ofproto.meter_facts import meter_configs, meter_features, meter_stats
from vnet.ovs.openflow.wire.meter import (
    decode_meter_mod,
    decode_meter_request,
    encode_meter_config,
    encode_meter_features,
    encode_meter_stats,
)


def modify(request: Request) -> Iterable[bytes]:
    """OFPT_METER_MOD"""
    request.ofconn.need_rights()
    mod = decode_meter_mod(request.body)
    with request.ofconn.asking(request.message.xid):
        request.bridge.meter_mod(mod)
    return NO_ANSWER


def features(request: Request) -> Iterable[bytes]:
    """OFPST_METER_FEATURES"""
    return request.parts([encode_meter_features(meter_features(request.bridge))])


def configs(request: Request) -> Iterable[bytes]:
    """OFPST_METER_CONFIG"""
    found = meter_configs(request.bridge, decode_meter_request(request.body))
    return request.parts(map(encode_meter_config, found))


def stats(request: Request) -> Iterable[bytes]:
    """OFPST_METER"""
    found = meter_stats(request.bridge, decode_meter_request(request.body))
    return request.parts(map(encode_meter_stats, found))
