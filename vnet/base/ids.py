"""Addresses: bytes on the road, text at the ends.

A MAC address travels as six ``bytes`` and an IP address as four or sixteen, so
that they can be sliced out of a frame and used as dictionary keys untouched.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface
from typing import NewType

Mac = NewType("Mac", bytes)
"""An EUI-48 address, six bytes in the order of the wire."""

IpAddress = NewType("IpAddress", bytes)
"""An IPv4 (4 bytes) or IPv6 (16 bytes) address, network order."""

MAC_BROADCAST = Mac(b"\xff\xff\xff\xff\xff\xff")
MAC_ZERO = Mac(bytes(6))

IPV4_ANY = IpAddress(bytes(4))
IPV4_BROADCAST = IpAddress(b"\xff\xff\xff\xff")
IPV6_ANY = IpAddress(bytes(16))
IPV6_LOOPBACK = IpAddress(bytes(15) + b"\1")

_MAC_TEXT = re.compile(r"[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}")


def mac_from_text(text: str) -> Mac:
    """Parse ``00:16:3e:00:00:01`` (colons or dashes). Raises ``ValueError``."""
    if not _MAC_TEXT.fullmatch(text):
        raise ValueError(f"{text!r} is not a MAC address")
    return Mac(bytes.fromhex(text.replace(":", "").replace("-", "")))


def mac_text(mac: bytes) -> str:
    """``00:16:3e:00:00:01``, lower case, as Linux prints it."""
    return mac.hex(":")


def ip_from_text(text: str) -> IpAddress:
    """Parse an IPv4 or IPv6 address. Raises ``ValueError``."""
    return IpAddress(ip_address(text).packed)


def ip_text(ip: bytes) -> str:
    """The canonical text of a packed address (RFC 5952 for IPv6)."""
    return str(ip_address(ip))


def prefix_from_text(text: str) -> tuple[IpAddress, int]:
    """Parse ``10.0.0.1/24``: the address, host bits kept, and the length. Raises ``ValueError``."""
    interface: IPv4Interface | IPv6Interface = ip_interface(text)
    return IpAddress(interface.ip.packed), interface.network.prefixlen


def network_of(ip: bytes, prefix_length: int) -> IpAddress:
    """``ip`` with its host bits cleared."""
    bits = len(ip) * 8
    mask = ((1 << prefix_length) - 1) << (bits - prefix_length)
    return IpAddress((int.from_bytes(ip, "big") & mask).to_bytes(len(ip), "big"))


def is_multicast_ip(ip: bytes) -> bool:
    """224.0.0.0/4 or ff00::/8."""
    return ip[0] == 0xFF if len(ip) == 16 else ip[0] >> 4 == 0xE


def is_link_local_ip6(ip: bytes) -> bool:
    """fe80::/10; False for IPv4."""
    return ip[0] == 0xFE and ip[1] & 0xC0 == 0x80 and len(ip) == 16


def is_on_link(ip6: bytes) -> bool:
    """Whether a link-local address is of the one network that every link has, fe80::/64."""
    return ip6[2:8] == bytes(6)


def link_local_of(mac: bytes) -> IpAddress:
    """The EUI-64 link-local address of a MAC (RFC 4291, appendix A)."""
    return IpAddress(
        b"\xfe\x80" + bytes(6) + bytes((mac[0] ^ 0x02,)) + mac[1:3] + b"\xff\xfe" + mac[3:6]
    )


def solicited_node_of(ip6: bytes) -> IpAddress:
    """ff02::1:ffXX:XXXX, the group that the owner of ``ip6`` joins (RFC 4291 section 2.7.1)."""
    return IpAddress(b"\xff\x02" + bytes(9) + b"\x01\xff" + ip6[13:16])


def is_solicited_node(ip6: bytes) -> bool:
    """Whether a group is one that :func:`solicited_node_of` gives."""
    return ip6[:13] == b"\xff\x02" + bytes(9) + b"\x01\xff"


def multicast_mac_of(group: bytes) -> Mac:
    """The Ethernet group address of an IP group (RFC 1112 section 6.4, RFC 2464 section 7)."""
    if len(group) == 16:
        return Mac(b"\x33\x33" + group[12:16])
    return Mac(b"\x01\x00\x5e" + bytes((group[1] & 0x7F,)) + group[2:4])
