"""Which of several addresses a program tries first (RFC 3484, with the tables of glibc).

First those that there is a way to, then those of the scope of the address that packets would
leave from, of its label, and of the higher precedence: IPv6 before IPv4. The rest stays as the
server had it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from vnet.base.errors import UsageError
from vnet.base.ids import IpAddress, ip_from_text, is_link_local_ip6

if TYPE_CHECKING:
    from vnet.linux.netns.namespace import Namespace

_LABELS = (
    ("::1", 128, 0, 50),
    ("::ffff:0:0", 96, 4, 10),
    ("2001::", 32, 7, 40),
    ("2002::", 16, 2, 30),
    ("fec0::", 10, 5, 40),
    ("fc00::", 7, 6, 40),
)
"""Network, length, label, precedence."""
_ANY_LABEL = (1, 40)
_LINK, _GLOBAL = 2, 14


def in_order(namespace: Namespace, addresses: Iterable[IpAddress]) -> list[IpAddress]:
    """``addresses``, the best to try first."""
    return sorted(addresses, key=lambda ip: _badness(namespace, ip))


def _badness(namespace: Namespace, ip: IpAddress) -> tuple[bool, bool, bool, int]:
    try:
        source = namespace.sockets.source_for(ip)
    except UsageError:
        return True, True, True, 0
    label, precedence = _row(ip)
    return False, _scope(ip) != _scope(source), label != _row(source)[0], -precedence


def _row(ip: bytes) -> tuple[int, int]:
    wide = ip if len(ip) == 16 else bytes(10) + b"\xff\xff" + ip
    number = int.from_bytes(wide, "big")
    for network, length, label, precedence in _LABELS:
        if (number ^ int.from_bytes(ip_from_text(network), "big")) >> (128 - length) == 0:
            return label, precedence
    return _ANY_LABEL


def _scope(ip: bytes) -> int:
    if len(ip) == 16:
        return _LINK if is_link_local_ip6(ip) or ip == bytes(15) + b"\1" else _GLOBAL
    return _LINK if ip[:2] == b"\xa9\xfe" or ip[0] == 127 else _GLOBAL
