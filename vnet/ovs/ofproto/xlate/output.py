"""Sending a packet out of a port."""

from __future__ import annotations

from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.ofproto.xlate.context import XlateCtx


def compose_output(
    ctx: XlateCtx,
    ofp_port: OfpPort,
    *,
    check_stp: bool = True,
    is_last_action: bool = False,
    truncate: bool = False,
) -> None:
    """Send the packet out of one port of the present bridge, whatever kind of port it is.

    ``is_last_action`` is whether nothing comes after it, so that no copy is needed; ``truncate``
    is whether the packet has been cut for this output.
    """
    raise NotImplementedError
