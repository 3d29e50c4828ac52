"""Actions on Ethernet, IP and transport headers: ``mod_dl_src``, ``mod_nw_tos``, ``dec_ttl``
(ovs-actions(7), "Field Modification Actions").

All of them but ``dec_ttl`` are older ways to say ``set_field``, and OpenFlow 1.2 and later say
most of them so.
"""

from __future__ import annotations

import re
from dataclasses import replace
from ipaddress import IPv4Address
from typing import TypeVar

from vnet.ovs.flow.address_text import ipv4_text, mac_text
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.flow import FRAG_LATER
from vnet.ovs.flow.prerequisites import dl_type_of, is_ip
from vnet.ovs.flow.protocol_numbers import ETH_TYPE_IP, IPPROTO_SCTP, IPPROTO_TCP, IPPROTO_UDP
from vnet.ovs.flow.tokens import parse_u8, parse_u16
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
from vnet.ovs.openflow.text.actions.kind import ActionKind, AnyKind, Checker, Reader
from vnet.ovs.openflow.text.actions.parts import (
    leading_integer,
    words,
)
from vnet.ovs.openflow.version import OpenFlowVersion

_AnyT = TypeVar("_AnyT", bound=Ofpact)
_PortT = TypeVar("_PortT", SetL4SrcPort, SetL4DstPort)

_OF12 = OpenFlowVersion.OF12
_DSCP_SHIFT = 2
_ECN_BITS = 0x03


def check_ip(action: _AnyT, checker: Checker) -> _AnyT:
    """The action is about IP, of either version."""
    if not is_ip(checker.flow):
        checker.inconsistent()
    return action


def _check_ipv4(action: _AnyT, checker: Checker) -> _AnyT:
    if dl_type_of(checker.flow) != ETH_TYPE_IP:
        checker.inconsistent()
    return action


# -- Ethernet

_MAC = re.compile(":".join([r"([+-]?(?:0[xX])?[0-9a-fA-F]+)"] * 6))


def _parse_mac(text: str) -> int:
    # As Open vSwitch does, of each number take the lower eight bits, and heed nothing after.
    found = _MAC.match(text)
    if found is None:
        raise OvsTextError(f"invalid mac address {text}")
    return int.from_bytes(bytes(int(part, 16) & 0xFF for part in found.groups()), "big")


# -- IP


def _parse_ipv4(text: str) -> int:
    try:
        return int(IPv4Address(text))
    except ValueError:
        raise OvsTextError(f"{text}: could not convert to IP address") from None


def _parse_dscp(value: str, _reader: Reader) -> SetIpDscp:
    tos = parse_u8(value, "TOS")
    if tos & _ECN_BITS:
        raise OvsTextError(f"{value}: not a valid TOS")
    return SetIpDscp(tos)


def _parse_ecn(value: str, _reader: Reader) -> SetIpEcn:
    ecn = parse_u8(value, "ECN")
    if ecn > _ECN_BITS:
        raise OvsTextError(f"{value}: not a valid ECN")
    return SetIpEcn(ecn)


def _parse_ttl(value: str, _reader: Reader) -> SetIpTtl:
    return SetIpTtl(parse_u8(value, "TTL"))


def _parse_dec_ttl(value: str, _reader: Reader) -> DecTtl:
    if not value:
        return DecTtl()
    ids, _ = words(value, ", ", len(value))
    if not ids:
        raise OvsTextError("dec_ttl_cnt_ids: expected at least one controller id.")
    return DecTtl(tuple(leading_integer(text) & 0xFFFF for text in ids), with_ids=True)


def _dec_ttl_text(action: DecTtl, _printer: object) -> str:
    if not action.with_ids:
        return "dec_ttl"
    return f"dec_ttl({','.join(map(str, action.controller_ids))})"


# -- transport

_PORT_FIELDS = {IPPROTO_TCP: "tcp", IPPROTO_UDP: "udp", IPPROTO_SCTP: "sctp"}


def _check_port(action: _PortT, checker: Checker) -> _PortT:
    flow = checker.flow
    if not is_ip(flow) or flow.nw_frag & FRAG_LATER or flow.nw_proto not in _PORT_FIELDS:
        checker.inconsistent()
    return replace(action, flow_ip_proto=flow.nw_proto)


KINDS: tuple[AnyKind, ...] = (
    ActionKind(
        SetEthSrc,
        "mod_dl_src",
        {"mod_dl_src": lambda value, _reader: SetEthSrc(_parse_mac(value))},
        lambda action, _printer: f"mod_dl_src:{mac_text(action.mac)}",
    ),
    ActionKind(
        SetEthDst,
        "mod_dl_dst",
        {"mod_dl_dst": lambda value, _reader: SetEthDst(_parse_mac(value))},
        lambda action, _printer: f"mod_dl_dst:{mac_text(action.mac)}",
    ),
    ActionKind(
        SetIpv4Src,
        "mod_nw_src",
        {"mod_nw_src": lambda value, _reader: SetIpv4Src(_parse_ipv4(value))},
        lambda action, _printer: f"mod_nw_src:{ipv4_text(action.ip)}",
        _check_ipv4,
    ),
    ActionKind(
        SetIpv4Dst,
        "mod_nw_dst",
        {"mod_nw_dst": lambda value, _reader: SetIpv4Dst(_parse_ipv4(value))},
        lambda action, _printer: f"mod_nw_dst:{ipv4_text(action.ip)}",
        _check_ipv4,
    ),
    ActionKind(
        SetIpDscp,
        "mod_nw_tos",
        {"mod_nw_tos": _parse_dscp},
        lambda action, _printer: f"mod_nw_tos:{action.tos}",
        check_ip,
    ),
    ActionKind(
        SetIpEcn,
        "mod_nw_ecn",
        {"mod_nw_ecn": _parse_ecn},
        lambda action, _printer: f"mod_nw_ecn:{action.ecn}",
        check_ip,
    ),
    ActionKind(
        SetIpTtl,
        "mod_nw_ttl",
        {"mod_nw_ttl": _parse_ttl, "set_nw_ttl": _parse_ttl},
        lambda action, _printer: f"mod_nw_ttl:{action.ttl}",
        check_ip,
    ),
    ActionKind(DecTtl, "dec_ttl", {"dec_ttl": _parse_dec_ttl}, _dec_ttl_text, check_ip),
    ActionKind(
        SetL4SrcPort,
        "mod_tp_src",
        {"mod_tp_src": lambda value, _reader: SetL4SrcPort(parse_u16(value, "source port"))},
        lambda action, _printer: f"mod_tp_src:{action.port}",
        _check_port,
    ),
    ActionKind(
        SetL4DstPort,
        "mod_tp_dst",
        {"mod_tp_dst": lambda value, _reader: SetL4DstPort(parse_u16(value, "destination port"))},
        lambda action, _printer: f"mod_tp_dst:{action.port}",
        _check_port,
    ),
)
