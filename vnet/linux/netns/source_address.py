"""Which of a machine's IPv6 addresses a packet is sent from (RFC 6724 section 5).

The rules are Linux's (ipv6_dev_get_saddr()), with its table of labels (ip-addrlabel(8)).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from vnet.base.ids import ip_from_text, is_link_local_ip6, is_multicast_ip

if TYPE_CHECKING:
    from vnet.base.ids import IpAddress
    from vnet.linux.netns.address import InterfaceAddress
    from vnet.linux.netns.interface import Interface

_LINK_SCOPE, _SITE_SCOPE, _GLOBAL_SCOPE = 2, 5, 14
_TOO_NARROW = 128

_LABELS = tuple(
    (ip_from_text(network), length, label)
    for network, length, label in (
        ("::1", 128, 0),
        ("::ffff:0:0", 96, 4),
        ("::", 96, 3),
        ("2001::", 32, 6),
        ("2001:10::", 28, 7),
        ("2002::", 16, 2),
        ("3ffe::", 16, 12),
        ("fec0::", 10, 11),
        ("fc00::", 7, 5),
        ("::", 0, 1),
    )
)

_Score: TypeAlias = tuple[bool, int, bool, bool, bool, int]


def choose_source(out: Interface, target: bytes) -> IpAddress | None:
    """The address for a packet that leaves ``out`` for ``target``; None if there is none."""
    best: tuple[_Score, IpAddress] | None = None
    for interface, address in _candidates(out, target):
        score = _score(out, interface, address, target)
        if best is None or score > best[0]:
            best = score, address.ip
    return None if best is None else best[1]


def _candidates(out: Interface, target: bytes) -> Iterator[tuple[Interface, InterfaceAddress]]:
    """Those of the link where the target is on one, else the machine's; the newest first."""
    on_link = is_multicast_ip(target) or is_link_local_ip6(target) or out.conf6.use_oif_addrs_only
    everywhere = () if on_link else out.namespace.interfaces.values()
    for interface in (out, *(each for each in everywhere if each is not out)):
        for address in reversed(interface.addresses):
            if len(address.ip) == 16 and address.usable:
                yield interface, address


def _score(
    out: Interface, interface: Interface, address: InterfaceAddress, target: bytes
) -> _Score:
    """How good an address is, by the rules in their order; the larger the better."""
    scope, wanted = scope_of(address.ip), scope_of(target)
    return (
        address.ip == target,
        -scope if scope >= wanted else scope - _TOO_NARROW,
        not address.deprecated,
        interface is out,
        label_of(address.ip) == label_of(target),
        min(_common_bits(address.ip, target), address.prefix_length),
    )


def scope_of(ip: bytes) -> int:
    """How far an address reaches, as the scopes of multicast groups are numbered."""
    if is_multicast_ip(ip):
        return ip[1] & 0x0F
    if is_link_local_ip6(ip) or ip == bytes(15) + b"\1":
        return _LINK_SCOPE
    return _SITE_SCOPE if ip[0] == 0xFE and ip[1] & 0xC0 == 0xC0 else _GLOBAL_SCOPE


@lru_cache(maxsize=1024)
def label_of(ip: bytes) -> int:
    """The label of an address: the policy table of RFC 6724 section 2.1, as Linux has it."""
    return next(label for network, length, label in _LABELS if _common_bits(ip, network) >= length)


def _common_bits(one: bytes, other: bytes) -> int:
    differing = int.from_bytes(one, "big") ^ int.from_bytes(other, "big")
    return 128 - differing.bit_length()
