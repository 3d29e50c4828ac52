"""Neighbour states: which MAC an IP address has, and how sure we are of it.

The machine of RFC 4861 section 7.3.2, as Linux runs it for ARP and ND alike
(net/core/neighbour.c). :data:`NUD_TRANSITIONS` is the law; the methods below only decide
when a cause has come about. Nothing here sends: :meth:`NeighborTable.on_timer` and
:meth:`NeighborTable.use` say what the owner shall do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic, TypeVar

from vnet.base.chance import Stream

PendingT = TypeVar("PendingT")


class Nud(Enum):
    NONE = "none"  # never asked
    INCOMPLETE = "incomplete"  # asked, no answer yet; packets wait in the queue
    REACHABLE = "reachable"  # confirmed lately; use it freely
    STALE = "stale"  # usable, but the next use starts doubting
    DELAY = "delay"  # in use and doubted; a confirmation from above may still spare a probe
    PROBE = "probe"  # being asked by unicast; still used meanwhile
    FAILED = "failed"  # nobody answered; the queue was thrown away
    PERMANENT = "permanent"  # set by the administrator


class Cause(Enum):
    USED = auto()  # a packet is to be sent
    CONFIRMED = auto()  # a solicited answer, or a hint from an upper layer
    HEARD = auto()  # the neighbour spoke of itself unasked
    AGED = auto()  # the confirmation is too old and nobody uses the entry
    DOUBTED = auto()  # the confirmation is too old and the entry is in use
    UNANSWERED = auto()  # DELAY ran out without a confirmation
    EXHAUSTED = auto()  # all probes spent


NUD_TRANSITIONS = {
    (Nud.NONE, Cause.USED): Nud.INCOMPLETE,
    (Nud.NONE, Cause.HEARD): Nud.STALE,
    (Nud.NONE, Cause.CONFIRMED): Nud.REACHABLE,
    (Nud.INCOMPLETE, Cause.CONFIRMED): Nud.REACHABLE,
    (Nud.INCOMPLETE, Cause.HEARD): Nud.STALE,
    (Nud.INCOMPLETE, Cause.EXHAUSTED): Nud.FAILED,
    (Nud.REACHABLE, Cause.AGED): Nud.STALE,
    (Nud.REACHABLE, Cause.DOUBTED): Nud.DELAY,
    (Nud.REACHABLE, Cause.HEARD): Nud.STALE,
    (Nud.REACHABLE, Cause.CONFIRMED): Nud.REACHABLE,
    (Nud.STALE, Cause.USED): Nud.DELAY,
    (Nud.STALE, Cause.CONFIRMED): Nud.REACHABLE,
    (Nud.STALE, Cause.HEARD): Nud.STALE,
    (Nud.DELAY, Cause.CONFIRMED): Nud.REACHABLE,
    (Nud.DELAY, Cause.HEARD): Nud.STALE,
    (Nud.DELAY, Cause.UNANSWERED): Nud.PROBE,
    (Nud.PROBE, Cause.CONFIRMED): Nud.REACHABLE,
    (Nud.PROBE, Cause.HEARD): Nud.STALE,
    (Nud.PROBE, Cause.EXHAUSTED): Nud.FAILED,
    (Nud.FAILED, Cause.USED): Nud.INCOMPLETE,
    (Nud.FAILED, Cause.HEARD): Nud.STALE,
    (Nud.FAILED, Cause.CONFIRMED): Nud.REACHABLE,
}
"""HEARD keeps the state where the MAC it tells is the one we know; see ``update``."""

VALID = frozenset((Nud.REACHABLE, Nud.STALE, Nud.DELAY, Nud.PROBE, Nud.PERMANENT))
"""States in which there is a MAC to send to."""


class Action(Enum):
    """What the owner of a table has to do after a call."""

    NOTHING = auto()
    SOLICIT_MULTICAST = auto()  # ask everyone
    SOLICIT_UNICAST = auto()  # ask the MAC we know
    FAIL = auto()  # report the queued packets as undeliverable


@dataclass(frozen=True, slots=True)
class NeighborParameters:
    """Timers and counts, with the defaults of net.ipv4.neigh.default and its IPv6 twin."""

    base_reachable_ns: int = 30_000_000_000
    retrans_ns: int = 1_000_000_000
    delay_first_probe_ns: int = 5_000_000_000
    gc_stale_ns: int = 60_000_000_000
    multicast_solicit: int = 3
    unicast_solicit: int = 3
    queue_packets: int = 101
    """unres_qlen; in the kernel it follows from unres_qlen_bytes, 212992 / 2090 bytes."""


class Neighbor(Generic[PendingT]):
    """One neighbour. Times are when it was last confirmed, used and changed.

    ``due_ns`` is when its timer runs out; ``alarm_ns``, which is the owner's, when the next event
    for it comes, and that may be sooner.
    """

    __slots__ = (
        "alarm_ns",
        "confirmed_ns",
        "due_ns",
        "ip",
        "is_router",
        "mac",
        "pending",
        "probes",
        "state",
        "updated_ns",
        "used_ns",
    )

    def __init__(self, ip: bytes, now_ns: int) -> None:
        self.ip = ip
        self.mac: bytes | None = None
        self.state = Nud.NONE
        self.confirmed_ns = self.used_ns = self.updated_ns = now_ns
        self.probes = 0
        self.pending: list[PendingT] = []
        self.due_ns: int | None = None
        self.alarm_ns: int | None = None
        self.is_router = False


class NeighborTable(Generic[PendingT]):
    """The neighbours on one interface.

    ``chance`` gives the stream that ``reachable_ns`` is drawn from.
    ``queued`` counts the packets that ever had to wait. ``members`` are the neighbours of all
    tables that share one limit, see :class:`~vnet.tables.neigh_limits.NeighborFamily`; whom that
    makes the table forget, it tells ``on_forgotten``.
    """

    __slots__ = (
        "_chance",
        "_members",
        "_neighbors",
        "_reachable_ns",
        "on_forgotten",
        "parameters",
        "queued",
    )

    def __init__(
        self,
        parameters: NeighborParameters,
        chance: Callable[[], Stream],
        members: dict[Neighbor[PendingT], NeighborTable[PendingT]] | None = None,
    ) -> None:
        self.parameters = parameters
        self._chance = chance
        self._reachable_ns: int | None = None
        self._neighbors: dict[bytes, Neighbor[PendingT]] = {}
        self._members = {} if members is None else members
        self.on_forgotten: Callable[[Neighbor[PendingT]], None] = _nobody_asks
        self.queued = 0

    @property
    def reachable_ns(self) -> int:
        """How long an answer is believed in: between half and one and a half of the base time.

        It is drawn once, so that hosts which started together do not probe together (RFC 4861
        section 6.3.2); and only where somebody answers, for most tables stay empty.
        """
        if self._reachable_ns is None:
            base_ns = self.parameters.base_reachable_ns
            self._reachable_ns = self._chance().randrange(base_ns // 2, base_ns + base_ns // 2)
        return self._reachable_ns

    def configure(self, parameters: NeighborParameters) -> None:
        """Take other parameters; with another base time ``reachable_ns`` is drawn anew."""
        before, self.parameters = self.parameters, parameters
        if parameters.base_reachable_ns != before.base_reachable_ns:
            self._reachable_ns = None

    def get(self, ip: bytes) -> Neighbor[PendingT] | None:
        return self._neighbors.get(ip)

    def __iter__(self) -> Iterator[Neighbor[PendingT]]:
        return iter(self._neighbors.values())

    def remove(self, ip: bytes) -> Neighbor[PendingT] | None:
        """Forget a neighbour and return it, with whatever was pending."""
        neighbor = self._neighbors.pop(ip, None)
        if neighbor is not None:
            self._members.pop(neighbor, None)
        return neighbor

    def forget(self, neighbor: Neighbor[PendingT]) -> None:
        """Others need the room; nothing may be pending."""
        self.remove(neighbor.ip)
        self.on_forgotten(neighbor)

    def clear(self, *, keep_permanent: bool = False) -> list[Neighbor[PendingT]]:
        """Forget all, or all but the administrator's; returns them."""
        gone = [
            n for n in self._neighbors.values() if not (keep_permanent and n.state is Nud.PERMANENT)
        ]
        for neighbor in gone:
            self.remove(neighbor.ip)
        return gone

    def ensure(self, ip: bytes, now_ns: int) -> Neighbor[PendingT]:
        """The neighbour, created in state NONE if unknown."""
        neighbor = self._neighbors.get(ip)
        if neighbor is None:
            neighbor = self._neighbors[ip] = Neighbor(ip, now_ns)
            self._members[neighbor] = self
        return neighbor

    def use(self, ip: bytes, now_ns: int) -> tuple[Neighbor[PendingT], Action]:
        """A packet is to be sent to ``ip``; the caller sends or queues by ``state``."""
        neighbor = self.ensure(ip, now_ns)
        neighbor.used_ns = now_ns
        state = neighbor.state
        if state is Nud.NONE or state is Nud.FAILED:
            self._move(neighbor, Cause.USED, now_ns)
            # Linux starts at ucast_solicit, so that the common limit leaves just the
            # multicast ones.
            neighbor.probes = self.parameters.unicast_solicit + 1
            neighbor.due_ns = now_ns + self.parameters.retrans_ns
            return neighbor, Action.SOLICIT_MULTICAST
        if state is Nud.STALE:
            self._move(neighbor, Cause.USED, now_ns)
            neighbor.due_ns = now_ns + self.parameters.delay_first_probe_ns
        return neighbor, Action.NOTHING

    def probe_once(self, neighbor: Neighbor[PendingT], now_ns: int) -> None:
        """Give a neighbour that did not answer one more chance, with nothing waiting for it."""
        self._move(neighbor, Cause.USED, now_ns)
        neighbor.probes = self.parameters.unicast_solicit + self.parameters.multicast_solicit
        neighbor.due_ns = now_ns + self.parameters.retrans_ns

    def enqueue(self, neighbor: Neighbor[PendingT], packet: PendingT) -> PendingT | None:
        """Let ``packet`` wait for an answer; returns the oldest one if it had to make room."""
        neighbor.pending.append(packet)
        self.queued += 1
        if len(neighbor.pending) > self.parameters.queue_packets:
            return neighbor.pending.pop(0)
        return None

    def confirm(self, ip: bytes, now_ns: int) -> None:
        """An upper layer has proof that packets arrive (RFC 4861 section 7.3.1)."""
        neighbor = self._neighbors.get(ip)
        if neighbor is not None:
            neighbor.confirmed_ns = now_ns

    def update(
        self,
        ip: bytes,
        mac: bytes,
        now_ns: int,
        *,
        solicited: bool,
        override: bool = True,
        weak: bool = False,
        router: bool | None = None,
        by_hand: bool = False,
    ) -> list[PendingT]:
        """The neighbour told its MAC; returns the packets that waited for it.

        Without ``override`` a different known MAC stays; with ``weak``, as ND asks (RFC 4861
        section 7.2.5), a REACHABLE entry is then at least put in doubt. ``router`` says whether
        it is one, None that nothing was said. What an administrator says ``by_hand`` counts anew,
        be it what was known (NEIGH_UPDATE_F_ADMIN).
        """
        neighbor = self.ensure(ip, now_ns)
        if neighbor.state is Nud.PERMANENT:
            return []
        known = neighbor.state in VALID
        changed = neighbor.mac != mac
        if known and changed and not override:
            if weak and neighbor.state is Nud.REACHABLE:
                self._move(neighbor, Cause.HEARD, now_ns)
            return []
        if router is not None:
            neighbor.is_router = router
        if solicited:
            self._move(neighbor, Cause.CONFIRMED, now_ns)
            neighbor.confirmed_ns = now_ns
            neighbor.due_ns = now_ns + self.reachable_ns
        elif not known or changed or by_hand:
            self._move(neighbor, Cause.HEARD, now_ns)
            neighbor.due_ns = None
        neighbor.mac = mac
        pending, neighbor.pending = neighbor.pending, []
        return pending

    def set_permanent(self, ip: bytes, mac: bytes, now_ns: int) -> list[PendingT]:
        """An administrator's entry; returns the packets that waited for it."""
        neighbor = self.ensure(ip, now_ns)
        neighbor.mac, neighbor.state, neighbor.due_ns = mac, Nud.PERMANENT, None
        self._members.pop(neighbor, None)
        pending, neighbor.pending = neighbor.pending, []
        return pending

    def on_timer(self, neighbor: Neighbor[PendingT], now_ns: int) -> Action:
        """``neighbor.due_ns`` has come: move on, set the next due time, say what to do."""
        limits = self.parameters
        if neighbor.state is Nud.REACHABLE:
            if now_ns < neighbor.confirmed_ns + self.reachable_ns:
                neighbor.due_ns = neighbor.confirmed_ns + self.reachable_ns
            elif now_ns <= neighbor.used_ns + limits.delay_first_probe_ns:
                self._move(neighbor, Cause.DOUBTED, now_ns)
                neighbor.due_ns = now_ns + limits.delay_first_probe_ns
            else:
                self._move(neighbor, Cause.AGED, now_ns)
                neighbor.due_ns = None
            return Action.NOTHING
        if neighbor.state is Nud.DELAY:
            if now_ns <= neighbor.confirmed_ns + limits.delay_first_probe_ns:
                self._move(neighbor, Cause.CONFIRMED, now_ns)
                neighbor.due_ns = neighbor.confirmed_ns + self.reachable_ns
                return Action.NOTHING
            self._move(neighbor, Cause.UNANSWERED, now_ns)
            neighbor.probes = 0
        if neighbor.state is Nud.PROBE or neighbor.state is Nud.INCOMPLETE:
            return self._probe(neighbor, now_ns)
        neighbor.due_ns = None
        return Action.NOTHING

    def _probe(self, neighbor: Neighbor[PendingT], now_ns: int) -> Action:
        limits = self.parameters
        asking_all = neighbor.state is Nud.INCOMPLETE
        most = limits.unicast_solicit + (limits.multicast_solicit if asking_all else 0)
        if neighbor.probes >= most:
            self._move(neighbor, Cause.EXHAUSTED, now_ns)
            neighbor.due_ns = None
            return Action.FAIL
        neighbor.probes += 1
        neighbor.due_ns = now_ns + limits.retrans_ns
        return Action.SOLICIT_MULTICAST if asking_all else Action.SOLICIT_UNICAST

    def _move(self, neighbor: Neighbor[PendingT], cause: Cause, now_ns: int) -> None:
        neighbor.state = NUD_TRANSITIONS[neighbor.state, cause]
        neighbor.updated_ns = now_ns


def _nobody_asks(_neighbor: Neighbor[PendingT]) -> None:
    return None
