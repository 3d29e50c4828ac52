"""Actions that choose by a hash of the flow: ``multipath`` and ``bundle``."""

from __future__ import annotations

from vnet.ovs.flow.flow_hash import hash_fields, mask_of_hash_fields
from vnet.ovs.flow.hashing import hash_2words
from vnet.ovs.flow.ports import (
    OFPP_ALL,
    OFPP_CONTROLLER,
    OFPP_FLOOD,
    OFPP_IN_PORT,
    OFPP_NONE,
    OFPP_NORMAL,
    OFPP_TABLE,
    OfpPort,
)
from vnet.ovs.ofproto.xlate.context import XlateCtx
from vnet.ovs.ofproto.xlate.loop import Place, Verdict, carries_out, carries_out_in_place
from vnet.ovs.ofproto.xlate.metadata import load
from vnet.ovs.ofproto.xlate.ports import is_enabled
from vnet.ovs.ofproto.xlate.sending import send
from vnet.ovs.openflow.ofpacts import Bundle, BundleAlgorithm, Multipath, MultipathAlgorithm

_HASH_VALUES = 1 << 32
_MAX_HRW_LINKS = 64
"""Up to so many links, highest random weight computes a weight for each."""


@carries_out(Multipath)
def _multipath(ctx: XlateCtx, action: Multipath) -> None:
    key = ctx.flow.key
    link = choose_link(action, hash_fields(key, action.fields, action.basis))
    ctx.wc.key |= mask_of_hash_fields(key, action.fields)
    load(ctx, action.destination, link)


def choose_link(action: Multipath, hash_: int) -> int:
    """The link, counted from 0, that a hash means."""
    n_links = action.max_link + 1
    match action.algorithm:
        case MultipathAlgorithm.MODULO_N:
            return hash_ % n_links
        case MultipathAlgorithm.HASH_THRESHOLD:
            return 0 if n_links == 1 else hash_ // ((_HASH_VALUES - 1) // n_links + 1)
        case MultipathAlgorithm.HIGHEST_RANDOM_WEIGHT if n_links <= _MAX_HRW_LINKS:
            weights = [hash_2words(hash_, link) for link in range(n_links)]
            return weights.index(max(weights))
        case MultipathAlgorithm.HIGHEST_RANDOM_WEIGHT:
            return _iterate_hash(hash_, n_links, 0)
        case MultipathAlgorithm.ITER_HASH:
            return _iterate_hash(hash_, n_links, action.argument)


def _iterate_hash(hash_: int, n_links: int, modulo: int) -> int:
    """Hash until the remainder is a link; a modulus that would take long is not used."""
    if modulo < n_links or modulo // 2 > n_links:
        modulo = 1 << (n_links - 1).bit_length()
    count = 0
    while (link := hash_2words(hash_, count) % modulo & 0xFFFF) >= n_links:
        count += 1
    return link


@carries_out_in_place(Bundle)
def _bundle(ctx: XlateCtx, action: Bundle, place: Place) -> Verdict:
    port = _choose_member(ctx, action)
    if action.destination is not None:
        load(ctx, action.destination, port)
    else:
        send(ctx, port, place)
    return Verdict.NEXT


_ALWAYS_ENABLED = frozenset(
    (OFPP_IN_PORT, OFPP_TABLE, OFPP_NORMAL, OFPP_FLOOD, OFPP_ALL, OFPP_NONE)
)


def _choose_member(ctx: XlateCtx, action: Bundle) -> OfpPort:
    """The member to use; none where no member is enabled."""
    if action.algorithm is BundleAlgorithm.ACTIVE_BACKUP:
        return next((m for m in action.members if _is_member_enabled(ctx, m)), OFPP_NONE)
    key = ctx.flow.key
    if len(action.members) > 1:
        ctx.wc.key |= mask_of_hash_fields(key, action.fields)
    hash_ = hash_fields(key, action.fields, action.basis)
    best, best_weight = OFPP_NONE, -1
    for index, member in enumerate(action.members):
        if _is_member_enabled(ctx, member):
            weight = hash_2words(index, hash_)
            if weight > best_weight:
                best, best_weight = member, weight
    return best


def _is_member_enabled(ctx: XlateCtx, port: OfpPort) -> bool:
    if port in _ALWAYS_ENABLED:
        return True
    return port != OFPP_CONTROLLER and is_enabled(ctx, port)
