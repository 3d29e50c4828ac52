"""Actions on Ethernet, IP and transport headers. All but ``dec_ttl`` are older ways to say
``set_field``, and OpenFlow 1.2 and later say most of them so.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from vnet.ovs.flow.protocol_numbers import IPPROTO_SCTP, IPPROTO_TCP, IPPROTO_UDP
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import (
    DecTtl,
    Ofpact,
    SetEthDst,
    SetEthSrc,
    SetIpDscp,
    SetIpEcn,
    SetIpTtl,
    SetIpv4Dst,
    SetIpv4Src,
    SetL4DstPort,
    SetL4SrcPort,
)
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.actions.fields import load_whole_field, set_whole_field
from vnet.ovs.openflow.wire.actions.form import (
    OF10,
    OF11,
    OF12,
    Encode,
    Family,
    Form,
    bare_form,
    must_be_zero,
    nicira,
    number_form,
    standard,
)
from vnet.ovs.openflow.wire.actions.reading import Reading
from vnet.ovs.openflow.wire.actions.refusals import refusal

_MAC_BYTES = 6
_MAC_BODY_BYTES = 12
_ECN_BITS = 0x03
_DSCP_SHIFT = 2


def _mac_form(name: str, of10: int, of11: int, make: Callable[[int], Ofpact]) -> Form:
    def decode(body: bytes, _reading: Reading) -> Ofpact:
        return make(int.from_bytes(body[:_MAC_BYTES], "big"))

    numbers = standard(of10, OF10, OF10) | standard(of11, OF11)
    return Form(name, numbers, decode, _MAC_BODY_BYTES)


def _number_form(
    name: str, of10: int | None, of11: int, n_bytes: int, make: Callable[[int], Ofpact]
) -> Form:
    numbers = {} if of10 is None else standard(of10, OF10, OF10)
    return number_form(name, numbers | standard(of11, OF11), n_bytes, make)


def _dscp(tos: int) -> SetIpDscp:
    if tos & _ECN_BITS:
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    return SetIpDscp(tos)


def _ecn(ecn: int) -> SetIpEcn:
    if ecn & ~_ECN_BITS:
        raise OpenFlowError("OFPBAC_BAD_ARGUMENT")
    return SetIpEcn(ecn)


_ETH_SRC = _mac_form("OFPAT_SET_DL_SRC", 4, 3, SetEthSrc)
_ETH_DST = _mac_form("OFPAT_SET_DL_DST", 5, 4, SetEthDst)
_IPV4_SRC = _number_form("OFPAT_SET_NW_SRC", 6, 5, 4, SetIpv4Src)
_IPV4_DST = _number_form("OFPAT_SET_NW_DST", 7, 6, 4, SetIpv4Dst)
_DSCP = _number_form("OFPAT_SET_NW_TOS", 8, 7, 1, _dscp)
_ECN = _number_form("OFPAT_SET_NW_ECN", None, 8, 1, _ecn)
_TTL = _number_form("OFPAT_SET_NW_TTL", None, 23, 1, SetIpTtl)
_L4_SRC = _number_form("OFPAT_SET_TP_SRC", 9, 9, 2, SetL4SrcPort)
_L4_DST = _number_form("OFPAT_SET_TP_DST", 10, 10, 2, SetL4DstPort)


def set_field_since_of12(
    form: Form, n_bytes: int, number: Callable[..., int], field: str, shift: int = 0
) -> Encode:
    """How an action is written that OpenFlow 1.2 replaced by ``set_field`` of a field whose
    value lacks the lowest ``shift`` bits.
    """

    def encode(action: Ofpact, version: OpenFlowVersion) -> bytes:
        if version < OF12:
            return form.encode(version, number(action).to_bytes(n_bytes, "big"))
        return set_whole_field(field, number(action) >> shift, version)

    return encode


def _encode_ecn(action: SetIpEcn, version: OpenFlowVersion) -> bytes:
    if version is OF10:
        return load_whole_field("nw_ecn", action.ecn, version)
    if version < OF12:
        return _ECN.encode(version, action.ecn.to_bytes(1, "big"))
    return set_whole_field("nw_ecn", action.ecn, version)


def _encode_ttl(action: SetIpTtl, version: OpenFlowVersion) -> bytes:
    if version is OF10:
        return load_whole_field("nw_ttl", action.ttl, version)
    return _TTL.encode(version, action.ttl.to_bytes(1, "big"))


# -- transport

_PORT_FIELDS = {IPPROTO_TCP: "tcp", IPPROTO_UDP: "udp", IPPROTO_SCTP: "sctp"}


def _port_encoder(form: Form, suffix: str) -> Encode:
    """Whoever does not know the protocol cannot name the field."""

    def encode(action: SetL4SrcPort | SetL4DstPort, version: OpenFlowVersion) -> bytes:
        protocol = _PORT_FIELDS.get(action.flow_ip_proto)
        if version < OF12 or protocol is None:
            return form.encode(version, action.port.to_bytes(2, "big"))
        return set_whole_field(f"{protocol}_{suffix}", action.port, version)

    return encode


# -- TTL

_IDS_BODY = struct.Struct("!H4s")
_ID_BYTES = 2


def _decode_ids(body: bytes, _reading: Reading) -> DecTtl:
    n_ids, zeros = _IDS_BODY.unpack_from(body)
    must_be_zero(zeros)
    n_bytes, n_needed = len(body) - _IDS_BODY.size, _ID_BYTES * n_ids
    if n_bytes < n_needed:
        raise refusal(
            "OFPBAC_BAD_LEN",
            f"Nicira action dec_ttl_cnt_ids only has {n_bytes} bytes allocated for controller ids. "
            f" {n_needed} bytes are required for {n_ids} controllers.",
        )
    ids = struct.unpack_from(f"!{n_ids}H", body, _IDS_BODY.size)
    return DecTtl(ids, with_ids=True)


_DEC_TTL = bare_form("OFPAT_DEC_NW_TTL", nicira(18, OF10, OF10) | standard(24, OF11), DecTtl())
_DEC_TTL_IDS = Form(
    "NXAST_DEC_TTL_CNT_IDS", nicira(21), _decode_ids, _IDS_BODY.size, is_extensible=True
)


def _encode_dec_ttl(action: DecTtl, version: OpenFlowVersion) -> bytes:
    ids = action.controller_ids
    if not action.with_ids and ids == (0,):
        return _DEC_TTL.encode(version)
    body = _IDS_BODY.pack(len(ids), b"") + struct.pack(f"!{len(ids)}H", *ids)
    return _DEC_TTL_IDS.encode(version, body)


FAMILY = Family(
    (
        _ETH_SRC,
        _ETH_DST,
        _IPV4_SRC,
        _IPV4_DST,
        _DSCP,
        _ECN,
        _TTL,
        _L4_SRC,
        _L4_DST,
        _DEC_TTL,
        _DEC_TTL_IDS,
    ),
    {
        SetEthSrc: set_field_since_of12(_ETH_SRC, _MAC_BYTES, lambda a: a.mac, "eth_src"),
        SetEthDst: set_field_since_of12(_ETH_DST, _MAC_BYTES, lambda a: a.mac, "eth_dst"),
        SetIpv4Src: set_field_since_of12(_IPV4_SRC, 4, lambda a: a.ip, "ip_src"),
        SetIpv4Dst: set_field_since_of12(_IPV4_DST, 4, lambda a: a.ip, "ip_dst"),
        SetIpDscp: set_field_since_of12(_DSCP, 1, lambda a: a.tos, "ip_dscp", _DSCP_SHIFT),
        SetIpEcn: _encode_ecn,
        SetIpTtl: _encode_ttl,
        SetL4SrcPort: _port_encoder(_L4_SRC, "src"),
        SetL4DstPort: _port_encoder(_L4_DST, "dst"),
        DecTtl: _encode_dec_ttl,
    },
)
