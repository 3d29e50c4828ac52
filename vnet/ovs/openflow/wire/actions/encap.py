"""``encap``, ``decap`` and ``dec_nsh_ttl``, since OpenFlow 1.3.

The properties of ``encap`` have a class, a type and a length in bytes; the next one begins at a
multiple of eight.
"""

from __future__ import annotations

import struct

from vnet.ovs.flow.protocol_numbers import (
    ETH_TYPE_MPLS,
    ETH_TYPE_MPLS_MCAST,
    ETH_TYPE_NSH,
    PT_ETHERNET,
    PT_NAMESPACE_ETHERTYPE,
)
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import (
    Decap,
    DecNshTtl,
    Encap,
    EncapProperty,
    NshMdType,
    NshTlv,
)
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.actions.form import OF13, Family, Form, bare_form, nicira
from vnet.ovs.openflow.wire.actions.reading import Reading

_ETHERTYPES = (ETH_TYPE_NSH, ETH_TYPE_MPLS, ETH_TYPE_MPLS_MCAST)
_PACKET_TYPES = (PT_ETHERNET, *(PT_NAMESPACE_ETHERTYPE << 16 | each for each in _ETHERTYPES))

_ENCAP_BODY = struct.Struct("!HI")
_DECAP_BODY = struct.Struct("!2xI")

_PROPERTY = struct.Struct("!HBB")
_ALIGNMENT_BYTES = 8
_NSH_CLASS = 4
_MD_TYPE, _TLV = 1, 2
_MD_TYPE_PROPERTY = struct.Struct("!HBBB3x")
_MD_TYPE_BYTES = 5
_TLV_PROPERTY = struct.Struct("!HBBHBB")


def _decode_encap(body: bytes, _reading: Reading) -> Encap:
    header_bytes, packet_type = _ENCAP_BODY.unpack_from(body)
    if packet_type not in _PACKET_TYPES:
        raise OpenFlowError("NXBAC_BAD_HEADER_TYPE")
    properties = []
    offset = _ENCAP_BODY.size
    while offset < len(body):
        each, offset = _decode_property(body, offset)
        properties.append(each)
    return Encap(packet_type, header_bytes, tuple(properties))


def _decode_property(data: bytes, offset: int) -> tuple[EncapProperty, int]:
    property_class, kind, length = _PROPERTY.unpack_from(data, offset)
    end = offset + _padded(length)
    if length < _PROPERTY.size or end > len(data):
        raise OpenFlowError("OFPBAC_BAD_LEN")
    if property_class != _NSH_CLASS or kind not in (_MD_TYPE, _TLV):
        raise OpenFlowError("NXBAC_UNKNOWN_ED_PROP")
    if kind == _MD_TYPE:
        if length > _MD_TYPE_PROPERTY.size:
            raise OpenFlowError("NXBAC_BAD_ED_PROP")
        return NshMdType(_MD_TYPE_PROPERTY.unpack_from(data, offset)[3]), end
    *_, tlv_class, tlv_type, n_bytes = _TLV_PROPERTY.unpack_from(data, offset)
    start = offset + _TLV_PROPERTY.size
    if length != _TLV_PROPERTY.size + _padded(n_bytes):
        raise OpenFlowError("NXBAC_BAD_ED_PROP")
    return NshTlv(tlv_class, tlv_type, data[start : start + n_bytes]), end


def _padded(length: int) -> int:
    return length + -length % _ALIGNMENT_BYTES


def _decode_decap(body: bytes, _reading: Reading) -> Decap:
    if len(body) > _DECAP_BODY.size:
        raise OpenFlowError("NXBAC_UNKNOWN_ED_PROP")
    (packet_type,) = _DECAP_BODY.unpack_from(body)
    return Decap(packet_type)


_ENCAP = Form("NXAST_ENCAP", nicira(46, OF13), _decode_encap, _ENCAP_BODY.size, is_extensible=True)
_DECAP = Form("NXAST_DECAP", nicira(47, OF13), _decode_decap, _DECAP_BODY.size, is_extensible=True)
_DEC_NSH_TTL = bare_form("NXAST_DEC_NSH_TTL", nicira(48, OF13), DecNshTtl())


def _encode_encap(action: Encap, version: OpenFlowVersion) -> bytes:
    fixed = _ENCAP_BODY.pack(action.header_bytes, action.new_packet_type)
    return _ENCAP.encode(version, fixed + b"".join(map(_encode_property, action.properties)))


def _encode_property(each: EncapProperty) -> bytes:
    if isinstance(each, NshMdType):
        return _MD_TYPE_PROPERTY.pack(_NSH_CLASS, _MD_TYPE, _MD_TYPE_BYTES, each.md_type)
    n_bytes = len(each.value)
    length = _TLV_PROPERTY.size + _padded(n_bytes)
    header = _TLV_PROPERTY.pack(_NSH_CLASS, _TLV, length, each.tlv_class, each.tlv_type, n_bytes)
    return (header + each.value).ljust(length, b"\0")


def _encode_decap(action: Decap, version: OpenFlowVersion) -> bytes:
    return _DECAP.encode(version, _DECAP_BODY.pack(action.new_packet_type))


FAMILY = Family(
    (_ENCAP, _DECAP, _DEC_NSH_TTL),
    {
        Encap: _encode_encap,
        Decap: _encode_decap,
        DecNshTtl: lambda _action, version: _DEC_NSH_TTL.encode(version),
    },
)
