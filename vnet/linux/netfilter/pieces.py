"""Packets that came in pieces leave in pieces (net/ipv4/ip_output.c)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from vnet.wire import ipv4


class Pieces(NamedTuple):
    """How a packet was cut that was put together to be looked at: it leaves in the same pieces.

    ``sizes`` are those of the payloads; ``most_bytes`` is the largest fragment with its header,
    0 where that is forgotten: it then leaves whole if it fits.
    ``are_uncuttable`` says that the largest forbade to be cut (IPv4).
    """

    sizes: tuple[int, ...]
    most_bytes: int
    are_uncuttable: bool


def cut_again(packet: bytes, pieces: Pieces, mtu_bytes: int) -> Iterator[bytes]:
    """A packet in the pieces in which it came, or smaller ones where those do not fit.

    Those in which it came have lost what forbade to cut them.
    """
    head_bytes = (packet[0] & 0x0F) * 4
    mtu_bytes = min(mtu_bytes, pieces.most_bytes or mtu_bytes)
    fit = all(size + head_bytes <= mtu_bytes for size in pieces.sizes)
    if fit and sum(pieces.sizes) + head_bytes == len(packet):
        return ipv4.fragment_at(packet, pieces.sizes)
    flags = ipv4.DONT_FRAGMENT if pieces.are_uncuttable else 0
    return ipv4.fragment(packet, mtu_bytes, flags)
