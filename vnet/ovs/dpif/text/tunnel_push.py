"""``tnl_push(...)`` in text: the headers that a tunnel puts in front, field by field."""

from __future__ import annotations

import re
import struct
from typing import NamedTuple

from vnet.ovs.dpif.actions import TnlPush, TunnelType
from vnet.ovs.dpif.text.kind import PortNames, port_text
from vnet.ovs.dpif.text.scan import INTEGER, integer_of
from vnet.ovs.flow.address_text import (
    ipv4_text,
    ipv6_text,
    mac_text,
    scan_ipv4,
    scan_ipv6,
    scan_mac,
)
from vnet.ovs.flow.ports import OdpPort
from vnet.ovs.flow.protocol_numbers import ETH_TYPE_IP
from vnet.ovs.flow.value_text import hex_text
from vnet.wire import geneve, gre, ipv4, ipv6, udp, vxlan
from vnet.wire.checksum import checksum
from vnet.wire.ether import HEADER_BYTES

_IPV4 = struct.Struct("!BBHHHBBHII")
_IPV6 = struct.Struct("!IHBB16s16s")
_UDP = struct.Struct("!HHHH")
_U32_MASK = 0xFFFF_FFFF
_LABEL_MASK = 0xFFFFF


def tnl_push_text(action: TnlPush, names: PortNames) -> str:
    """``tnl_push(tnl_port(4789),header(size=50,type=4,eth(...),ipv4(...),...),out_port(100))``"""
    header = action.header
    ethertype = int.from_bytes(header[12:14], "big")
    parts = [
        f"size={len(header)}",
        f"type={action.tunnel_type.value}",
        f"eth(dst={_mac(header[:6])},src={_mac(header[6:12])},dl_type=0x{ethertype:04x})",
    ]
    if ethertype == ETH_TYPE_IP:
        parts.append(_ipv4_text(header))
        at = HEADER_BYTES + ipv4.HEADER_BYTES
    else:
        parts.append(_ipv6_text(header))
        at = HEADER_BYTES + ipv6.HEADER_BYTES
    parts += _tunnel_texts(action.tunnel_type, header, at)
    tnl_port, out_port = port_text(action.tnl_port, names), port_text(action.out_port, names)
    return f"tnl_push(tnl_port({tnl_port}),header({','.join(parts)}),out_port({out_port}))"


def _mac(mac: bytes) -> str:
    return mac_text(int.from_bytes(mac, "big"))


def _ipv4_text(header: bytes) -> str:
    _, tos, _, _, fragment, ttl, protocol, _, source, target = _IPV4.unpack_from(
        header, HEADER_BYTES
    )
    return (
        f"ipv4(src={ipv4_text(source)},dst={ipv4_text(target)},proto={protocol}"
        f",tos={hex_text(tos)},ttl={ttl},frag=0x{fragment:x})"
    )


def _ipv6_text(header: bytes) -> str:
    word, _, next_header, hop_limit, source, target = _IPV6.unpack_from(header, HEADER_BYTES)
    source_text, target_text = (ipv6_text(int.from_bytes(ip, "big")) for ip in (source, target))
    return (
        f"ipv6(src={source_text},dst={target_text},label={word & _LABEL_MASK},proto={next_header}"
        f",tclass=0x{word >> 20 & 0xFF:x},hlimit={hop_limit})"
    )


def _tunnel_texts(tunnel_type: TunnelType, header: bytes, at: int) -> list[str]:
    if tunnel_type in (TunnelType.GRE, TunnelType.IP6GRE):
        return [_gre_text(header, at)]
    source_port, target_port, _, check = _UDP.unpack_from(header, at)
    udp_text = f"udp(src={source_port},dst={target_port},csum=0x{check:x})"
    at += udp.HEADER_BYTES
    if tunnel_type is TunnelType.VXLAN:
        tunnel = vxlan.parse(header, at)
        assert tunnel is not None, "a header is whole"
        return [udp_text, f"vxlan(flags=0x{tunnel.flags:x},vni=0x{tunnel.vni:x})"]
    found = geneve.parse(header, at)
    assert found is not None, "a header is whole"
    marks = "oam," * found.is_oam + "crit," * found.is_critical
    return [udp_text, f"geneve({marks}vni=0x{found.vni:x})"]


def _gre_text(header: bytes, at: int) -> str:
    found = gre.parse(header, at)
    assert found is not None, "a header is whole"
    text = f"gre((flags=0x{found.flags:x},proto=0x{found.ethertype:x})"
    if found.flags & gre.FLAG_CHECKSUM:
        check = int.from_bytes(header[at + gre.BASE_BYTES : at + gre.BASE_BYTES + 2], "big")
        text += f",csum=0x{check:x}"
    if found.key is not None:
        text += f",key=0x{found.key:x}"
    if found.sequence is not None:
        text += f",seq=0x{found.sequence:x}"
    return f"{text})"


# -- from text

_HEX = r"0[xX]([0-9a-fA-F]+)"
_HEAD = re.compile(rf"\(tnl_port\({INTEGER}\),header\(size={INTEGER},type={INTEGER},eth\(dst=")
_ETHERTYPE = re.compile(rf",dl_type={_HEX}\),")
_IPV4_REST = re.compile(rf",proto={INTEGER},tos={INTEGER},ttl={INTEGER},frag={_HEX}\),")
_IPV6_REST = re.compile(rf",label={INTEGER},proto={INTEGER},tclass={_HEX},hlimit={INTEGER}\),")
_UDP_TEXT = re.compile(rf"udp\(src={INTEGER},dst={INTEGER},csum={_HEX}\),")
_VXLAN_TEXT = re.compile(rf"vxlan\(flags={_HEX},vni={_HEX}\)\)")
_GENEVE_TEXT = re.compile(rf"geneve\((oam,)?(crit,)?vni={INTEGER}\)\)")
_GRE_TEXT = re.compile(rf"gre\(\(flags={_HEX},proto={_HEX}\)")
_GRE_OPTIONS = (
    (gre.FLAG_CHECKSUM, re.compile(rf",csum={_HEX}"), 16),
    (gre.FLAG_KEY, re.compile(rf",key={_HEX}"), 0),
    (gre.FLAG_SEQUENCE, re.compile(rf",seq={_HEX}"), 0),
)
_TAIL = re.compile(rf",out_port\({INTEGER}\)\)")


class _Scanned(NamedTuple):
    """A header, or a part of one, and where its text ends."""

    data: bytes
    end: int


class _Tunnel(NamedTuple):
    """The innermost of the headers."""

    tunnel_type: TunnelType
    data: bytes
    end: int


def scan_tnl_push(text: str, at: int) -> tuple[TnlPush, int] | None:
    """Read ``tnl_push(...)`` from its opening parenthesis on.

    None where the type or the size that it names are not those of the headers behind.
    """
    head = _HEAD.match(text, at)
    ethernet = None if head is None else _scan_ethernet(text, head.end())
    if head is None or ethernet is None:
        return None
    is_ipv4 = int.from_bytes(ethernet.data[12:14], "big") == ETH_TYPE_IP
    network = (_scan_ipv4 if is_ipv4 else _scan_ipv6)(text, ethernet.end)
    tunnel = None if network is None else _scan_tunnel(text, network.end, is_ipv4=is_ipv4)
    tail = None if tunnel is None else _TAIL.match(text, tunnel.end)
    if network is None or tunnel is None or tail is None:
        return None
    header = ethernet.data + network.data + tunnel.data
    tnl_port, size, type_number = (integer_of(digits) for digits in head.groups())
    if type_number != tunnel.tunnel_type or size != len(header):
        return None
    out_port = OdpPort(integer_of(tail[1]) & _U32_MASK)
    push = TnlPush(OdpPort(tnl_port & _U32_MASK), tunnel.tunnel_type, header, out_port)
    return push, tail.end()


def _number(digits: str, n_bits: int, base: int = 16) -> int:
    return int(digits, base) & (1 << n_bits) - 1


def _scan_ethernet(text: str, at: int) -> _Scanned | None:
    target = scan_mac(text, at)
    if target is None or not text.startswith(",src=", target[1]):
        return None
    source = scan_mac(text, target[1] + len(",src="))
    found = None if source is None else _ETHERTYPE.match(text, source[1])
    if source is None or found is None:
        return None
    data = (target[0] << 64 | source[0] << 16 | _number(found[1], 16)).to_bytes(14, "big")
    return _Scanned(data, found.end())


def _scan_ipv4(text: str, at: int) -> _Scanned | None:
    source = scan_ipv4(text, at + len("ipv4(src=")) if text.startswith("ipv4(src=", at) else None
    if source is None or not text.startswith(",dst=", source[1]):
        return None
    target = scan_ipv4(text, source[1] + len(",dst="))
    found = None if target is None else _IPV4_REST.match(text, target[1])
    if target is None or found is None:
        return None
    protocol, tos, ttl = (integer_of(digits) & 0xFF for digits in found.groups()[:3])
    fragment = _number(found[4], 16)
    header = _IPV4.pack(0x45, tos, 0, 0, fragment, ttl, protocol, 0, source[0], target[0])
    return _Scanned(_with_ipv4_checksum(header), found.end())


def _with_ipv4_checksum(header: bytes) -> bytes:
    return header[:10] + checksum(header).to_bytes(2, "big") + header[12:]


def _scan_ipv6(text: str, at: int) -> _Scanned | None:
    source = scan_ipv6(text, at + len("ipv6(src=")) if text.startswith("ipv6(src=", at) else None
    if source is None or not text.startswith(",dst=", source[1]):
        return None
    target = scan_ipv6(text, source[1] + len(",dst="))
    found = None if target is None else _IPV6_REST.match(text, target[1])
    if target is None or found is None:
        return None
    label = integer_of(found[1])
    if label & ~_LABEL_MASK:
        return None
    word = 6 << 28 | _number(found[3], 8) << 20 | label
    next_header, hop_limit = (integer_of(digits) & 0xFF for digits in (found[2], found[4]))
    addresses = (source[0] << 128 | target[0]).to_bytes(32, "big")
    header = struct.pack("!IHBB", word, 0, next_header, hop_limit) + addresses
    return _Scanned(header, found.end())


def _scan_tunnel(text: str, at: int, *, is_ipv4: bool) -> _Tunnel | None:
    found = _UDP_TEXT.match(text, at)
    if found is None:
        return _scan_gre(text, at, TunnelType.GRE if is_ipv4 else TunnelType.IP6GRE)
    source_port, target_port = (integer_of(digits) & 0xFFFF for digits in found.groups()[:2])
    head = _UDP.pack(source_port, target_port, 0, _number(found[3], 16))
    at = found.end()
    found = _VXLAN_TEXT.match(text, at)
    if found is not None:
        data = vxlan.emit(_number(found[2], 24), _number(found[1], 32))
        return _Tunnel(TunnelType.VXLAN, head + data, found.end())
    found = _GENEVE_TEXT.match(text, at)
    if found is None:
        return None
    data = geneve.emit(
        integer_of(found[3]), is_oam=found[1] is not None, is_critical=found[2] is not None
    )
    return _Tunnel(TunnelType.GENEVE, head + data, found.end())


def _scan_gre(text: str, at: int, tunnel_type: TunnelType) -> _Tunnel | None:
    found = _GRE_TEXT.match(text, at)
    if found is None:
        return None
    flags, at = _number(found[1], 16), found.end()
    if flags & ~gre.FLAGS_KNOWN:
        return None
    data = (flags << 16 | _number(found[2], 16)).to_bytes(gre.BASE_BYTES, "big")
    for flag, pattern, shift in _GRE_OPTIONS:
        if flags & flag:
            option = pattern.match(text, at)
            if option is None:
                return None
            data += (_number(option[1], 32 - shift) << shift).to_bytes(4, "big")
            at = option.end()
    return _Tunnel(tunnel_type, data, at + 2) if text.startswith("))", at) else None
