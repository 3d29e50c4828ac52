"""Addresses, kept as integers, in the text of Open vSwitch: plain and under masks."""

from __future__ import annotations

import re
from socket import AF_INET6, inet_ntop, inet_pton

from vnet.ovs.flow.errors import OvsTextError

MAC_ONES = (1 << 48) - 1
IPV4_ONES = (1 << 32) - 1
IPV6_ONES = (1 << 128) - 1

_SIGNED_HEX = r"[ \t\n\v\f\r]*([+-]?)(?:0[xX])?([0-9a-fA-F]+)"
_SIGNED_DECIMAL = r"[ \t\n\v\f\r]*([+-]?[0-9]+)"
_MAC = re.compile(":".join((_SIGNED_HEX,) * 6))
_IPV4 = re.compile(r"\.".join((_SIGNED_DECIMAL,) * 4))
_PREFIX = re.compile(r"/" + _SIGNED_DECIMAL)
_IPV6 = re.compile(r"[ \t\n\v\f\r]*([0-9a-fA-F:.]{1,46})")


def mac_text(mac: int) -> str:
    """``00:16:3e:00:00:01``"""
    return mac.to_bytes(6, "big").hex(":")


def ipv4_text(ip: int) -> str:
    """``10.0.0.1``"""
    return f"{ip >> 24}.{ip >> 16 & 0xFF}.{ip >> 8 & 0xFF}.{ip & 0xFF}"


def ipv6_text(ip: int) -> str:
    """As inet_ntop(3) writes it, ``::ffff:10.0.0.1`` for a mapped address."""
    return inet_ntop(AF_INET6, ip.to_bytes(16, "big"))


def mac_masked_text(mac: int, mask: int) -> str:
    """``MAC`` or ``MAC/MASK``"""
    return mac_text(mac) if mask == MAC_ONES else f"{mac_text(mac)}/{mac_text(mask)}"


def ipv4_masked_text(ip: int, mask: int) -> str:
    """``IP``, ``IP/LENGTH`` or ``IP/MASK``"""
    if mask == IPV4_ONES:
        return ipv4_text(ip)
    length = prefix_length(mask, 32)
    return f"{ipv4_text(ip)}/{ipv4_text(mask) if length is None else length}"


def ipv6_masked_text(ip: int, mask: int) -> str:
    """``IP``, ``IP/LENGTH`` or ``IP/MASK``"""
    if mask == IPV6_ONES:
        return ipv6_text(ip)
    length = prefix_length(mask, 128)
    return f"{ipv6_text(ip)}/{ipv6_text(mask) if length is None else length}"


def prefix_length(mask: int, width: int) -> int | None:
    """How many ones a mask of ``width`` bits begins with, if the rest are zeros, else None."""
    host_bits = ~mask & (1 << width) - 1
    return None if host_bits & (host_bits + 1) else width - host_bits.bit_length()


def prefix_mask(length: int, width: int) -> int:
    """The mask of ``width`` bits that begins with ``length`` ones."""
    return ((1 << length) - 1) << (width - length)


def parse_mac_masked(text: str) -> tuple[int, int]:
    """``MAC`` or ``MAC/MASK``, six numbers in hexadecimal with colons."""
    found = _MAC.match(text)
    if found is not None:
        mac, rest = _mac_of(found), text[found.end() :]
        if not rest:
            return mac, MAC_ONES
        found = _MAC.fullmatch(rest, 1) if rest[0] == "/" else None
        if found is not None:
            return mac, _mac_of(found)
    raise OvsTextError(f"{text}: invalid Ethernet address")


def _mac_of(found: re.Match[str]) -> int:
    parts = found.groups()
    octets = (
        int(sign + digits, 16) & 0xFF for sign, digits in zip(parts[::2], parts[1::2], strict=True)
    )
    return int.from_bytes(bytes(octets), "big")


def parse_ipv4_masked(text: str) -> tuple[int, int]:
    """``IP``, ``IP/LENGTH`` or ``IP/MASK``"""
    found = _IPV4.match(text)
    if found is not None:
        mask, end = _parse_ipv4_mask(text, found.end())
        if end == len(text):
            return _ipv4_of(found), mask
    raise OvsTextError(f"{text}: invalid IP address")


def _parse_ipv4_mask(text: str, at: int) -> tuple[int, int]:
    """A ``/LENGTH`` or ``/MASK`` at ``at``, or nothing, and its end."""
    found = _IPV4.match(text, at + 1) if text.startswith("/", at) else None
    if found is not None:
        return _ipv4_of(found), found.end()
    length, end = _parse_length(text, at)
    if length is None:
        return IPV4_ONES, at
    if not 0 <= length <= 32:
        what = "IPv4 network prefix bits not between 0 and 32, inclusive"
        raise OvsTextError(f"{text}: {what}")
    return prefix_mask(length, 32), end


def _ipv4_of(found: re.Match[str]) -> int:
    a, b, c, d = map(int, found.groups())
    return (a & 0xFF) << 24 | (b & 0xFF) << 16 | (c & 0xFF) << 8 | d & 0xFF


def _parse_length(text: str, at: int) -> tuple[int | None, int]:
    """A ``/LENGTH`` at ``at`` and its end."""
    found = _PREFIX.match(text, at)
    return (None, at) if found is None else (int(found[1]), found.end())


def parse_ipv6_masked(text: str) -> tuple[int, int]:
    """``IP``, ``IP/LENGTH`` or ``IP/MASK``"""
    found = _IPV6.match(text)
    ip = None if found is None else parse_ipv6(found[1])
    if found is None or ip is None:
        raise OvsTextError(f"{text}: invalid IPv6 address")
    mask, end = _parse_ipv6_mask(text, found.end())
    if end != len(text):
        raise OvsTextError(f"{text}: invalid IPv6 address")
    return ip, mask


def _parse_ipv6_mask(text: str, at: int) -> tuple[int, int]:
    """A ``/LENGTH`` or ``/MASK`` at ``at``, or nothing, and its end."""
    length, end = _parse_length(text, at)
    if length is not None:
        if not 0 <= length <= 128:
            what = "IPv6 network prefix bits not between 0 and 128, inclusive"
            raise OvsTextError(f"{text}: {what}")
        return prefix_mask(length, 128), end
    found = _IPV6.match(text, at + 1) if text.startswith("/", at) else None
    if found is None:
        return IPV6_ONES, at
    mask = parse_ipv6(found[1])
    if mask is None:
        raise OvsTextError(f"{text}: Invalid IPv6 mask")
    return mask, found.end()


def scan_mac(text: str, at: int) -> tuple[int, int] | None:
    """The address at ``at`` and where it ends, None if there is none."""
    found = _MAC.match(text, at)
    return None if found is None else (_mac_of(found), found.end())


def scan_ipv4(text: str, at: int) -> tuple[int, int] | None:
    """The address at ``at`` and where it ends, None if there is none."""
    found = _IPV4.match(text, at)
    return None if found is None else (_ipv4_of(found), found.end())


def scan_ipv6(text: str, at: int) -> tuple[int, int] | None:
    """The address at ``at`` and where it ends, None if there is none."""
    found = _IPV6.match(text, at)
    ip = None if found is None else parse_ipv6(found[1])
    return None if found is None or ip is None else (ip, found.end())


def parse_ipv6(text: str) -> int | None:
    """What inet_pton(3) makes of ``text``, None if it is no address."""
    try:
        return int.from_bytes(inet_pton(AF_INET6, text), "big")
    except (OSError, ValueError):
        return None
