"""What messages about flows have in common."""

from __future__ import annotations

from vnet.ovs.flow.match import Match
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import UNKNOWN_COUNT
from vnet.ovs.openflow.wire.match import decode_nxm, encode_nxm
from vnet.ovs.openflow.wire.oxm import TunLengths


def take_nxm(
    raw: bytes,
    offset: int,
    n_bytes: int,
    *,
    may_have_cookie: bool = False,
    tun_lengths: TunLengths | None = None,
    openflow_full: bool = False,
) -> tuple[Match, int, int, int]:
    """A match of ``n_bytes`` and its padding: the match, cookie, mask of it, and where it ends."""
    end = offset + n_bytes + -n_bytes % 8
    if end > len(raw):
        raise OpenFlowError("OFPBMC_BAD_LEN")
    match, cookie, cookie_mask = decode_nxm(
        raw[offset : offset + n_bytes],
        may_have_cookie=may_have_cookie,
        tun_lengths=tun_lengths,
        openflow_full=openflow_full,
    )
    return match, cookie, cookie_mask, end


def put_nxm(match: Match, cookie: int = 0, cookie_mask: int = 0) -> tuple[int, bytes]:
    """A match's length, and the match with its padding."""
    data = encode_nxm(match, cookie, cookie_mask)
    return len(data), data + bytes(-len(data) % 8)


def known_or_zero(count: int) -> int:
    """``count``, or 0 where it is not known: OpenFlow's standard has no word for that."""
    return 0 if count == UNKNOWN_COUNT else count
