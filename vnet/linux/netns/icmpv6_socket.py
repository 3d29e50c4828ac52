"""Raw ICMPv6 sockets, as daemons of routing and autoconfiguration open them (RFC 3542)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeAlias

from vnet.base.ids import IPV6_ANY, MAC_ZERO
from vnet.linux.netns import drops
from vnet.sim.frame import Frame, Meta
from vnet.wire import icmpv6, ipv6
from vnet.wire.ether import TYPE_IPV6
from vnet.wire.ether import frame as ether_frame

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.namespace import Namespace

OnMessage: TypeAlias = "Callable[[Interface, ipv6.Ipv6, icmpv6.Icmpv6, Meta | None], None]"
"""Told by which interface a message came, its IPv6 header, and the message."""


class Icmp6Socket:
    """Hears every message of some types that is for this machine, besides what the kernel does.

    What it hears has a correct checksum and nothing else that is sure: the socket stands before
    the kernel's own checks.
    """

    __slots__ = ("_namespace", "_on_message", "_types")

    def __init__(self, namespace: Namespace, types: Iterable[int], on_message: OnMessage) -> None:
        self._namespace = namespace
        self._on_message = on_message
        self._types = tuple(types)
        for kind in self._types:
            namespace.icmpv6.listeners.setdefault(kind, []).append(on_message)

    def send(
        self,
        out: Interface,
        target: bytes,
        message: icmpv6.Icmpv6,
        *,
        hop_limit: int,
        traffic_class: int = 0,
        meta: Meta | None = None,
    ) -> None:
        """Send a message out of an interface, from the address that suits ``target``."""
        source = out.source_for(target)
        if source is None:
            lost = icmpv6.emit(IPV6_ANY, target, message)
            frame = ether_frame(MAC_ZERO, out.device.mac, TYPE_IPV6, lost)
            return out.device.drop(Frame(frame, meta), drops.SOURCE_UNUSABLE)
        packet = ipv6.emit(
            source,
            target,
            icmpv6.PROTOCOL,
            icmpv6.emit(source, target, message),
            hop_limit=hop_limit,
            traffic_class=traffic_class,
        )
        return self._namespace.ipv6.send(packet, meta, out=out)

    def close(self) -> None:
        """Stop hearing; harmless when closed."""
        for kind in self._types:
            heard = self._namespace.icmpv6.listeners.get(kind, [])
            if self._on_message in heard:
                heard.remove(self._on_message)
