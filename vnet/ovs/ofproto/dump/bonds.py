"""Bonds as ``ovs-appctl bond/list`` and ``bond/show`` print them."""

from __future__ import annotations

from collections.abc import Iterator

from vnet.base.ids import mac_text
from vnet.base.units import NS_PER_MS
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.hash_order import hash_table_order
from vnet.ovs.flow.hashing import hash_bytes
from vnet.ovs.ofproto.backer import Backer
from vnet.ovs.ofproto.bond.aggregate import Aggregate
from vnet.ovs.ofproto.bond.bond import Bond
from vnet.ovs.ofproto.bond.member import Member
from vnet.ovs.ofproto.bond.settings import BondMode
from vnet.ovs.ofproto.dump.elapsed import elapsed_ns

_BYTES_PER_KB = 1024


def dump_bonds(backer: Backer) -> Iterator[str]:
    """A line for each bond, of whatever bridge."""
    yield "bond\ttype\trecircID\tmembers"
    for bond, _ in _all_bonds(backer):
        names = ", ".join(member.name for member in bond.members.values())
        yield f"{bond.name}\t{bond.mode.value}\t{bond.recirc_id}\t{names}"


def dump_bond_details(backer: Backer, name: str | None = None) -> Iterator[str]:
    """All that is known of one bond, or of all. Raises :class:`OvsTextError`."""
    bonds = [(b, a) for b, a in _all_bonds(backer) if name in (None, b.name)]
    if name is not None and not bonds:
        raise OvsTextError("no such bond")
    for bond, aggregate in bonds:
        yield from _settings(bond, aggregate, backer.scheduler.now_ns)
        for member in sorted(bond.members.values(), key=lambda member: member.name):
            yield ""
            yield from _member(bond, member, backer.scheduler.now_ns)
        yield ""


def _all_bonds(backer: Backer) -> list[tuple[Bond, Aggregate]]:
    """In the order of Open vSwitch's hash table of their names."""
    bonds = [
        (aggregate.bond, aggregate)
        for bonding in backer.bonding.values()
        for aggregate in bonding
        if aggregate.bond is not None
    ]
    return [bonds[at] for at in hash_table_order(hash_bytes(b.name.encode(), 0) for b, _ in bonds)]


def _settings(bond: Bond, aggregate: Aggregate, now_ns: int) -> Iterator[str]:
    settings, recirculates = bond.settings, bond.recirculates
    yield f"---- {bond.name} ----"
    yield f"bond_mode: {bond.mode.value}"
    yield (
        f"bond may use recirculation: {'yes' if recirculates else 'no'}, "
        f"Recirc-ID : {bond.recirc_id if recirculates else -1}"
    )
    yield f"bond-hash-basis: {settings.hash_basis}"
    yield "lb_output action: disabled, bond-id: -1"
    if bond.mode is BondMode.BALANCE_SLB:
        yield f"all members active: {_truth(settings.all_members_active)}"
    yield f"updelay: {settings.updelay_ns // NS_PER_MS} ms"
    yield f"downdelay: {settings.downdelay_ns // NS_PER_MS} ms"
    next_ns = aggregate.next_rebalance_ns()
    if next_ns is not None:
        yield f"next rebalance: {_left_ms(next_ns, now_ns)} ms"
    yield f"lacp_status: {bond.negotiation.value}"
    yield f"lacp_fallback_ab: {_truth(settings.fallback)}"
    yield f"active-backup primary: {_primary(bond)}"
    remembered = bond.remembered()
    holder = "none" if remembered is None else remembered.name
    yield f"active member mac: {mac_text(bond.active_mac)}({holder})"


def _primary(bond: Bond) -> str:
    primary = bond.settings.primary
    if primary is None:
        return "<none>"
    is_there = any(member.is_primary for member in bond.members.values())
    return primary if is_there else f"{primary} (no such member)"


def _member(bond: Bond, member: Member, now_ns: int) -> Iterator[str]:
    yield f"member {member.name}: {'enabled' if member.enabled else 'disabled'}"
    if member is bond.active:
        yield "  active member"
    if member.due_ns is not None:
        delay = "downdelay" if member.enabled else "updelay"
        yield f"  {delay} expires in {_left_ms(member.due_ns, now_ns)} ms"
    yield f"  may_enable: {_truth(member.may_enable)}"
    if bond.is_balanced:
        for number, bucket in enumerate(bond.buckets):
            load_kb = bucket.tx_bytes // _BYTES_PER_KB
            if bucket.member is member and load_kb:
                yield f"  hash {number}: {load_kb} kB load"


def _left_ms(due_ns: int, now_ns: int) -> int:
    return elapsed_ns(now_ns, due_ns) // NS_PER_MS


def _truth(value: bool) -> str:
    return "true" if value else "false"
