"""Actions that add and remove headers of any kind: ``encap``, ``decap`` and ``dec_nsh_ttl``
(ovs-actions(7), "encap", "decap").
"""

from __future__ import annotations

import re

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.prerequisites import is_ip
from vnet.ovs.flow.protocol_numbers import (
    ETH_TYPE_MPLS,
    ETH_TYPE_MPLS_MCAST,
    ETH_TYPE_NSH,
    PT_ETHERNET,
    PT_NAMESPACE_ETHERTYPE,
)
from vnet.ovs.flow.protocols import P_OF13_UP
from vnet.ovs.flow.tokens import key_values, parse_u8, parse_u16
from vnet.ovs.flow.value_text import hex_text
from vnet.ovs.openflow.ofpacts import (
    PT_USE_NEXT_PROTO,
    Decap,
    DecNshTtl,
    Encap,
    EncapProperty,
    NshMdType,
    NshTlv,
)
from vnet.ovs.openflow.text.actions.kind import ActionKind, AnyKind, Checker, Printer, Reader

_PT_NSH = PT_NAMESPACE_ETHERTYPE << 16 | ETH_TYPE_NSH
_HEADERS = {
    "ethernet": PT_ETHERNET,
    "nsh": _PT_NSH,
    "mpls": PT_NAMESPACE_ETHERTYPE << 16 | ETH_TYPE_MPLS,
    "mpls_mc": PT_NAMESPACE_ETHERTYPE << 16 | ETH_TYPE_MPLS_MCAST,
}
_HEADER_NAMES = {packet_type: name for name, packet_type in _HEADERS.items()}
_PT_UNKNOWN = 0xFFFFFFFF
_DL_TYPE_UNKNOWN = 0xFFFF
_N_NAMESPACES = 5
_TLV = re.compile(
    r"0x\s*([+-]?)(?:0[xX])?([0-9a-fA-F]+),\s*([+-]?[0-9]+),0x([0-9a-fA-F]{1,251})", re.ASCII
)


# -- encap


def _parse_encap(value: str, reader: Reader) -> Encap:
    reader.usable &= P_OF13_UP
    arguments = key_values(value)
    if not arguments:
        raise OvsTextError(f"Missing encap hdr: {value}")
    header, properties = arguments[0]
    if header not in _HEADERS:
        raise OvsTextError(f"Encap hdr not supported: {properties}")
    packet_type = _HEADERS[header]
    return Encap(
        packet_type,
        properties=tuple(
            _parse_property(packet_type, key, text) for key, text in key_values(properties)
        ),
    )


def _parse_property(packet_type: int, key: str, text: str) -> EncapProperty:
    if packet_type != _PT_NSH or key not in ("md_type", "tlv"):
        raise OvsTextError(f"Invalid property: {key}")
    if not text:
        raise OvsTextError("Value missing for encap property")
    if key == "tlv":
        return _parse_tlv(text)
    md_type = parse_u8(text, "md_type")
    if md_type not in (1, 2):
        raise OvsTextError("invalid md_type")
    return NshMdType(md_type)


def _parse_tlv(text: str) -> NshTlv:
    found = _TLV.match(text)
    if found is None:
        raise OvsTextError(f"Invalid NSH TLV header: {text}")
    sign, tlv_class, tlv_type, digits = found.groups()
    # Of an odd number of digits the last does not count.
    value = bytes.fromhex(digits[: len(digits) & ~1])
    return NshTlv(int(sign + tlv_class, 16) & 0xFFFF, int(tlv_type) & 0xFF, value)


def _encap_text(action: Encap, _printer: Printer) -> str:
    properties = ",".join(_property_text(each) for each in action.properties)
    name = _HEADER_NAMES[action.new_packet_type]
    return f"encap({name}({properties}))" if properties else f"encap({name})"


def _property_text(each: EncapProperty) -> str:
    if isinstance(each, NshMdType):
        return f"md_type={each.md_type}"
    value = hex_text(int.from_bytes(each.value, "big"))
    return f"tlv(0x{each.tlv_class:04x},{each.tlv_type},{value})"


def _check_encap(action: Encap, checker: Checker) -> Encap:
    flow = checker.flow
    flow.packet_type = action.new_packet_type
    if flow.packet_type >> 16 == PT_NAMESPACE_ETHERTYPE:
        flow.dl_type = flow.packet_type & 0xFFFF
    if not is_ip(flow):
        flow.nw_proto = 0
    return action


# -- decap


def _parse_decap(value: str, _reader: Reader) -> Decap:
    arguments = key_values(value)
    if not arguments:
        return Decap()
    key, text = arguments[0]
    if key != "packet_type":
        raise OvsTextError(f"Invalid decap argument: {key}")
    parts = [*key_values(text), ("", ""), ("", "")]
    namespace = _parse_packet_type_part(parts[0], "ns")
    if namespace >= _N_NAMESPACES:
        raise OvsTextError(f"Unsupported ns value: {namespace}")
    return Decap(namespace << 16 | _parse_packet_type_part(parts[1], "type"))


def _parse_packet_type_part(part: tuple[str, str], name: str) -> int:
    key, text = part
    if key != name:
        raise OvsTextError(f"Missing packet_type attribute {name}")
    return parse_u16(text, name)


def _decap_text(action: Decap, _printer: Printer) -> str:
    if action.new_packet_type == PT_USE_NEXT_PROTO:
        return "decap()"
    namespace, ns_type = divmod(action.new_packet_type, 1 << 16)
    return f"decap(packet_type(ns={namespace},type={hex_text(ns_type)}))"


def _check_decap(action: Decap, checker: Checker) -> Decap:
    flow = checker.flow
    if flow.packet_type == PT_ETHERNET:
        flow.packet_type = PT_NAMESPACE_ETHERTYPE << 16 | flow.dl_type
    else:
        # What comes to light is known only when it does.
        flow.packet_type = _PT_UNKNOWN
        flow.dl_type = _DL_TYPE_UNKNOWN
    return action


def _check_dec_nsh_ttl(action: DecNshTtl, checker: Checker) -> DecNshTtl:
    if checker.flow.packet_type != _PT_NSH and checker.flow.dl_type != ETH_TYPE_NSH:
        checker.inconsistent()
    return action


KINDS: tuple[AnyKind, ...] = (
    ActionKind(Encap, "encap", {"encap": _parse_encap}, _encap_text, _check_encap),
    ActionKind(Decap, "decap", {"decap": _parse_decap}, _decap_text, _check_decap),
    ActionKind(
        DecNshTtl,
        "dec_nsh_ttl",
        {"dec_nsh_ttl": lambda _value, _reader: DecNshTtl()},
        lambda _action, _printer: "dec_nsh_ttl",
        _check_dec_nsh_ttl,
    ),
)
