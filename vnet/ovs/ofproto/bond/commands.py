"""What ovs-appctl(8) can have bonds do (``bond/...``). Replies and refusals are Open vSwitch's.

Bonds are found by name among all bridges of a datapath; a refusal raises :class:`OvsTextError`.
"""

from __future__ import annotations

import re

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.hashing import hash_mac
from vnet.ovs.ofproto.backer import Backer
from vnet.ovs.ofproto.bond.bond import Bond
from vnet.ovs.ofproto.bond.bonding import Bonding
from vnet.ovs.ofproto.bond.member import BUCKET_MASK, Member
from vnet.ovs.ofproto.bond.settings import BondMode

_MAC = re.compile(r"\s*" + r"\s*:\s*".join([r"([0-9a-fA-F]{1,2})"] * 6))
_NUMBER = re.compile(r"\s*([0-9]+)")
_DIGITS = re.compile(r"[0-9]*")
_U32 = 0xFFFFFFFF
_U16 = 0xFFFF


def set_active_member(backer: Backer, bond_name: str, member_name: str) -> str:
    """``bond/set-active-member BOND MEMBER``."""
    bonding, bond, member = _find(backer, bond_name, member_name)
    if not member.enabled:
        raise OvsTextError("cannot make disabled member active")
    if bond.active is member:
        return "no change"
    bond.make_active(member)
    bonding.run()
    return "done"


def migrate(backer: Backer, bond_name: str, hash_text: str, member_name: str) -> str:
    """``bond/migrate BOND HASH MEMBER``: have a bucket's stations use another link."""
    _, bond = _find_bond(backer, bond_name)
    if bond.mode is not BondMode.BALANCE_SLB:
        raise OvsTextError("not an SLB bond")
    if not _DIGITS.fullmatch(hash_text):
        raise OvsTextError("bad hash")
    bonding, bond, member = _find(backer, bond_name, member_name)
    if not member.enabled:
        raise OvsTextError("cannot migrate to disabled member")
    if bond.buckets:
        bond.buckets[int(hash_text or "0") & BUCKET_MASK].member = member
    bond.changed = True
    bonding.run()
    return "migrated"


def enable_member(backer: Backer, bond_name: str, member_name: str) -> str:
    """``bond/enable-member BOND MEMBER``: the link counts as up until it is looked at again."""
    return _enable(backer, bond_name, member_name, True)


def disable_member(backer: Backer, bond_name: str, member_name: str) -> str:
    """``bond/disable-member BOND MEMBER``: the other way round."""
    return _enable(backer, bond_name, member_name, False)


def bond_hash(mac_text: str, vlan_text: str = "0", basis_text: str = "0") -> str:
    """``bond/hash MAC [VLAN] [BASIS]``: which bucket of an SLB bond a station has."""
    vlan = _NUMBER.match(vlan_text)
    if vlan is None:
        raise OvsTextError("invalid vlan")
    basis = _NUMBER.match(basis_text)
    if basis is None:
        raise OvsTextError("invalid basis")
    mac = _MAC.match(mac_text)
    if mac is None:
        raise OvsTextError("invalid mac")
    number = int.from_bytes(bytes(int(part, 16) for part in mac.groups()), "big")
    return str(hash_mac(number, int(vlan[1]) & _U16, int(basis[1]) & _U32) & BUCKET_MASK)


def _enable(backer: Backer, bond_name: str, member_name: str, enabled: bool) -> str:
    bonding, bond, member = _find(backer, bond_name, member_name)
    bond.enable(member, enabled)
    bonding.run()
    return "enabled" if enabled else "disabled"


def _find_bond(backer: Backer, name: str) -> tuple[Bonding, Bond]:
    for bonding in backer.bonding.values():
        for aggregate in bonding:
            if aggregate.bond is not None and aggregate.bond.name == name:
                return bonding, aggregate.bond
    raise OvsTextError("no such bond")


def _find(backer: Backer, bond_name: str, member_name: str) -> tuple[Bonding, Bond, Member]:
    bonding, bond = _find_bond(backer, bond_name)
    member = bond.member_named(member_name)
    if member is None:
        raise OvsTextError("no such member")
    return bonding, bond, member
