"""Pings among many machines: who reaches whom.

:class:`PingAll` is an app that sends one ping for each pair it is given, a bounded number
of them at a time: a thousand ARP requests in one instant, each flooded to a thousand
machines, would be a million frames in flight. Which pairs there are is chosen before, by
one of three ways: all of them, a few for each pair of classes, or a random sample.

With overlapping tenants an answer need not come from the machine that was meant: where more
than one has the address, or the asker itself does, the outcome says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import chain
from typing import Any

from vnet.base.chance import Stream
from vnet.base.errors import UsageError, VnetError
from vnet.base.units import NS_PER_S
from vnet.guest.apps.app import App
from vnet.guest.apps.ping import Ping
from vnet.guest.machine import Machine, reachable_address
from vnet.lab.classes import MachineClass, machine_classes
from vnet.lab.network import Network
from vnet.topology.schema.traffic_step import MAX_PACKETS, MAX_PINGALL

MOST_PINGS = MAX_PINGALL
"""Beyond this a matrix is not for reading; name some of the machines, or take a sample."""

MOST_SAMPLES = MAX_PACKETS

MOST_UNDER_WAY = 100

_PATIENCE_NS = 2 * NS_PER_S

Pair = tuple[str, str]
"""Who pings whom, by name."""


class Note(Enum):
    """What there is to say about a ping besides its round trip."""

    NONE = ""
    SHARED = "several machines have that address, and any of them may have answered"
    SELF = "the asker has that address too, and answered itself"
    NO_ADDRESS = "the target has no address"


@dataclass(frozen=True, slots=True)
class PingOutcome:
    """What became of one ping; ``rtt_ns`` is None where no answer came."""

    rtt_ns: int | None
    note: Note = Note.NONE

    @property
    def was_sent(self) -> bool:
        return self.note not in (Note.SELF, Note.NO_ADDRESS)

    @property
    def lost(self) -> bool:
        return self.was_sent and self.rtt_ns is None


class PingAll(App):
    """One ping for each of ``pairs``; ``outcomes`` has those that ended, by pair."""

    def __init__(
        self, network: Network, pairs: Sequence[Pair], *, under_way: int = MOST_UNDER_WAY
    ) -> None:
        super().__init__(network.scheduler)
        self.outcomes: dict[Pair, PingOutcome] = {}
        self.total = len(pairs)
        self._network = network
        self._waiting = iter(pairs)
        self._under_way: dict[Pair, tuple[Ping, Note]] = {}
        self._most_under_way = under_way
        self._owners: Counter[bytes] = Counter(
            ip for machine in network.machines() for ip in set(machine.addresses)
        )

    def start(self) -> None:
        self._fill()
        if not self._under_way:
            # Never from inside start: whoever waits must first have begun to.
            self.scheduler.after(0, self.finish)

    def seen(self) -> dict[str, Any]:
        sent = sum(outcome.was_sent for outcome in self.outcomes.values())
        lost = sum(outcome.lost for outcome in self.outcomes.values())
        return {
            "sent": sent + len(self._under_way),
            "received": sent - lost,
            "lost": lost + len(self._under_way),
        }

    @property
    def losses(self) -> list[Pair]:
        """The pairs whose ping was not answered, in the order in which they ended."""
        return [pair for pair, outcome in self.outcomes.items() if outcome.lost]

    def close(self) -> None:
        for pair in list(self._under_way):
            app, _ = self._under_way[pair]
            app.on_done = None
            app.finish()
            self._note(pair)

    def __str__(self) -> str:
        seen = self.seen()
        return f"{seen['sent']} sent, {seen['received']} received, {seen['lost']} lost"

    # -- one after the other

    def _fill(self) -> None:
        while len(self._under_way) < self._most_under_way:
            pair = next(self._waiting, None)
            if pair is None:
                return
            self._begin(pair)

    def _begin(self, pair: Pair) -> None:
        source, target = (self._machine(name) for name in pair)
        try:
            ip = reachable_address(target, source)
        except VnetError:
            self.outcomes[pair] = PingOutcome(None, Note.NO_ADDRESS)
            return
        if source.namespace.owns(ip):
            self.outcomes[pair] = PingOutcome(None, Note.SELF)
            return
        app = source.make_ping(ip, count=1, timeout_ns=_PATIENCE_NS)
        note = Note.SHARED if self._owners[ip] > 1 else Note.NONE
        self._under_way[pair] = app, note
        app.on_done = lambda _app, pair=pair: self._ended(pair)
        app.start()

    def _ended(self, pair: Pair) -> None:
        self._note(pair)
        self._fill()
        if not self._under_way:
            self.finish()

    def _note(self, pair: Pair) -> None:
        app, note = self._under_way.pop(pair)
        rtts_ns = app.result.rtts_ns
        answered = PingOutcome(rtts_ns[0], note) if rtts_ns else PingOutcome(None)
        self.outcomes[pair] = answered

    def _machine(self, name: str) -> Machine:
        machine = self._network.machine(name)
        assert machine is not None, f"there is no machine {name}"
        return machine


# -- which pairs


def choose_pairs(
    network: Network,
    names: Sequence[str],
    *,
    classes: bool = False,
    sample: int | None = None,
) -> list[Pair]:
    """Who pings whom among the machines ``names``: all, classes or a sample.

    Raises :class:`UsageError` where there is nobody to ping, or too many.
    """
    names = list(dict.fromkeys(names))
    if len(names) < 2:
        raise UsageError("pingall: it takes two to ping")
    if classes and sample is not None:
        raise UsageError("pingall: classes and a sample are two ways", "choose one")
    if classes:
        between = class_pairs(machine_classes(network, names))
        return list(chain.from_iterable(between.values()))
    if sample is None:
        return all_pairs(names)
    if not 1 <= sample <= MOST_SAMPLES:
        raise UsageError(f"pingall: a sample of {sample} cannot be", f"1 to {MOST_SAMPLES}")
    # Named by the moment: the next sample is another.
    stream = network.chance.stream(f"pingall sample {network.scheduler.now_ns}")
    return sampled_pairs(names, sample, stream)


def all_pairs(names: Sequence[str]) -> list[Pair]:
    """Everybody and everybody else. Raises :class:`UsageError` beyond MOST_PINGS."""
    number = len(names) * (len(names) - 1)
    if number > MOST_PINGS:
        what = f"pingall: {len(names)} machines make {number} pings"
        raise UsageError(what, "name some of the machines, or use --classes or --sample")
    return [(source, target) for source in names for target in names if source != target]


def sampled_pairs(names: Sequence[str], number: int, stream: Stream) -> list[Pair]:
    """``number`` different ordered pairs, or all if there are no more, drawn from ``stream``."""
    others = len(names) - 1
    possible = len(names) * others
    pairs = []
    for drawn in stream.sample(range(possible), min(number, possible)):
        source, target = divmod(drawn, others)
        pairs.append((names[source], names[target + (target >= source)]))
    return pairs


def class_pairs(classes: Sequence[MachineClass]) -> dict[tuple[int, int], list[Pair]]:
    """Pings from one or two of each class to one or two of every class, its own included.

    By the numbers of the two classes. Two speak for each class, the first and the last, as
    long as that is no more than MOST_PINGS; else one. Raises :class:`UsageError` when even
    that is too much.
    """
    for speakers in (2, 1):
        chosen = dict(_between(classes, speakers))
        number = sum(map(len, chosen.values()))
        if number <= MOST_PINGS:
            return chosen
    what = f"pingall: {len(classes)} classes make {number} pings"
    raise UsageError(what, "name some of the machines, or use --sample")


def _between(
    classes: Sequence[MachineClass], speakers: int
) -> Iterator[tuple[tuple[int, int], list[Pair]]]:
    for number, one in enumerate(classes):
        for other_number, other in enumerate(classes):
            # Within a class it takes two in any case.
            own = number == other_number
            sources = one.ends if own or speakers == 2 else one.ends[:1]
            targets = other.ends if own or speakers == 2 else other.ends[-1:]
            yield (
                (number, other_number),
                [(source, target) for source in sources for target in targets if source != target],
            )
