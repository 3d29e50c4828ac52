"""The same frames into a lab on the kernel and in vnet, and where the two part.

Stations answer when they are asked for their MACs. Left out of the comparison is what a kernel
says by itself at times of its own, and hidden what it chooses freely (`hide_choices`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from operator import itemgetter
from typing import NamedTuple, Protocol

from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6NDOptDstLLAddr, IPv6
from scapy.layers.l2 import Ether

from tests.kernel.choices import hide_choices, is_spontaneous
from tests.kernel.labels import is_redirect6, label_ports, label_ports_of_line
from tests.kernel.setup import VIEWS, Lab
from tests.kernel.talk import answer_to
from vnet.base.ids import (
    ip_text,
    link_local_of,
    mac_from_text,
    mac_text,
    network_of,
    prefix_from_text,
)
from vnet.wire import arp, icmpv6
from vnet.wire.ether import HEADER_BYTES, TYPE_ARP
from vnet.wire.ether import frame as ether_frame

_MOST_ANSWERS = 20


@dataclass(frozen=True)
class Inject:
    """A frame that comes to the machine by ``port``."""

    port: str
    frame: bytes


@dataclass(frozen=True)
class Wait:
    """Time passes."""

    duration_ms: int


@dataclass(frozen=True)
class Reply:
    """Somebody at a port answers what came out there: the last packet, or one ``back`` from it."""

    back: int
    manner: str


@dataclass(frozen=True)
class Send:
    """A program of the machine sends a datagram, from ``port`` if it is not 0."""

    port: int
    target: str
    target_port: int
    payload: bytes


@dataclass(frozen=True)
class Look:
    """What the machine shows of its rules and connections, with the counters.

    With ``timeouts``, of its connections alone, and how many seconds they have left.
    """

    timeouts: bool = False


Step = Inject | Wait | Reply | Send | Look

Seen = tuple[str, bytes]
"""A frame, with the port that it came out of."""


class Outcome(NamedTuple):
    """What came out of the machine in a step, which was done ``at_ms`` after the first."""

    at_ms: int
    seen: list[Seen]


class World(Protocol):
    """Where a lab is built: the kernel, or vnet."""

    lab: Lab

    def inject(self, port: str, frame: bytes) -> None:
        """Send a frame into the machine by one of its ports."""

    def collect(self) -> Iterator[Seen]:
        """What has come out since."""

    def wait(self, duration_ms: int) -> None:
        """Let time pass."""

    def now_ms(self) -> int:
        """What a clock says."""

    def send(self, datagram: Send) -> None:
        """Have a program of the machine send something."""

    def look(self, look: Look) -> tuple[int, list[Seen]]:
        """The rules and connections, line by line, and when they were so by :meth:`now_ms`."""


def play(
    world: World, steps: Sequence[Step], elsewhere: Sequence[Outcome] = ()
) -> Iterator[Outcome]:
    """Do the steps, one by one, and give what came out of the machine in each.

    Each at the very moment at which it was done ``elsewhere``, if it was: how often a machine may
    send this or that depends on it.
    """
    machine = Machine(world.lab)
    heard: list[Seen] = []
    list(world.collect())
    begun_ms = world.now_ms()
    starts_ms = [other.at_ms for other in elsewhere]
    for step, start_ms, following, next_ms in zip_longest(
        steps, starts_ms, steps[1:], starts_ms[1:]
    ):
        at_ms = world.now_ms() - begun_ms
        if start_ms is not None:
            world.wait(max(0, start_ms - at_ms))
        _do(world, step, heard)
        if isinstance(step, Look):
            looked_ms, seen = world.look(step)
            at_ms = looked_ms - begun_ms
        else:
            seen = _seen(world, machine, heard)
            # What is sent before the next step, which may have been late, is of this one. While
            # somebody looks, nobody collects.
            if next_ms is not None and not isinstance(following, Look):
                world.wait(max(0, begun_ms + next_ms - world.now_ms() - 1))
                seen += _seen(world, machine, heard)
        yield Outcome(at_ms, _labelled(seen) if world.lab.has_rules else seen)


def _do(world: World, step: Step, heard: Sequence[Seen]) -> None:
    match step:
        case Inject(port, frame):
            world.inject(port, frame)
        case Wait(duration_ms):
            world.wait(duration_ms)
        case Send():
            world.send(step)
        case Reply(back, manner) if heard:
            port, frame = heard[-1 - back % len(heard)]
            answer = answer_to(frame, manner)
            if answer is not None:
                world.inject(port, answer)


def _labelled(seen: list[Seen]) -> list[Seen]:
    """With labels for the ports, in an order between ports that both worlds have.

    Redirects of IPv6 are left out: they quote what labels do not reach.
    """
    return [
        (at, label_ports_of_line(shown.decode()).encode() if at in VIEWS else label_ports(shown))
        for at, shown in sorted(seen, key=itemgetter(0))
        if at in VIEWS or not is_redirect6(shown)
    ]


def _seen(world: World, machine: Machine, heard: list[Seen]) -> list[Seen]:
    """What came out, and into ``heard`` what can be answered of it."""
    seen: list[Seen] = []
    packets: list[Seen] = []
    fresh = deque(world.collect())
    answers = 0
    while fresh:
        port, frame = fresh.popleft()
        if is_spontaneous(frame, machine.macs):
            continue
        seen.append((port, hide_choices(frame, machine.addresses)))
        if is_packet(frame):
            packets.append((port, frame))
        answer = answer_of(world.lab, port, frame)
        if answer is not None and answers < _MOST_ANSWERS:
            answers += 1
            world.inject(port, answer)
            fresh += world.collect()
    # The order between ports is free.
    heard += sorted(packets, key=itemgetter(0))
    return seen


def is_packet(frame: bytes) -> bool:
    """Whether it is an IP packet to somebody, and none of those that ask for neighbours."""
    if frame[0] & 1 or frame[12:14] not in (b"\x08\x00", b"\x86\xdd"):
        return False
    return frame[12:14] == b"\x08\x00" or frame[20:21] + frame[54:55] not in _OF_NEIGHBORS


_OF_NEIGHBORS = tuple(
    bytes((icmpv6.PROTOCOL, kind))
    for kind in (icmpv6.NEIGHBOR_SOLICITATION, icmpv6.NEIGHBOR_ADVERTISEMENT)
)


class Machine:
    """What tells the frames of a lab's machine from those that it hands on."""

    def __init__(self, lab: Lab) -> None:
        texts = [text for port in lab.ports for text in port.addresses]
        texts += lab.bridge.addresses if lab.bridge is not None else ()
        self.macs = frozenset(bytes(mac_from_text(port.mac)) for port in lab.ports)
        given = [prefix_from_text(text) for text in texts]
        # A router also answers from the first address of each of its networks.
        own = {bytes(ip) for ip, _ in given} | {network_of(ip, length) for ip, length in given}
        self.addresses = own | frozenset(map(link_local_of, self.macs))


def answer_of(lab: Lab, port: str, frame: bytes) -> bytes | None:
    """What the stations on a port's wire say to a question for a MAC."""
    stations = lab.port(port).stations
    if frame[12:14] == TYPE_ARP.to_bytes(2, "big"):
        request = arp.parse(frame, HEADER_BYTES)
        if request is None or request.operation != arp.REQUEST:
            return None
        mac = stations.get(ip_text(request.target_ip))
        if mac is None or mac == mac_text(frame[6:12]):
            return None
        own = mac_from_text(mac)
        reply = arp.Arp(arp.REPLY, own, request.target_ip, request.sender_mac, request.sender_ip)
        return ether_frame(request.sender_mac, own, TYPE_ARP, arp.emit(reply))
    return _advertisement(stations, frame)


def _advertisement(stations: dict[str, str], frame: bytes) -> bytes | None:
    if len(frame) < 78 or frame[12:14] != b"\x86\xdd" or frame[20] != icmpv6.PROTOCOL:
        return None
    if frame[54] != icmpv6.NEIGHBOR_SOLICITATION or not any(frame[22:38]):
        return None
    target = ip_text(frame[62:78])
    mac = stations.get(target)
    if mac is None:
        return None
    answer = (
        Ether(src=mac, dst=mac_text(frame[6:12]))
        / IPv6(src=target, dst=ip_text(frame[22:38]), hlim=255)
        / ICMPv6ND_NA(tgt=target, R=0, S=1, O=1)
        / ICMPv6NDOptDstLLAddr(lladdr=mac)
    )
    return bytes(answer)


@dataclass(frozen=True)
class Difference:
    """What the kernel sent in a step, and what vnet did, by the ports at which these differ."""

    number: int
    step: Step
    kernel: tuple[Seen, ...]
    vnet: tuple[Seen, ...]


def compare(
    steps: Iterable[Step], kernel: Iterable[Outcome], ours: Iterable[Outcome]
) -> Iterator[Difference]:
    """Step by step, and port by port in order. The order between ports is free.

    So is that of what is due at the same tick while time passes.
    """
    for number, (step, expected, found) in enumerate(zip(steps, kernel, ours, strict=True)):
        theirs, mine = expected.seen, found.seen
        if isinstance(step, Wait):
            theirs, mine = sorted(theirs), sorted(mine)
        odd = {
            port
            for port, _ in theirs + mine
            if [frame for at, frame in theirs if at == port]
            != [frame for at, frame in mine if at == port]
        }
        if odd:
            yield Difference(number, step, _only(theirs, odd), _only(mine, odd))


def _only(seen: list[Seen], ports: set[str]) -> tuple[Seen, ...]:
    return tuple(sorted((one for one in seen if one[0] in ports), key=itemgetter(0)))
