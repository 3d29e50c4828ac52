"""How messages of neighbour discovery leave: with a hop limit that proves them local."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.ids import is_multicast_ip, multicast_mac_of
from vnet.sim.frame import Frame, Meta
from vnet.wire import icmpv6, ipv6, nd
from vnet.wire.ether import TYPE_IPV6
from vnet.wire.ether import frame as ether_frame

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface


def send_nd(
    out: Interface,
    source: bytes,
    target: bytes,
    message: icmpv6.Icmpv6,
    *,
    mac: bytes | None = None,
    meta: Meta | None = None,
) -> None:
    """Send a message out of an interface: to a group, to ``mac``, or to who has ``target``."""
    packet = ipv6.emit(
        source,
        target,
        icmpv6.PROTOCOL,
        icmpv6.emit(source, target, message),
        hop_limit=nd.HOP_LIMIT,
        traffic_class=out.conf6.ndisc_tclass,
    )
    netfilter = out.namespace.netfilter
    if netfilter is not None:
        shown = netfilter.sees_off(packet, 6, out.device, meta)
        if shown is None:
            return None
        packet = shown
    if is_multicast_ip(target):
        mac = multicast_mac_of(target)
    if mac is None:
        return out.nd_cache.send(packet, target, meta)
    data = ether_frame(mac, out.device.mac, TYPE_IPV6, packet)
    return out.device.transmit(Frame(data, meta))
