"""Connections to be forgotten, by their tuples (NXT_CT_FLUSH) or by zone (NXT_CT_FLUSH_ZONE)."""

from __future__ import annotations

import struct
from typing import NamedTuple

from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.wire.parts.properties import Property, properties, put, put_nested, put_u16
from vnet.tables.conntrack.flush import ConnMatch, TupleMatch

_FLUSH = struct.Struct("!B7s")
_FLUSH_ZONE = struct.Struct("!6sH")

_ORIGINAL, _REPLY, _ZONE = range(3)
_SOURCE, _TARGET, _SOURCE_PORT, _TARGET_PORT, _ICMP_ID, _ICMP_TYPE, _ICMP_CODE = range(7)

_MAPPED_IPV4 = bytes(10) + b"\xff\xff"
_IPV6_BYTES = 16


class CtFlush(NamedTuple):
    """Which connections; ``zone`` None is any."""

    match: ConnMatch
    zone: int | None = None


def encode_ct_flush(flush: CtFlush) -> bytes:
    """The body of NXT_CT_FLUSH."""
    match = flush.match
    body = _FLUSH.pack(match.protocol, bytes(7))
    for kind, one in ((_ORIGINAL, match.original), (_REPLY, match.reply)):
        if nested := _encode_tuple(one, match.is_icmp):
            body += put_nested(kind, nested)
    return body if flush.zone is None else body + put_u16(_ZONE, flush.zone)


def decode_ct_flush(body: bytes) -> CtFlush:
    """The other way round. Raises :class:`OpenFlowError`."""
    protocol, zeros = _FLUSH.unpack_from(body)
    if any(zeros):
        raise OpenFlowError("NXBRC_MUST_BE_ZERO")
    is_v6: bool | None = None
    tuples = {_ORIGINAL: TupleMatch(), _REPLY: TupleMatch()}
    zone = None
    for one in properties(body[_FLUSH.size :]):
        if one.type in tuples:
            tuples[one.type], is_v6 = _decode_tuple(one, is_v6)
        elif one.type == _ZONE:
            zone = one.u16()
    return CtFlush(ConnMatch(protocol, is_v6, tuples[_ORIGINAL], tuples[_REPLY]), zone)


def encode_zone(zone: int) -> bytes:
    """The body of NXT_CT_FLUSH_ZONE: all connections of a zone are to be forgotten."""
    return _FLUSH_ZONE.pack(bytes(6), zone)


def decode_zone(body: bytes) -> int:
    """The other way round. Raises :class:`OpenFlowError`."""
    zeros, zone = _FLUSH_ZONE.unpack(body)
    if any(zeros):
        raise OpenFlowError("NXBRC_MUST_BE_ZERO")
    return int(zone)


def _encode_tuple(one: TupleMatch, is_icmp: bool) -> bytes:
    nested = b""
    for kind, address in ((_SOURCE, one.source), (_TARGET, one.target)):
        if address is not None:
            is_v6 = len(address) == _IPV6_BYTES
            nested += put(kind, address if is_v6 else _MAPPED_IPV4 + address)
    if is_icmp:
        nested += put_u16(_ICMP_ID, one.icmp_id)
        nested += put(_ICMP_TYPE, bytes([one.icmp_type]))
        return nested + put(_ICMP_CODE, bytes([one.icmp_code]))
    for kind, port in ((_SOURCE_PORT, one.source_port), (_TARGET_PORT, one.target_port)):
        if port:
            nested += put_u16(kind, port)
    return nested


def _decode_tuple(outer: Property, is_v6: bool | None) -> tuple[TupleMatch, bool | None]:
    """A direction, and what addresses have said so far."""
    addresses: dict[int, bytes | None] = {_SOURCE: None, _TARGET: None}
    numbers = dict.fromkeys((_SOURCE_PORT, _TARGET_PORT, _ICMP_ID, _ICMP_TYPE, _ICMP_CODE), 0)
    for one in properties(outer.nested):
        if one.type in addresses:
            addresses[one.type], is_v6 = _decode_address(one, is_v6)
        elif one.type in (_ICMP_TYPE, _ICMP_CODE):
            numbers[one.type] = one.u8()
        elif one.type in numbers:
            numbers[one.type] = one.u16()
    source, target = addresses.values()
    return TupleMatch(source, target, *numbers.values()), is_v6


def _decode_address(one: Property, said: bool | None) -> tuple[bytes | None, bool | None]:
    """An address; one of zeros is any, and says nothing of the other any more, as in OVS."""
    address = one.value[:_IPV6_BYTES]
    if len(address) < _IPV6_BYTES:
        raise OpenFlowError("OFPBPC_BAD_LEN")
    if not any(address):
        return None, None
    is_v6 = not address.startswith(_MAPPED_IPV4)
    if said not in (None, is_v6):
        raise OpenFlowError("OFPBPC_BAD_VALUE")
    return address if is_v6 else address[len(_MAPPED_IPV4) :], is_v6
