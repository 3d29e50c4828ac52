"""Bonds on a frame's way through NORMAL: by which link it leaves, and whether it may come in."""

from __future__ import annotations

from vnet.base.record import record
from vnet.ovs.dpif.dpif import FlowStats
from vnet.ovs.ofproto.bond.bond import Bond
from vnet.ovs.ofproto.bond.verdict import Verdict, admit, choose_member
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.ofproto.switching.bundle import Bundle
from vnet.ovs.ofproto.xlate.context import XlateCtx
from vnet.ovs.ofproto.xlate.gratuitous_arp import is_gratuitous_arp


@record(frozen=True, slots=True)
class BondCredit:
    """A flow left by a bond: that is load of its bucket."""

    bond: Bond
    key: int
    vlan: int

    def push(self, stats: FlowStats) -> None:
        self.bond.account(self.key, self.vlan, stats.n_bytes)


def choose_link(ctx: XlateCtx, bond: Bond, vlan: int) -> OfPort | None:
    """The link by which the packet, as it is now, leaves in ``vlan``; None where none is usable.

    Where the datapath is to choose anew, nothing here depends on the packet, and the flows of the
    bond count its load.
    """
    key = ctx.flow.key
    if ctx.in_.stats is not None:
        bond.on_traffic()
    if bond.recirculates:
        member = choose_member(bond, key, vlan)
        return None if member is None else member.port
    member = choose_member(bond, key, vlan, ctx.wc)
    if member is None:
        return None
    ctx.credit(BondCredit(bond, key, vlan))
    return member.port


def is_admitted(ctx: XlateCtx, bundle: Bundle, port: OfPort, vlan: int) -> bool:
    """Whether a frame that came in by ``port`` of a bundle may, as far as bonding goes."""
    bond = bundle.bond
    if bond is None:
        return True
    match admit(bond, port, ctx.flow.dl_dst):
        case Verdict.DROP:
            ctx.detail("bonding refused admissibility, dropping")
            return False
        case Verdict.DROP_IF_MOVED if _has_looped(ctx, bundle, vlan):
            ctx.detail("SLB bond thinks this packet looped back, dropping")
            return False
    return True


def _has_looped(ctx: XlateCtx, bundle: Bundle, vlan: int) -> bool:
    """Whether the sender lives elsewhere, and has not just said that it has moved here.

    What it says does not count for a while after it was heard to say so elsewhere: the other
    switch floods that back to us.
    """
    mac, now_ns = ctx.flow.dl_src, ctx.bridge.scheduler.now_ns
    if ctx.in_.cache is not None:
        ctx.in_.cache.stations[ctx.bridge.name, mac, vlan] = None
    station = ctx.bridge.switching.mac_table.lookup(mac, vlan, now_ns)
    if station is None or station.port is bundle:
        return False
    return not is_gratuitous_arp(ctx.flow, ctx.wc) or now_ns < station.locked_until_ns
