"""Frames that a switch sends by itself, for the protocols that it speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.ovs.dpif.dpif import FlowStats
from vnet.ovs.flow.extract import extract
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.ports import ODPP_NONE, OFPP_NONE
from vnet.ovs.ofproto.ofport import OfPort
from vnet.ovs.ofproto.ofproto import Ofproto
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
    flow = Flow(extract(frame, vlan_limit=backer.dpif.vlan_limit))
    flow.in_port = OFPP_NONE
    now_ns = backer.scheduler.now_ns
    out = translate(
        XlateIn(
            bridge=bridge,
            backer=backer,
            flow=flow,
            frame=frame,
            actions=(Output(port.number),),
            allow_side_effects=True,
            stats=FlowStats(1, len(frame), now_ns),
        )
    )
    flow.in_port = ODPP_NONE
    backer.dpif.execute(Frame(frame), flow.key, out.actions)
    out.release(backer.recirc, now_ns)
