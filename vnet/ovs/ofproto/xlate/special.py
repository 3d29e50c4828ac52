"""Frames that are for the switch itself: protocols that run on its ports take them."""

from __future__ import annotations

from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.ofproto.xlate.context import XlateCtx


def take_special(ctx: XlateCtx, port: OfPort | None) -> bool:
    """Whether a protocol claims what comes in by ``port``; nothing else is done with it then.

    The flow goes on the slow path, so that every such frame comes here. A frame is handed over
    only where there is one: revalidation and traces of mere flows have none.
    """
    if port is None or not port.protocols:
        return False
    for protocol in port.protocols:
        if protocol.claims(ctx.flow, ctx.wc):
            if ctx.in_.frame is not None:
                protocol.receive(port, ctx.in_.frame)
            ctx.slow |= protocol.slow_path
            return True
    return False
