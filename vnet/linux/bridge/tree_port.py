"""A bridge port in the spanning tree: its identifier, cost, timers and counters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.l2.stp.offer import Offer
from vnet.l2.stp.port import StpPort, StpState

if TYPE_CHECKING:
    from vnet.linux.bridge.port import BridgePort
    from vnet.netdev.device import NetDevice

_NUMBER_BITS = 10
_NUMBER_MASK = (1 << _NUMBER_BITS) - 1
MOST_PORT_PRIORITY = 0xFFFF >> _NUMBER_BITS
DEFAULT_PORT_PRIORITY = 0x8000 >> _NUMBER_BITS

_COSTS = {10_000: 2, 5_000: 3, 2_500: 4, 1_000: 5, 100: 19, 10: 100}
_TOP_SPEED_MBPS = 10_000
_COST_OF_UNKNOWN_SPEED = 100


def port_id(priority: int, number: int) -> int:
    """A port's identifier: six bits of priority before ten of number."""
    return priority << _NUMBER_BITS | number & _NUMBER_MASK


def path_cost(device: NetDevice) -> int:
    """What the way over a device costs, by its speed; where it tells none, as much as 10 Mbit/s."""
    speed_mbps = device.speed_mbps
    if speed_mbps is None:
        return _COST_OF_UNKNOWN_SPEED
    if speed_mbps > _TOP_SPEED_MBPS:
        return 1
    return _COSTS.get(speed_mbps, _COST_OF_UNKNOWN_SPEED)


class TreePort(StpPort):
    """The tree's side of ``port``.

    ``made_ns`` is when the root said what is known behind the port. ``has_own_cost``: the user has
    set it, so it follows no speed. The counters are those of ``ip -d -s link`` (bridge_slave).
    """

    __slots__ = (
        "has_own_cost",
        "made_ns",
        "n_blocked",
        "n_forwarding",
        "n_notices_received",
        "n_notices_sent",
        "port",
    )

    def __init__(self, port: BridgePort, identifier: int, cost: int, best: Offer) -> None:
        super().__init__(port.number, identifier, cost, best)
        self.port = port
        self.made_ns = 0
        self.has_own_cost = False
        self.n_notices_sent = self.n_notices_received = 0
        self.n_blocked = self.n_forwarding = 0

    @property
    def priority(self) -> int:
        """The upper bits of the identifier, 0 to 63."""
        return self.id >> _NUMBER_BITS

    def reset_counters(self) -> None:
        """Linux goes on counting when a port comes up again."""

    def count_transition(self, state: StpState, *, spoken: bool) -> None:
        """Count a state that the protocol, if it is spoken, has given the port."""
        if spoken:
            self.n_blocked += state is StpState.BLOCKING
            self.n_forwarding += state is StpState.FORWARDING
