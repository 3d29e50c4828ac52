"""arping(8) of iputils: ARP requests by hand, announcements, and duplicate detection.

The target hardware address of a request is filled with the frame's destination, as iputils
does: all ones while broadcasting, the answerer's MAC once somebody has answered.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from scapy.layers.l2 import ARP, Ether

from vnet.base.errors import UsageError
from vnet.base.ids import IPV4_ANY, MAC_BROADCAST, ip_text, mac_text
from vnet.base.units import NS_PER_S, NS_PER_US
from vnet.guest.apps.app import App, Pacer
from vnet.linux.netns.interface import Interface
from vnet.linux.netns.namespace import Namespace
from vnet.sim.frame import Frame
from vnet.wire.arp import Arp


class ArpAnswer(NamedTuple):
    """Who said that the address is theirs, and how long after the last probe."""

    mac: bytes
    is_reply: bool
    after_ns: int


MODES = ("request", "announce", "duplicate")


class Arping(App):
    """Asks for ``target`` ``count`` times.

    ``mode`` is ``request``, ``announce`` (-U: tell everyone our own address) or ``duplicate``
    (-D: ask from 0.0.0.0, and end at the first answer).
    """

    def __init__(
        self,
        namespace: Namespace,
        target: bytes,
        *,
        count: int = 1,
        interval_ns: int = NS_PER_S,
        mode: str = "request",
        out: Interface | None = None,
    ) -> None:
        super().__init__(namespace.scheduler)
        if mode not in MODES:
            raise UsageError(f"arping has no mode {mode!r}", f"there are {', '.join(MODES)}")
        self.sent = 0
        self.broadcast = 0
        self.answers: list[ArpAnswer] = []
        self.mac: str | None = None
        self._namespace = namespace
        self._target = target
        self._mode = mode
        self._interval_ns = interval_ns
        self._out = out or self._interface_for(target)
        self._ask_mac: bytes = MAC_BROADCAST
        self._asked_ns = 0
        self._pacer = Pacer(self.scheduler, count, interval_ns, self._ask, self._last_sent)

    @property
    def received(self) -> int:
        return len(self.answers)

    def start(self) -> None:
        self._namespace.arp_listeners.append(self._heard)
        self._pacer.tick()

    def seen(self) -> dict[str, Any]:
        return {
            "sent": self.sent,
            "received": self.received,
            "mac": self.mac or "",
            "duplicate": self._mode == "duplicate" and self.received > 0,
        }

    def text(self) -> str:
        """What arping(8) prints."""
        target = ip_text(self._target)
        lines = [f"ARPING {target} from {ip_text(self._source())} {self._out.device.name}"]
        for answer in self.answers:
            kind = "Unicast reply" if answer.is_reply else "Broadcast request"
            mac, time_us = mac_text(answer.mac).upper(), answer.after_ns // NS_PER_US
            time = f"{time_us // 1000}.{time_us % 1000:03d}ms"
            lines.append(f"{kind} from {target} [{mac}]  {time}")
        requests = sum(not answer.is_reply for answer in self.answers)
        others = f" ({requests} request(s), {requests} broadcast(s))" if requests else ""
        lines.append(f"Sent {self.sent} probes ({self.broadcast} broadcast(s))")
        lines.append(f"Received {self.received} response(s){others}")
        return "\n".join(lines)

    def close(self) -> None:
        self._pacer.stopped = True
        if self._heard in self._namespace.arp_listeners:
            self._namespace.arp_listeners.remove(self._heard)

    def _interface_for(self, target: bytes) -> Interface:
        if len(target) != 4:
            raise UsageError("arping needs an IPv4 address", "for IPv6, ping the address")
        owner = self._namespace.owner_of(target)
        if owner is not None:
            return owner
        route = self._namespace.route_to(target)
        if route is None or route.gateway is not None:
            raise UsageError(f"{self._namespace.name}: {ip_text(target)} is not on a connected net")
        return route.out

    def _source(self) -> bytes:
        if self._mode == "duplicate":
            return IPV4_ANY
        if self._mode == "announce":
            return self._target
        return self._out.source_for(self._target) or IPV4_ANY

    def _ask(self, _number: int) -> None:
        device = self._out.device
        mac = mac_text(device.mac)
        packet = Ether(src=mac, dst=mac_text(self._ask_mac)) / ARP(
            op=1,
            hwsrc=mac,
            psrc=ip_text(self._source()),
            hwdst=mac_text(self._ask_mac),
            pdst=ip_text(self._target),
        )
        self.sent += 1
        self.broadcast += self._ask_mac == MAC_BROADCAST
        self._asked_ns = self.scheduler.now_ns
        device.transmit(Frame(bytes(packet)))

    def _last_sent(self) -> None:
        self.scheduler.after(self._interval_ns, self.finish)

    def _heard(self, interface: Interface, packet: Arp) -> None:
        if interface is not self._out or packet.sender_ip != self._target:
            return
        if packet.operation != 2 and self._mode != "duplicate":
            return
        after_ns = self.scheduler.now_ns - self._asked_ns
        self.answers.append(ArpAnswer(packet.sender_mac, packet.operation == 2, after_ns))
        self.mac = mac_text(packet.sender_mac)
        if self._mode == "duplicate":
            self.scheduler.after(0, self.finish)
        elif self._mode == "request":
            self._ask_mac = packet.sender_mac
