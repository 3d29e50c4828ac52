"""What a bond says to frames: whether to let one in, and by which link to send one out."""

from __future__ import annotations

from enum import Enum

from vnet.l2.lacp.aggregation import Negotiation
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.flow_hash import HashFields, mask_of_hash_fields
from vnet.ovs.ofproto.bond.bond import Bond
from vnet.ovs.ofproto.bond.member import Member
from vnet.ovs.ofproto.bond.settings import BondMode
from vnet.ovs.ofproto.ports.ofport import OfPort

_GROUP_BIT = 1 << 40


class Verdict(Enum):
    """What becomes of a frame that came in by a link of a bond."""

    ACCEPT = "accept"
    DROP = "drop"
    DROP_IF_MOVED = "drop if moved"
    """Drop it if its sender was last heard elsewhere: then it is our own, come back."""


def admit(bond: Bond, port: OfPort, mac: int) -> Verdict:
    """Whether a frame to ``mac`` may come in by ``port``.

    A partner of LACP knows the bond and does not send a frame twice. Any other switch floods
    to all links, so a frame to a group counts only on the active one.
    """
    member = bond.members.get(port)
    if member is None:
        return Verdict.DROP
    is_tcp = bond.mode is BondMode.BALANCE_TCP
    match bond.negotiation:
        case Negotiation.NEGOTIATED:
            return Verdict.ACCEPT if member.enabled or member.may_enable else Verdict.DROP
        case Negotiation.CONFIGURED if not bond.settings.fallback:
            return Verdict.DROP
        case Negotiation.OFF if is_tcp:
            return Verdict.DROP
    is_active = bond.active is member
    if mac & _GROUP_BIT and not is_active and not _hears_all(bond):
        return Verdict.DROP
    if bond.mode is BondMode.BALANCE_SLB:
        return Verdict.DROP_IF_MOVED
    return Verdict.ACCEPT if is_active else Verdict.DROP


def _hears_all(bond: Bond) -> bool:
    return bond.settings.all_members_active and bond.mode is BondMode.BALANCE_SLB


def choose_member(bond: Bond, key: int, vlan: int, wc: Flow | None = None) -> Member | None:
    """The link for a flow that leaves in ``vlan``; None where no link may be used.

    ``wc`` gets the bits that the choice depends on, unless the datapath chooses anew. A flow
    whose link has failed moves to the next that works, with all that share its bucket.
    """
    if bond.mode is BondMode.ACTIVE_BACKUP or bond.negotiation is Negotiation.CONFIGURED:
        is_cut_off = bond.negotiation is Negotiation.CONFIGURED and not bond.settings.fallback
        return None if is_cut_off else bond.active
    if bond.mode is BondMode.BALANCE_TCP and bond.negotiation is not Negotiation.NEGOTIATED:
        return None
    if wc is not None:
        wc.key |= mask_of_hash_fields(key, _HASHED[bond.mode])
    bucket = bond.bucket_of(key, vlan)
    if bucket.enabled_member is None:
        bucket.member = bond.next_enabled()
    return bucket.member


_HASHED = {
    BondMode.BALANCE_SLB: HashFields.ETH_SRC,
    BondMode.BALANCE_TCP: HashFields.SYMMETRIC_L3L4_UDP,
}
