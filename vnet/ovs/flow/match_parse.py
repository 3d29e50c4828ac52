"""The match part of a flow in text: names of protocols, fields, and parts of fields."""

from __future__ import annotations

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.fields import Subfield, field_by_name
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.match import Match, MatchBuilder
from vnet.ovs.flow.names import NO_NAMES, Names
from vnet.ovs.flow.ports import OFPP_NONE
from vnet.ovs.flow.protocol_numbers import (
    ETH_TYPE_ARP,
    ETH_TYPE_IP,
    ETH_TYPE_IPV6,
    ETH_TYPE_MPLS,
    ETH_TYPE_MPLS_MCAST,
    ETH_TYPE_RARP,
    IPPROTO_ICMP,
    IPPROTO_ICMPV6,
    IPPROTO_SCTP,
    IPPROTO_TCP,
    IPPROTO_UDP,
    PT_ETHERNET,
    PT_NAMESPACE_ETHERTYPE,
)
from vnet.ovs.flow.protocols import P_NXM_OXM_ANY
from vnet.ovs.flow.tokens import key_values
from vnet.ovs.flow.value_text import OutOfRangeError, scan_integer

PROTOCOLS: dict[str, tuple[int, int]] = {
    "ip": (ETH_TYPE_IP, 0),
    "ipv4": (ETH_TYPE_IP, 0),
    "ip4": (ETH_TYPE_IP, 0),
    "arp": (ETH_TYPE_ARP, 0),
    "icmp": (ETH_TYPE_IP, IPPROTO_ICMP),
    "tcp": (ETH_TYPE_IP, IPPROTO_TCP),
    "udp": (ETH_TYPE_IP, IPPROTO_UDP),
    "sctp": (ETH_TYPE_IP, IPPROTO_SCTP),
    "ipv6": (ETH_TYPE_IPV6, 0),
    "ip6": (ETH_TYPE_IPV6, 0),
    "icmp6": (ETH_TYPE_IPV6, IPPROTO_ICMPV6),
    "tcp6": (ETH_TYPE_IPV6, IPPROTO_TCP),
    "udp6": (ETH_TYPE_IPV6, IPPROTO_UDP),
    "sctp6": (ETH_TYPE_IPV6, IPPROTO_SCTP),
    "rarp": (ETH_TYPE_RARP, 0),
    "mpls": (ETH_TYPE_MPLS, 0),
    "mplsm": (ETH_TYPE_MPLS_MCAST, 0),
}
"""EtherType and IP protocol (0 for any) of each name that stands for both."""

_EXISTENCE = "0/0"
"""What a field without a value is read as: it may have any."""


def parse_match_part(builder: MatchBuilder, name: str, value: str, names: Names = NO_NAMES) -> bool:
    """Add ``name`` or ``name=value`` to a match; False if the name is of nothing to match.

    ``value`` is ``""`` where none was given. Raises :class:`OvsTextError` for a bad one.
    """
    protocol = PROTOCOLS.get(name)
    if protocol is not None:
        _set_protocol(builder, *protocol)
        return True
    field = field_by_name(name, names.openflow_full)
    if field is not None:
        builder.set(field, *field.parse_value(value or _EXISTENCE, names))
    elif name == "eth":
        builder.flow.packet_type = PT_ETHERNET
        builder.mask.fill(Flow.packet_type)
    elif "[" in name:
        _parse_subfield_part(builder, name, value)
    else:
        return False
    return True


def _set_protocol(builder: MatchBuilder, dl_type: int, nw_proto: int) -> None:
    builder.flow.dl_type = dl_type
    builder.mask.fill(Flow.dl_type)
    if nw_proto:
        builder.flow.nw_proto = nw_proto
        builder.mask.fill(Flow.nw_proto)
    builder.set_default_packet_type()


def _parse_subfield_part(builder: MatchBuilder, name: str, text: str) -> None:
    subfield = Subfield.parse(name)
    field = subfield.field
    try:
        value, end = scan_integer(text, 0, field.n_bytes)
    except OutOfRangeError:
        value, end = None, 0
    if value is None or end != len(text):
        raise OvsTextError(f"{name}: cannot parse integer value: {text}")
    if value > subfield.ones:
        shown = field.format(value)
        raise OvsTextError(f"{name}: value {shown} does not fit into {subfield.n_bits} bits")
    builder.set_subfield(subfield, value)


def finish_match(builder: MatchBuilder) -> Match:
    """The match of a text that was read to its end.

    Narrows ``builder.usable``: what OpenFlow 1.0 and 1.1 say of IPv4's headers, they cannot say
    of IPv6's.
    """
    flow, mask = builder.flow, builder.mask
    dl_type = flow.dl_type
    if mask.packet_type and flow.packet_type >> 16 == PT_NAMESPACE_ETHERTYPE:
        dl_type = flow.packet_type & 0xFFFF
    if dl_type == ETH_TYPE_IPV6 and mask.key & _NOT_BEFORE_OXM_IN_IPV6:
        builder.usable &= P_NXM_OXM_ANY
    return builder.build()


_NOT_BEFORE_OXM_IN_IPV6 = (
    Flow.nw_proto.mask | Flow.nw_tos.mask | Flow.tp_src.mask | Flow.tp_dst.mask
)


def parse_match(text: str, names: Names = NO_NAMES) -> Match:
    """A match alone, such as ``tcp,nw_dst=10.0.0.1,tp_dst=80``."""
    builder = MatchBuilder()
    for name, value in key_values(text):
        if not parse_match_part(builder, name, value, names):
            raise OvsTextError(f"unknown field {name}")
    return finish_match(builder)


def parse_exact_flow(text: str, names: Names = NO_NAMES) -> Flow:
    """A packet's flow, such as ``in_port=1,tcp,nw_src=10.0.0.1,tp_dst=80``, as ``ofproto/trace``
    takes it: every field once, without masks, and after the fields that it presupposes.
    """
    flow = Flow()
    for name, value in key_values(text):
        protocol = PROTOCOLS.get(name)
        if protocol is not None:
            _put_protocol(flow, text, *protocol)
        else:
            _put_field(flow, text, name, value, names)
    if not flow.in_port:
        flow.in_port = OFPP_NONE
    return flow


def _put_protocol(flow: Flow, text: str, dl_type: int, nw_proto: int) -> None:
    if flow.dl_type:
        raise OvsTextError(f"{text}: Ethernet type set multiple times")
    flow.dl_type = dl_type
    if nw_proto and flow.nw_proto:
        raise OvsTextError(f"{text}: network protocol set multiple times")
    flow.nw_proto |= nw_proto


def _put_field(flow: Flow, text: str, name: str, value: str, names: Names) -> None:
    field = field_by_name(name, names.openflow_full)
    if field is None:
        raise OvsTextError(f"{text}: unknown field {name}")
    if not field.are_prereqs_ok(flow):
        raise OvsTextError(f"{text}: prerequisites not met for setting {name}")
    if field.is_set(flow):
        raise OvsTextError(f"{text}: field {name} set multiple times")
    try:
        number = field.parse_exact(value, names)
    except OvsTextError as wrong:
        raise OvsTextError(f"{text}: bad value for {name} ({wrong.what})") from wrong
    field.put(flow, number)
