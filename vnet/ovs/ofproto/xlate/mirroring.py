"""Copies of frames for port mirrors, made as a frame comes in or goes out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.record import record
from vnet.ovs.dpif.dpif import FlowStats
from vnet.ovs.flow.flow import CFI
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.ofproto.switching.bundle import Bundle
from vnet.ovs.ofproto.switching.mirror import Mirror
from vnet.ovs.ofproto.xlate.context import XlateCtx
from vnet.ovs.ofproto.xlate.normal import input_bundle, is_reserved, is_vid_valid, output_normal
from vnet.ovs.ofproto.xlate.vlan import VID_MASK, Tags, inside_tags, received_tags

if TYPE_CHECKING:
    from vnet.ovs.ofproto.ofproto import Ofproto


@record(frozen=True, slots=True)
class MirrorCredit:
    """Copies went to the mirrors of a mask."""

    bridge: Ofproto
    mirrors: int

    def push(self, stats: FlowStats) -> None:
        self.bridge.switching.mirrors.credit(self.mirrors, stats.n_packets, stats.n_bytes)


def mirror_ingress(ctx: XlateCtx) -> None:
    """Copy a frame that has just come in to whoever mirrors its port."""
    if ctx.bridge.switching.mirrors:
        bundle = input_bundle(ctx, OfpPort(ctx.flow.in_port))
        if bundle is not None:
            mirror_packet(ctx, bundle, bundle.source_mirrors)


def mirror_packet(ctx: XlateCtx, bundle: Bundle, mirrors: int) -> None:
    """Copy the frame, which came in or goes out by ``bundle``, to ``mirrors`` (bits).

    Each mirror gets a frame once, also where copying makes it pass others.
    """
    received = received_tags(ctx.flow)
    if not is_vid_valid(ctx, received[0].vid, bundle):
        return
    tags = inside_tags(bundle, received)
    mirrors &= ~ctx.mirrors
    used = 0
    while mirrors:
        bit = mirrors & -mirrors
        mirror = ctx.bridge.switching.mirrors[bit.bit_length() - 1]
        if mirror.vlans is not None:
            ctx.wc.vlan_tci |= CFI | VID_MASK
            if tags[0].vid not in mirror.vlans:
                mirrors &= ~bit
                continue
        used |= bit
        # Before the output: that may come by other mirrors of the same destination.
        ctx.mirrors |= mirror.twins
        ctx.mirror_snaplen = mirror.snaplen_bytes
        _copy(ctx, mirror, tags)
        ctx.mirror_snaplen = 0
        mirrors &= ~ctx.mirrors
    if used:
        ctx.credit(MirrorCredit(ctx.bridge, used))


def _copy(ctx: XlateCtx, mirror: Mirror, tags: Tags) -> None:
    if mirror.output is not None:
        output_normal(ctx, mirror.output, tags)
        return
    outer, inner = tags
    if (
        mirror.output_vlan is None
        or outer.vid == mirror.output_vlan
        or is_reserved(ctx.flow.dl_dst)
    ):
        return
    moved = outer._replace(vid=mirror.output_vlan), inner
    for bundle in ctx.bridge.switching.bundles.values():
        if bundle.includes(mirror.output_vlan, inner.vid) and not bundle.output_mirrors:
            output_normal(ctx, bundle, moved)
