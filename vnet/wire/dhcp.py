"""DHCP and BOOTP messages (RFC 2131, RFC 951).

 0    1       2      3      4     8      10      12       16       20       24       28       44
| op | htype | hlen | hops | xid | secs | flags | ciaddr | yiaddr | siaddr | giaddr | chaddr | ...
 44      108    236      240
| sname | file | cookie | options ...
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from vnet.wire import dhcp_options
from vnet.wire.dhcp_options import END, Option

SERVER_PORT = 67
CLIENT_PORT = 68

BOOT_REQUEST = 1
BOOT_REPLY = 2
ETHERNET = 1
BROADCAST_FLAG = 0x8000
COOKIE = b"\x63\x82\x53\x63"

DISCOVER = 1
OFFER = 2
REQUEST = 3
DECLINE = 4
ACK = 5
NAK = 6
RELEASE = 7
INFORM = 8

TYPE_NAMES = {
    DISCOVER: "DHCPDISCOVER",
    OFFER: "DHCPOFFER",
    REQUEST: "DHCPREQUEST",
    DECLINE: "DHCPDECLINE",
    ACK: "DHCPACK",
    NAK: "DHCPNAK",
    RELEASE: "DHCPRELEASE",
    INFORM: "DHCPINFORM",
}

_HEADER = struct.Struct("!BBBBIHH4s4s4s4s16s64s128s")
HEADER_BYTES = _HEADER.size
LEAST_BYTES = 300
"""BOOTP messages are never shorter, for the sake of old relays."""
MOST_HARDWARE_BYTES = 16
SNAME_BYTES = 64
FILE_BYTES = 128
_NONE = bytes(4)
_FILE_OVERLOADED, _SNAME_OVERLOADED = 1, 2


class Dhcp(NamedTuple):
    """A message. Addresses are packed; ``chaddr`` has its ``hlen`` bytes and no more.

    ``options`` are in the order in which they are looked for: those of the options area, then
    those of ``file`` and ``sname`` where these are overloaded (RFC 2132 section 9.3); the two are
    then empty. ``whole`` is False where an area breaks off within an option.
    """

    op: int
    xid: int
    chaddr: bytes
    options: tuple[Option, ...] = ()
    secs: int = 0
    flags: int = 0
    ciaddr: bytes = _NONE
    yiaddr: bytes = _NONE
    siaddr: bytes = _NONE
    giaddr: bytes = _NONE
    htype: int = ETHERNET
    hops: int = 0
    sname: bytes = b""
    file: bytes = b""
    whole: bool = True

    def option(self, code: int, least_bytes: int = 0) -> bytes | None:
        """The first option of a code that has at least so many bytes, or None."""
        for each, value in self.options:
            if each == code and len(value) >= least_bytes:
                return value
        return None

    @property
    def type(self) -> int:
        """The DHCP message type; 0 for BOOTP."""
        value = self.option(dhcp_options.MESSAGE_TYPE, 1)
        return value[0] if value else 0

    @property
    def type_name(self) -> str:
        return TYPE_NAMES.get(self.type, "BOOTP" if not self.type else f"DHCP type {self.type}")


def parse(data: bytes) -> Dhcp | None:
    """The message in a datagram; None if it is none.

    That is: shorter than the fixed part, an operation that is neither request nor reply, or a
    hardware address that has more bytes than there are. Without the cookie there are no options,
    and it is BOOTP.
    """
    if len(data) < HEADER_BYTES:
        return None
    (
        op,
        htype,
        hlen,
        hops,
        xid,
        secs,
        flags,
        ciaddr,
        yiaddr,
        siaddr,
        giaddr,
        chaddr,
        sname,
        file,
    ) = _HEADER.unpack_from(data)
    if op not in (BOOT_REQUEST, BOOT_REPLY) or hlen > MOST_HARDWARE_BYTES:
        return None
    options: tuple[Option, ...] = ()
    whole = True
    at = HEADER_BYTES + len(COOKIE)
    if data[HEADER_BYTES:at] == COOKIE:
        options, whole = dhcp_options.parse(data[at:])
        overload = next((v[0] for code, v in options if code == dhcp_options.OVERLOAD and v), 0)
        if overload & _FILE_OVERLOADED:
            more, sound = dhcp_options.parse(file)
            options, whole, file = options + more, whole and sound, b""
        if overload & _SNAME_OVERLOADED:
            more, sound = dhcp_options.parse(sname)
            options, whole, sname = options + more, whole and sound, b""
        if overload:
            options = tuple(each for each in options if each[0] != dhcp_options.OVERLOAD)
    return Dhcp(
        op,
        xid,
        chaddr[:hlen],
        options,
        secs,
        flags,
        ciaddr,
        yiaddr,
        siaddr,
        giaddr,
        htype,
        hops,
        sname.rstrip(b"\0"),
        file.rstrip(b"\0"),
        whole,
    )


def emit(message: Dhcp, *, least_bytes: int = LEAST_BYTES) -> bytes:
    """The message as a datagram: all options in their own area, zeros up to ``least_bytes``."""
    area = dhcp_options.emit(message.options) + bytes((END,))
    return emit_areas(message, area, message.file, message.sname, least_bytes=least_bytes)


def emit_areas(
    message: Dhcp, options: bytes, file: bytes, sname: bytes, *, least_bytes: int = LEAST_BYTES
) -> bytes:
    """The message with its areas as they are given, ``message.options`` aside."""
    data = _HEADER.pack(
        message.op,
        message.htype,
        len(message.chaddr),
        message.hops,
        message.xid,
        message.secs,
        message.flags,
        message.ciaddr,
        message.yiaddr,
        message.siaddr,
        message.giaddr,
        message.chaddr,
        sname,
        file,
    )
    return (data + COOKIE + options).ljust(least_bytes, b"\0")
