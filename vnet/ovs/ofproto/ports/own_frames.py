"""Frames that a switch sends by itself, for the protocols that it speaks and for its tunnels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.ovs.dpif.dpif import FlowStats
from vnet.ovs.flow.extract import extract
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.ports import ODPP_NONE, OFPP_NONE, OFPP_TABLE, OdpPort, OfpPort
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.ofproto.xlate.context import XlateIn
from vnet.ovs.ofproto.xlate.translate import translate
from vnet.ovs.openflow.ofpacts import Output
from vnet.sim.frame import Frame

if TYPE_CHECKING:
    from vnet.ovs.ofproto.backer import Backer


def send_own_frame(backer: Backer, bridge: Ofproto, port: OfPort, frame: bytes) -> None:
    """Send a frame out of a port, whatever kind of port that is. No flow of the bridge's sees it;
    its mirrors do.
    """
    xin = XlateIn(bridge, backer, Flow(), frame, actions=(Output(port.number),))
    bridge.own_frames.n_packets += 1
    bridge.own_frames.n_bytes += len(frame)
    _carry_out(backer, xin, frame, OFPP_NONE, ODPP_NONE)


def send_to_tables(
    backer: Backer, bridge: Ofproto, port: OfPort, frame: bytes, *, depth: int, resubmits: int
) -> None:
    """Have a bridge's flows handle a frame, as if it had come in by a port.

    ``depth`` and ``resubmits`` are those of the translation that wants it.
    """
    xin = XlateIn(bridge, backer, Flow(), frame, actions=(Output(OFPP_TABLE),))
    xin.depth, xin.resubmits = depth, resubmits
    odp_port = ODPP_NONE if port.odp_port is None else port.odp_port
    _carry_out(backer, xin, frame, port.number, odp_port)


def _carry_out(
    backer: Backer, xin: XlateIn, frame: bytes, in_port: OfpPort, odp_port: OdpPort
) -> None:
    now_ns = backer.scheduler.now_ns
    xin.flow.key = extract(frame, vlan_limit=backer.dpif.vlan_limit)
    xin.flow.in_port = in_port
    xin.allow_side_effects = True
    xin.tcp_flags = xin.flow.tcp_flags
    xin.stats = FlowStats(1, len(frame), now_ns, xin.tcp_flags)
    out = translate(xin)
    xin.flow.in_port = odp_port
    if not out.is_taken:
        backer.dpif.execute(Frame(frame), xin.flow.key, out.actions)
    out.release(backer.recirc, now_ns)
