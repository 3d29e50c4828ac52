"""One link of an aggregation: what is known of the partner at its other end, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from vnet.base.units import NS_PER_S
from vnet.wire.lacp import NOBODY, Info, State

FAST_NS = 1 * NS_PER_S
SLOW_NS = 30 * NS_PER_S
"""How often to speak, as the listener wishes (IEEE 802.1AX clause 6.4.4)."""

SILENCES = 3
"""So many times in a row nothing was heard, and what is known is out of date."""


class Status(Enum):
    """How good the knowledge of the partner is; the value is what ``lacp/show`` calls it."""

    CURRENT = "current"
    EXPIRED = "expired"
    DEFAULTED = "defaulted"


@dataclass(frozen=True, slots=True)
class PortSettings:
    """A link's own settings. ``key`` 0: the aggregation is named by a port's number instead."""

    name: str
    port: int
    priority: int = 0xFFFF
    key: int = 0


@dataclass(slots=True)
class Counters:
    """What ``lacp/show-stats`` shows (the names in IEEE 802.1AX are dot3adAggPortStats...)."""

    tx_pdus: int = 0
    rx_pdus: int = 0
    rx_bad: int = 0
    rx_markers: int = 0
    link_expired: int = 0
    link_defaulted: int = 0
    carrier_changed: int = 0


class Member:
    """A link. ``told`` is what the partner has last been heard to believe of us: where that is
    wrong, it must be told again.
    """

    __slots__ = (
        "attached",
        "carrier",
        "counters",
        "partner",
        "receive_by_ns",
        "send_at_ns",
        "settings",
        "status",
        "told",
    )

    def __init__(self, name: str) -> None:
        self.settings = PortSettings(name, 0, 0)
        self.status = Status.DEFAULTED
        self.attached = False
        self.carrier = False
        self.partner = NOBODY
        self.told = NOBODY
        self.send_at_ns = 0
        self.receive_by_ns = 0
        self.counters = Counters()

    def set_defaulted(self) -> None:
        """Nothing is known of a partner."""
        self.status = Status.DEFAULTED
        self.partner = NOBODY

    def set_expired(self, now_ns: int) -> None:
        """What is known may be wrong by now: hurry, and the link is not usable meanwhile."""
        self.status = Status.EXPIRED
        state = (self.partner.state | State.TIMEOUT) & ~State.SYNCHRONIZATION
        self.partner = self.partner._replace(state=state)
        self.receive_by_ns = now_ns + SILENCES * FAST_NS

    def set_current(self, now_ns: int, period_ns: int) -> None:
        """The partner was heard."""
        self.status = Status.CURRENT
        self.receive_by_ns = now_ns + SILENCES * period_ns

    def sent(self, actor: Info, now_ns: int) -> None:
        """The partner was told; when to do so again is its own wish."""
        self.told = actor
        self.counters.tx_pdus += 1
        wants_fast = State.TIMEOUT in self.partner.state
        self.send_at_ns = now_ns + (FAST_NS if wants_fast else SLOW_NS)


_TELLING_STATES = State.ACTIVITY | State.TIMEOUT | State.SYNCHRONIZATION | State.AGGREGATION


def is_old_news(believed: Info, actor: Info) -> bool:
    """Whether a partner that believes the one need not be told the other (clause 6.4.16)."""
    differs = (believed.state ^ actor.state) & _TELLING_STATES
    return not differs and believed[:-1] == actor[:-1]
