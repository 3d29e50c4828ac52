"""ICMP errors as a socket hears of them (ip(7), IP_RECVERR), in ping(8)'s words."""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

from vnet.linux.netns.sockets.errors import icmp_phrase, icmpv6_phrase

IP_RECVERR = 11
IPV6_RECVERR = 25
_MSG_ERRQUEUE = 0x2000
_ORIGIN_ICMP, _ORIGIN_ICMP6 = 2, 3
_SOCK_EXTENDED_ERR = struct.Struct("=IBBBBII")
_ROOM_BYTES = 1 << 16


class HeardError(NamedTuple):
    """An error about a packet that was sent; ``data`` begins with what was sent of it.

    ``reporter`` is who says so, empty where it is our own stack; ``kind`` and ``code`` are then 0.
    """

    reporter: str
    text: str
    kind: int
    code: int
    data: bytes


def ask_for_errors(made: socket.socket) -> None:
    """Have the socket hear of them."""
    if made.family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
    else:
        made.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)


def errors_of(made: socket.socket) -> Iterator[HeardError]:
    """All that have come since."""
    while True:
        try:
            data, extra, _, _ = made.recvmsg(_ROOM_BYTES, 512, _MSG_ERRQUEUE)
        except BlockingIOError:
            return
        for level, kind, content in extra:
            wanted = {(socket.IPPROTO_IP, IP_RECVERR), (socket.IPPROTO_IPV6, IPV6_RECVERR)}
            if (level, kind) in wanted:
                yield _read(content, data)


def _read(content: bytes, data: bytes) -> HeardError:
    number, origin, kind, code, _, info, _ = _SOCK_EXTENDED_ERR.unpack_from(content)
    rest = info.to_bytes(4, "big")
    offender = content[_SOCK_EXTENDED_ERR.size :]
    if origin == _ORIGIN_ICMP:
        reporter = socket.inet_ntop(socket.AF_INET, offender[4:8])
        return HeardError(reporter, icmp_phrase(kind, code, rest), kind, code, data)
    if origin == _ORIGIN_ICMP6:
        reporter = socket.inet_ntop(socket.AF_INET6, offender[8:24])
        return HeardError(reporter, icmpv6_phrase(kind, code, rest), kind, code, data)
    return HeardError("", _own_words(number, info), 0, 0, data)


def _own_words(number: int, info: int) -> str:
    if number == errno.EMSGSIZE:
        return f"Message too long, mtu={info}"
    if number == errno.EHOSTUNREACH:
        return "Destination Host Unreachable"
    return os.strerror(number)
