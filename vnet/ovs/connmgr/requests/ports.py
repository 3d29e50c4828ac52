"""Ports: what they are, what has passed them, and what is set of them."""

from __future__ import annotations

from collections.abc import Iterable

from vnet.ovs.connmgr.request import NO_ANSWER, Request
from vnet.ovs.flow.ports import OFPP_NONE
from vnet.ovs.ofproto.description import counters_of, describe_port, ports_in_order
from vnet.ovs.openflow.messages import PortMod
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.port.description import decode_port_mod, encode_port
from vnet.ovs.openflow.wire.port.request import decode_port_request
from vnet.ovs.openflow.wire.port.stats import encode_port_stats


def stats(request: Request) -> Iterable[bytes]:
    """OFPST_PORT"""
    number = decode_port_request(request.body, request.version)
    found = counters_of(request.bridge, number)
    return request.parts(encode_port_stats(one, request.version) for one in found)


def descriptions(request: Request) -> Iterable[bytes]:
    """OFPST_PORT_DESC, of one port from OpenFlow 1.5 on."""
    number = OFPP_NONE
    if request.version >= OpenFlowVersion.OF15:
        number = decode_port_request(request.body, request.version)
    found = [
        describe_port(port)
        for port in ports_in_order(request.bridge)
        if number in (OFPP_NONE, port.number)
    ]
    return request.parts(encode_port(one, request.version) for one in found)


def read_mod(request: Request) -> PortMod:
    """What an OFPT_PORT_MOD asks for. Raises :class:`OpenFlowError`."""
    return decode_port_mod(request.body, request.version)


def modify(request: Request) -> Iterable[bytes]:
    """OFPT_PORT_MOD"""
    request.ofconn.need_rights()
    mod = read_mod(request)
    with request.ofconn.asking():
        request.bridge.port_mod(mod)
    return NO_ANSWER
