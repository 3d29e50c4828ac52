"""Port State Transition: learning and forwarding, once role transitions allow them (17.30)."""

from __future__ import annotations

from vnet.l2.rstp.machine import State
from vnet.l2.rstp.port import RstpPort, RstpState

PortState = State[RstpPort]


def _discard(port: RstpPort) -> None:
    port.set_state(RstpState.DISCARDING)
    port.learning = port.forwarding = False


def _learn(port: RstpPort) -> None:
    port.set_state(RstpState.LEARNING)
    port.learning = True


def _forward(port: RstpPort) -> None:
    port.set_state(RstpState.FORWARDING)
    port.forwarding = True


def _leave_learning(port: RstpPort) -> PortState | None:
    if not port.learn:
        return DISCARDING
    return FORWARDING if port.forward else None


DISCARDING: PortState = State("DISCARDING", _discard, lambda port: LEARNING if port.learn else None)
LEARNING: PortState = State("LEARNING", _learn, _leave_learning)
FORWARDING: PortState = State(
    "FORWARDING", _forward, lambda port: None if port.forward else DISCARDING
)
