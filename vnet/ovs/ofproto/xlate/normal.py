"""The NORMAL action: what a learning switch with VLANs does with a frame (ovs-actions(7))."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.record import record
from vnet.ovs.dpif.dpif import FlowStats
from vnet.ovs.flow.flow import CFI, Flow
from vnet.ovs.flow.ports import OFPP_CONTROLLER, OFPP_NONE, OfpPort
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.ofproto.switching.bundle import EVERY_VLAN, Bundle
from vnet.ovs.ofproto.switching.vlan_mode import PriorityTags, VlanMode
from vnet.ovs.ofproto.xlate.bonds import choose_link, is_admitted
from vnet.ovs.ofproto.xlate.context import XlateCtx
from vnet.ovs.ofproto.xlate.gratuitous_arp import is_gratuitous_arp
from vnet.ovs.ofproto.xlate.multicast import is_snooped, multicast_targets
from vnet.ovs.ofproto.xlate.output import compose_output
from vnet.ovs.ofproto.xlate.vlan import (
    PCP_MASK,
    TPIDS,
    VID_MASK,
    VLAN_BITS,
    Tags,
    inside_tags,
    put_tags,
    received_tags,
    sent_tags,
)

if TYPE_CHECKING:
    from vnet.ovs.ofproto.ofproto import Ofproto

_RESERVED = frozenset(
    {
        *range(0x0180_C200_0000, 0x0180_C200_0010),  # spanning tree, pause frames, LACP, LLDP
        *(0x00E0_2B00_0000, 0x00E0_2B00_0004, 0x00E0_2B00_0006),  # Extreme: EDP, EAPS
        *(0x0100_0C00_0000, 0x0100_0CCC_CCCC, 0x0100_0CCC_CCCD),  # Cisco: ISL, CDP and VTP, PVST+
        0x0100_0CCD_CDCD,  # Cisco: uplink fast
        *range(0x0100_0CCC_CCC0, 0x0100_0CCC_CCC8),  # Cisco: CFM
    }
)

NO_BUNDLE = Bundle("", [])
"""Where packets come from that a controller made: no port, and any VLAN."""


@record(frozen=True, slots=True)
class LearnStation:
    """A frame from a station came in by a bundle (a side effect of NORMAL)."""

    bridge: Ofproto
    bundle: Bundle
    mac: int
    vlan: int
    is_gratuitous_arp: bool

    def learn(self) -> bool:
        """True if the station is new or has moved."""
        return self.bridge.switching.mac_table.learn(
            self.mac,
            self.vlan,
            self.bundle,
            self.bridge.scheduler.now_ns,
            is_gratuitous_arp=self.is_gratuitous_arp,
            is_bond=self.bundle.bond is not None,
        )

    def push(self, _stats: FlowStats) -> None:
        # A bundle that was replaced meanwhile must not come back by the way of its stations, nor
        # stations behind a port that a spanning tree has cut off.
        is_there = self.bridge.switching.bundles.get(self.bundle.name) is self.bundle
        if is_there and all(port.tree.learns for port in self.bundle.ports):
            self.learn()


def xlate_normal(ctx: XlateCtx) -> None:
    """Learn where the frame came from, and send it where its destination was learned."""
    flow, wc = ctx.flow, ctx.wc
    wc.fill(Flow.dl_src)
    wc.fill(Flow.dl_dst)
    wc.vlan_tci |= VID_MASK | CFI
    bundle = input_bundle(ctx, OfpPort(flow.in_port))
    if bundle is None:
        ctx.warn("no input bundle, dropping")
        return
    if _is_unwelcome(ctx, bundle):
        return
    received = received_tags(flow)
    if not is_vid_valid(ctx, received[0].vid, bundle):
        ctx.warn("disallowed VLAN VID for this input port, dropping")
        return
    tags = inside_tags(bundle, received)
    if bundle is not NO_BUNDLE:
        if not ctx.bridge.switching.forward_bpdu and is_reserved(flow.dl_dst):
            ctx.detail("packet has reserved destination MAC, dropping")
            return
        port = ctx.bridge.ports[OfpPort(flow.in_port)]
        if not is_admitted(ctx, bundle, port, tags[0].vid):
            return
        _learn(ctx, bundle, tags[0].vid)
    _forward(ctx, bundle, tags)


def _is_unwelcome(ctx: XlateCtx, bundle: Bundle) -> bool:
    """Whether the frame ends here whatever its addresses are."""
    if ctx.flow.dl_type in TPIDS and not ctx.flow.vlan_tci & CFI:
        if ctx.in_.frame is not None:
            ctx.fail(f"dropping packet with partial VLAN tag received on port {bundle.name}")
        ctx.warn("partial VLAN tag, dropping")
        return True
    if bundle.output_mirrors:
        if ctx.in_.frame is not None:
            ctx.fail(
                f"dropping packet received on port {bundle.name}, "
                "which is reserved exclusively for mirroring"
            )
        ctx.warn("input port is mirror output port, dropping")
        return True
    return False


def _learn(ctx: XlateCtx, bundle: Bundle, vlan: int) -> None:
    flow = ctx.flow
    station = LearnStation(ctx.bridge, bundle, flow.dl_src, vlan, is_gratuitous_arp(flow, ctx.wc))
    if ctx.in_.allow_side_effects and flow.packet_type == 0 and station.learn():
        mac = flow.dl_src.to_bytes(6, "big").hex(":")
        ctx.detail(f"learned that {mac} is on port {bundle.name} in VLAN {vlan}")
    if ctx.in_.cache is not None:
        ctx.in_.cache.add(station)


def _forward(ctx: XlateCtx, bundle: Bundle, tags: Tags) -> None:
    if not is_snooped(ctx):
        _forward_to_station(ctx, bundle, tags)
        return
    may_learn = bundle is not NO_BUNDLE
    targets = multicast_targets(ctx, bundle, tags[0].vid, may_learn=may_learn)
    if targets is None:
        _flood(ctx, bundle, tags)
    else:
        for target in targets:
            output_normal(ctx, target, tags)


def _flood(ctx: XlateCtx, bundle: Bundle, tags: Tags) -> None:
    for other in ctx.bridge.switching.bundles.values():
        if (
            other is not bundle
            and other.is_floodable
            and not other.output_mirrors
            and other.includes(tags[0].vid, tags[1].vid)
        ):
            output_normal(ctx, other, tags)


def _forward_to_station(ctx: XlateCtx, bundle: Bundle, tags: Tags) -> None:
    switching = ctx.bridge.switching
    mac, vlan = ctx.flow.dl_dst, tags[0].vid
    if ctx.in_.cache is not None:
        ctx.in_.cache.stations[ctx.bridge.name, mac, vlan] = None
    entry = switching.mac_table.lookup(mac, vlan, ctx.bridge.scheduler.now_ns)
    if entry is None:
        ctx.detail("no learned MAC for destination, flooding")
        _flood(ctx, bundle, tags)
    elif entry.port.output_mirrors:
        ctx.warn("learned port is a mirror port, dropping")
    elif entry.port is bundle:
        ctx.detail("learned port is input port, dropping")
    else:
        ctx.detail("forwarding to learned port")
        output_normal(ctx, entry.port, tags)


def output_normal(ctx: XlateCtx, bundle: Bundle, tags: Tags) -> None:
    """Send the frame out of a bundle, with the tags that its VLAN mode asks for."""
    if bundle.vlan_mode is VlanMode.DOT1Q_TUNNEL and bundle.cvlans is not EVERY_VLAN:
        ctx.wc.fill(Flow.vlan1_tci)
    outer, inner = sent_tags(bundle, tags)
    if bundle.priority_tags is not PriorityTags.NEVER:
        outer = outer._replace(pcp=ctx.flow.vlan_tci & PCP_MASK)
    port: OfPort | None = bundle.ports[0]
    if bundle.bond is not None:
        port = choose_link(ctx, bundle.bond, outer.vid)
    if port is None:
        return
    before = ctx.flow.key & VLAN_BITS
    put_tags(ctx.flow, (outer, inner), bundle.priority_tags)
    recirculating = bundle.bond if bundle.bond is not None and bundle.bond.recirculates else None
    compose_output(ctx, port.number, bond=recirculating)
    ctx.flow.key = ctx.flow.key & ~VLAN_BITS | before


def input_bundle(ctx: XlateCtx, port: OfpPort) -> Bundle | None:
    """The bundle that a packet came in by; an error in the trace where there is none."""
    bundle = ctx.bridge.switching.bundle_of(port)
    if bundle is None and port in (OFPP_CONTROLLER, OFPP_NONE):
        return NO_BUNDLE
    if bundle is None:
        ctx.fail(f"received packet on unknown port {port}")
    return bundle


def is_vid_valid(ctx: XlateCtx, vid: int, bundle: Bundle) -> bool:
    """Whether a packet with this VID (0: none) may come in by a bundle."""
    if bundle is NO_BUNDLE:
        return True
    match bundle.vlan_mode:
        case VlanMode.ACCESS:
            if vid:
                ctx.fail(
                    f"dropping VLAN {vid} tagged packet received on port {bundle.name} "
                    f"configured as VLAN {bundle.vlan} access port"
                )
                return False
        case VlanMode.DOT1Q_TUNNEL:
            if vid not in bundle.cvlans:
                ctx.fail(
                    f"dropping VLAN {vid} packet received on dot1q-tunnel port {bundle.name} "
                    "that excludes this VLAN"
                )
                return False
        case VlanMode.NATIVE_TAGGED | VlanMode.NATIVE_UNTAGGED if vid == 0:
            return True
        case _:
            if vid not in bundle.trunks:
                ctx.fail(
                    f"dropping VLAN {vid} packet received on port {bundle.name} "
                    f"not configured for trunking VLAN {vid}"
                )
                return False
    return True


def is_reserved(mac: int) -> bool:
    """What no bridge forwards: IEEE 802.1D section 7.12.6, and the same of some makers
    (ovs-vswitchd.conf.db(5), ``other_config:forward-bpdu``).
    """
    return mac in _RESERVED
