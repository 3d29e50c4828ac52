"""Proxy ARP: answers for who is behind this router (RFC 1027, RFC 3069 within one link).

An answer waits for a random part of neigh.DEVICE.proxy_delay, so that the owner of the address,
if it is on the link after all, comes first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.linux.netns import drops
from vnet.linux.netns.routing.destination import Destination
from vnet.linux.timer_wheel import expiry_ns
from vnet.sim.frame import Frame
from vnet.wire.arp import Arp

if TYPE_CHECKING:
    from vnet.base.chance import Stream
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.namespace import Namespace

_NS_PER_TICK = 10_000_000
_NO_MEDIUM = -1


class ProxyArp:
    """A namespace's proxy. ``entries`` are addresses answered for on one device (``ip neigh add
    proxy IP dev DEV``)."""

    __slots__ = ("_chance", "_namespace", "_waiting", "entries")

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self.entries: set[tuple[str, bytes]] = set()
        self._waiting = 0
        self._chance: Stream | None = None

    def device_renamed(self, name: str, new: str) -> None:
        """What is answered for on a device stays so when its name changes."""
        self.entries = {(new if on == name else on, ip) for on, ip in self.entries}

    def asked(self, interface: Interface, packet: Arp, frame: Frame, way: Destination) -> bool:
        """A request for who is reached by ``way``; False if it is none of the proxy's business."""
        if not self._stands_in(interface, packet, way):
            return False
        arp = self._namespace.arp
        if not arp.learn(interface, packet):
            interface.device.drop(frame, drops.NEIGHBOR_TABLE_FULL)
            return True
        conf = interface.arp_cache.conf
        delay_ns = conf.proxy_delay * _NS_PER_TICK
        if not frame.data[0] & 1 or not delay_ns:
            arp.reply(interface, packet, frame.meta)
        elif self._waiting > conf.proxy_qlen:
            interface.device.drop(frame, drops.PROXY_QUEUE_FULL)
        else:
            self._waiting += 1
            scheduler = self._namespace.scheduler
            due_ns = expiry_ns(scheduler.now_ns, self._dice.randrange(delay_ns))
            scheduler.at(due_ns, self._answer, interface, packet, frame)
        return True

    def _answer(self, interface: Interface, packet: Arp, frame: Frame) -> None:
        self._waiting -= 1
        if self._namespace.interfaces.get(interface.device.name) is interface:
            self._namespace.arp.reply(interface, packet, frame.meta)

    def _stands_in(self, interface: Interface, packet: Arp, way: Destination) -> bool:
        conf = interface.conf4
        if way.out is interface:
            # Private VLANs: hosts of one link that only reach each other by the router.
            return bool(conf.proxy_arp_pvlan) and packet.sender_ip != packet.target_ip
        if (interface.device.name, packet.target_ip) in self.entries:
            return True
        if not conf.proxy_arp or conf.medium_id == _NO_MEDIUM:
            return False
        other = way.out.conf4.medium_id
        return conf.medium_id == 0 or other not in (conf.medium_id, _NO_MEDIUM)

    @property
    def _dice(self) -> Stream:
        if self._chance is None:
            self._chance = self._namespace.chance.stream(f"{self._namespace.name} proxy arp")
        return self._chance
