"""Duplicate address detection (RFC 4862 section 5.4, RFC 7527): is somebody else called so?"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vnet.base.ids import IPV6_ANY, ip_text, mac_text, solicited_node_of
from vnet.linux.netns import drops
from vnet.linux.netns.nd_send import send_nd
from vnet.linux.timer_wheel import KernelTimer
from vnet.sim.frame import Frame
from vnet.wire import icmpv6, nd

if TYPE_CHECKING:
    from vnet.base.chance import Stream
    from vnet.linux.netns.address import InterfaceAddress
    from vnet.linux.netns.interface import Interface

_NS_PER_S = 1_000_000_000
_NONCE_BYTES = 6


class _Check:
    """The check of one address: probes left, what marks them as ours, its alarm."""

    __slots__ = ("nonce", "probes_left", "timer")

    def __init__(self, probes_left: int, timer: KernelTimer) -> None:
        self.probes_left = probes_left
        self.nonce: bytes | None = None
        self.timer = timer


class DuplicateDetection:
    """The checks that run on one interface.

    ``won`` is told when an address turns out to be ours alone, ``lost`` when it does not.
    ``chance`` gives random delays and nonces.
    """

    __slots__ = ("_chance", "_checks", "_interface", "_lost", "_won")

    def __init__(
        self,
        interface: Interface,
        chance: Callable[[], Stream],
        won: Callable[[InterfaceAddress], None],
        lost: Callable[[InterfaceAddress], None],
    ) -> None:
        self._interface = interface
        self._chance = chance
        self._won = won
        self._lost = lost
        self._checks: dict[bytes, _Check] = {}

    def runs_for(self, address: InterfaceAddress) -> bool:
        return address.ip in self._checks

    def start(self, address: InterfaceAddress) -> None:
        """Check an address, after a random delay of up to a second."""
        address.tentative, address.duplicate = True, False
        if not self._interface.arp or self._interface.conf6.accept_dad < 1:
            return self._end(address)
        conf = self._interface.conf6
        delay_ns = self._chance().randrange(max(conf.router_solicitation_delay, 1) * _NS_PER_S)
        timer = KernelTimer(self._interface.device.scheduler, self._probe, address)
        self._checks[address.ip] = _Check(conf.dad_transmits, timer)
        return timer.arm(delay_ns)

    def stop(self, address: InterfaceAddress) -> None:
        """The address went; harmless where none is being checked."""
        check = self._checks.pop(address.ip, None)
        if check is not None:
            check.timer.cancel()

    def stop_all(self) -> None:
        """The interface was set down."""
        for check in self._checks.values():
            check.timer.cancel()
        self._checks.clear()

    def _probe(self, address: InterfaceAddress) -> None:
        check = self._checks[address.ip]
        if check.probes_left <= 0:
            return self._end(address)
        check.probes_left -= 1
        if check.nonce is None and self._interface.conf6.enhanced_dad:
            # It tells our own probes, looped back by the network, from a rival's (RFC 7527).
            check.nonce = self._chance().randbytes(_NONCE_BYTES)
        check.timer.arm(self._interface.nd_cache.table.parameters.retrans_ns)
        body = nd.solicitation(address.ip, None, check.nonce)
        message = icmpv6.Icmpv6(icmpv6.NEIGHBOR_SOLICITATION, 0, body)
        return send_nd(self._interface, IPV6_ANY, solicited_node_of(address.ip), message)

    def _end(self, address: InterfaceAddress) -> None:
        self.stop(address)
        address.tentative = False
        self._won(address)

    def rival_heard(
        self, address: InterfaceAddress, frame: Frame, nonce: bytes | None = None
    ) -> None:
        """Somebody else uses, or also checks, a tentative address, if it was not us."""
        device = self._interface.device
        check = self._checks.get(address.ip)
        if check is not None and nonce is not None and nonce == check.nonce:
            return device.drop(frame, drops.TENTATIVE)
        self.stop(address)
        address.tentative, address.duplicate = False, True
        device.drop(frame, drops.DUPLICATE_ADDRESS)
        rival = mac_text(frame.data[6:12])
        self._interface.namespace.log.write_limited(
            f"IPv6: {device.name}: IPv6 duplicate address {ip_text(address.ip)} "
            f"used by {rival} detected!"
        )
        return self._lost(address)
