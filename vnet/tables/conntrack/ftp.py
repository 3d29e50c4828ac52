"""FTP's control connection (RFC 959, RFC 2428): it announces transfers, by address and port.

With translation the address that it tells must be the translated one. That changes the length
of the text, and so all sequence numbers after it.
"""

from __future__ import annotations

import re
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from struct import Struct
from typing import NamedTuple

from vnet.tables.conntrack.conn import Conn
from vnet.tables.conntrack.expectations import Expectations
from vnet.tables.conntrack.headers import Headers
from vnet.tables.conntrack.key import parts_of
from vnet.tables.conntrack.mangle import mend_checksum
from vnet.tables.conntrack.packet import INVALID, REPLY, TRACKED, CtPacket
from vnet.wire.checksum import transport_checksum

_TCP = 6
_MOST_BYTES = 128
"""So much of a segment is read, less one byte."""

_ACTIVE_V4, _PASSIVE_V4 = b"PORT", b"227"
_ACTIVE_V6, _PASSIVE_V6 = b"EPRT", b"EXTENDED PASSIVE"

_V4 = re.compile(rb"[^ ]* [^0-9]*([0-9][^,]*,[^,]*,[^,]*,[^,]*),([0-9]{1,4}+).([0-9]+)", re.DOTALL)
"""Behind the command: h1,h2,h3,h4,p1,p2, with whatever text around it."""
_V6_ACTIVE = re.compile(rb"[^0-9]*2[^0-9]([0-9A-Fa-f:.]*+).([0-9]{1,6}+)", re.DOTALL)
"""Behind the command: |2|address|port|, with any delimiter."""
_V6_PASSIVE = re.compile(rb"[^(]*+[^0-9]*([0-9]{1,6}+)", re.DOTALL)
"""Somewhere behind a parenthesis: |||port|."""

_SEQUENCES = Struct("!II")
_U32 = 0xFFFFFFFF


class _Announcement(NamedTuple):
    """``address`` stands at ``at`` in the text and takes ``size`` bytes; None if there is none."""

    port: int
    address: bytes | None = None
    at: int = 0
    size: int = 0


def adjust_control(packet: CtPacket, headers: Headers, conn: Conn, translates: bool) -> None:
    """A segment that announces nothing: keep its sequence numbers in step."""
    if not _announces(headers):
        _adjust_sequences(packet, headers, conn, translates)


def read_control(
    expectations: Expectations,
    packet: CtPacket,
    headers: Headers,
    conn: Conn,
    translates: bool,
) -> None:
    """A segment that announces a transfer: expect it, and translate what the segment says.

    One that cannot be understood, or that announces a third party, is invalid.
    """
    if not _announces(headers):
        return
    found = _read_v6(headers) if headers.is_v6 else _read_v4(headers)
    key, reply = parts_of(conn.key), parts_of(conn.reply_key)
    is_active = _text(headers)[:4].upper() in (_ACTIVE_V4, _ACTIVE_V6)
    replacement = reply.target if is_active else key.target
    genuine = key.source if is_active else reply.source
    if found is None or found.address not in (None, genuine, replacement):
        packet.meta.state |= TRACKED | INVALID
        return
    expectations.announce(conn, found.port, packet.meta.state & REPLY != 0)
    grown = 0
    if translates and found.address is not None:
        grown = _replace_address(packet, headers, found, replacement)
    _adjust_sequences(packet, headers, conn, translates)
    if grown and conn.helper is not None:
        conn.helper.skew += grown
        conn.helper.skew_is_reply = headers.is_reply


def _payload_at(headers: Headers) -> int:
    return headers.l4 + (headers.data[headers.l4 + 12] >> 4) * 4


def _text(headers: Headers) -> bytes:
    start = _payload_at(headers)
    length = min(headers.end - start, _MOST_BYTES) - 1
    return headers.data[start : start + max(length, 0)].partition(b"\0")[0]


def _announces(headers: Headers) -> bool:
    text = _text(headers).upper()
    if headers.is_v6:
        return text.startswith(_ACTIVE_V6) or _PASSIVE_V6 in text
    return text.startswith((_ACTIVE_V4, _PASSIVE_V4))


def _read_v4(headers: Headers) -> _Announcement | None:
    text = _text(headers)
    command_bytes = len(_ACTIVE_V4 if text[:4].upper() == _ACTIVE_V4 else _PASSIVE_V4)
    match = _V4.match(text, command_bytes)
    if match is None:
        return None
    address = _packed(AF_INET, match[1].replace(b",", b"."))
    high, low = int(match[2]), int(match[3])
    if address is None or high > 0xFF or low > 0xFF:
        return None
    return _Announcement(high << 8 | low, address, match.start(1), len(match[1]))


def _read_v6(headers: Headers) -> _Announcement | None:
    text = _text(headers)
    is_active = text[:4].upper() == _ACTIVE_V6
    if is_active:
        match = _V6_ACTIVE.match(text, len(_ACTIVE_V6))
        port_group = 2
    else:
        match = _V6_PASSIVE.match(text)
        port_group = 1
    if match is None or int(match[port_group]) > 0xFFFF:
        return None
    port = int(match[port_group])
    if not is_active:
        return _Announcement(port)
    address = _packed(AF_INET6, match[1])
    if address is None:
        return None
    return _Announcement(port, address, match.start(1), len(match[1]))


def _packed(family: int, text: bytes) -> bytes | None:
    try:
        return inet_pton(family, text.decode("ascii"))
    except (OSError, ValueError):
        return None


def _replace_address(
    packet: CtPacket, headers: Headers, found: _Announcement, replacement: bytes
) -> int:
    """Write another address into the text; returns by how many bytes the packet grew."""
    if headers.is_v6:
        text = inet_ntop(AF_INET6, replacement).encode()
    else:
        text = inet_ntop(AF_INET, replacement).replace(".", ",").encode()
    at = _payload_at(headers) + found.at
    frame = bytearray(headers.data)
    frame[at : at + found.size] = text
    grown = len(text) - found.size
    if grown:
        length_at = headers.l3 + (4 if headers.is_v6 else 2)
        old = bytes(frame[length_at : length_at + 2])
        new = (int.from_bytes(old, "big") + grown & 0xFFFF).to_bytes(2, "big")
        if not headers.is_v6:
            mend_checksum(frame, headers.l3 + 10, old, new)
        frame[length_at : length_at + 2] = new
    headers.end += grown
    packet.data = headers.data = bytes(frame)
    return grown


def _adjust_sequences(packet: CtPacket, headers: Headers, conn: Conn, translates: bool) -> None:
    """Shift sequence or acknowledgement by what was added before, and sum the segment up."""
    frame = bytearray(headers.data)
    l3, l4 = headers.l3, headers.l4
    helper = conn.helper
    if translates and helper is not None and helper.skew:
        sequence, ack = _SEQUENCES.unpack_from(frame, l4 + 4)
        if headers.is_reply == helper.skew_is_reply:
            sequence += helper.skew
        else:
            ack -= helper.skew
        _SEQUENCES.pack_into(frame, l4 + 4, sequence & _U32, ack & _U32)
    frame[l4 + 16 : l4 + 18] = b"\0\0"
    at, size = (l3 + 8, 16) if headers.is_v6 else (l3 + 12, 4)
    source, target = bytes(frame[at : at + size]), bytes(frame[at + size : at + 2 * size])
    check = transport_checksum(source, target, _TCP, bytes(frame[l4 : headers.end]))
    frame[l4 + 16 : l4 + 18] = check.to_bytes(2, "big")
    packet.data = headers.data = bytes(frame)
