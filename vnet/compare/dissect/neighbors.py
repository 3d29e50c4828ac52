"""Neighbor discovery (RFC 4861): solicitations, advertisements, redirects and their options."""

from __future__ import annotations

from vnet.compare.cursor import Cursor
from vnet.compare.field import hexadecimal, labelled, raw
from vnet.wire import icmpv6, nd

MESSAGES = (
    icmpv6.ROUTER_SOLICITATION,
    icmpv6.ROUTER_ADVERTISEMENT,
    icmpv6.NEIGHBOR_SOLICITATION,
    icmpv6.NEIGHBOR_ADVERTISEMENT,
    icmpv6.REDIRECT,
)

_LINK_ADDRESSES = (nd.SOURCE_LINK_ADDRESS, nd.TARGET_LINK_ADDRESS)
_ETHERNET_BYTES = 6
_NONCE_BYTES = 6


def neighbor_message(cursor: Cursor, kind: int) -> None:
    """A message behind its checksum."""
    if kind == icmpv6.ROUTER_ADVERTISEMENT:
        cursor.number("nd.hop_limit", 1)
        cursor.number("nd.flags", 1, hexadecimal)
        cursor.number("nd.lifetime_s", 2)
        cursor.number("nd.reachable_ms", 4)
        cursor.number("nd.retransmit_ms", 4)
    else:
        cursor.number("nd.flags", 4, hexadecimal)
        if kind != icmpv6.ROUTER_SOLICITATION:
            cursor.ip("nd.target", 16)
        if kind == icmpv6.REDIRECT:
            cursor.ip("nd.destination", 16)
    _options(cursor)


def _options(cursor: Cursor) -> None:
    while cursor.left_bytes >= 2:
        kind = cursor.data[cursor.at]
        size_bytes = cursor.data[cursor.at + 1] * 8
        if not 0 < size_bytes <= cursor.left_bytes:
            return
        cursor.number("nd.option", 1)
        cursor.number("nd.option.length", 1)
        _option(cursor, kind, size_bytes - 2)


def _option(cursor: Cursor, kind: int, n_bytes: int) -> None:
    if kind in _LINK_ADDRESSES and n_bytes == _ETHERNET_BYTES:
        cursor.mac("nd.link_address")
    elif kind == nd.NONCE and n_bytes == _NONCE_BYTES:
        cursor.add(labelled("nd.nonce", cursor.take(n_bytes), "nd.nonce", None, raw))
    elif kind == nd.PREFIX_INFORMATION and n_bytes == 30:
        cursor.number("nd.prefix.length", 1)
        cursor.number("nd.prefix.flags", 1, hexadecimal)
        cursor.number("nd.prefix.valid_s", 4)
        cursor.number("nd.prefix.preferred_s", 4)
        cursor.number("nd.prefix.reserved", 4)
        cursor.ip("nd.prefix", 16)
    else:
        cursor.raw("nd.option.data", n_bytes)
