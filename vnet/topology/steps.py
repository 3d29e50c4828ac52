"""The steps of a scenario, once they are checked: what happens, when, and what must come of it.

Frozen values, as the rest of the :mod:`~vnet.topology.model`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from vnet.base.ids import Mac, mac_text
from vnet.base.text import with_port
from vnet.base.units import duration_text
from vnet.sim.link import LinkChange
from vnet.topology.model import Endpoint
from vnet.topology.schema.wire import words_of


@dataclass(frozen=True, slots=True)
class FrameQuery:
    """Frames to be counted at a device: all, or those that a pcap-filter(7) takes."""

    point: Endpoint
    filter: str = ""


@dataclass(frozen=True, slots=True)
class Expectation:
    """``key`` of what a step saw must stand in ``relation`` (==, !=, <, <=, >, >=) to ``value``.

    With ``frames`` the key is a count that is taken for this expectation.
    """

    key: str
    relation: str
    value: int | float | str | bool
    frames: FrameQuery | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """Who serves where the target itself does not; ``port`` None is the one that is asked for."""

    node: str
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Step(ABC):
    """One line of the scenario. ``at_ns`` None means: when the step before it has ended.

    ``implied`` is expected of it, too, unless it expects something else of the same keys.
    """

    implied: ClassVar[tuple[Expectation, ...]] = ()

    at_ns: int | None
    expect: tuple[Expectation, ...]
    line: int

    @property
    @abstractmethod
    def title(self) -> str:
        """The step in a few words, as the report's table shows it."""


@dataclass(frozen=True, slots=True)
class PingStep(Step):
    """Echo requests to a machine by name, or to an address."""

    source: str
    target: str
    count: int = 4
    interval_ns: int = 1_000_000_000
    size_bytes: int = 56
    ttl: int | None = None
    dont_fragment: bool | None = None
    timeout_ns: int = 10_000_000_000
    tos: int = 0

    @property
    def title(self) -> str:
        return f"ping {self.source} → {self.target} ×{self.count}"


@dataclass(frozen=True, slots=True)
class ArpingStep(Step):
    """ARP requests by hand."""

    source: str
    target: str
    count: int = 1
    interval_ns: int = 1_000_000_000
    mode: str = "request"
    """``request``, ``announce`` (arping -U) or ``duplicate`` (arping -D)."""

    @property
    def title(self) -> str:
        return f"arping {self.mode} {self.source} → {self.target} ×{self.count}"


@dataclass(frozen=True, slots=True)
class UdpStep(Step):
    """``count`` datagrams to an echo server on the target, which the step starts."""

    source: str
    target: str
    port: int = 7
    count: int = 1
    interval_ns: int = 1_000_000_000
    size_bytes: int = 64
    echo: bool = True
    timeout_ns: int = 1_000_000_000
    server: Server | None = None

    @property
    def title(self) -> str:
        return f"udp {self.source} → {with_port(self.target, self.port)} ×{self.count}"


@dataclass(frozen=True, slots=True)
class TracerouteStep(Step):
    """Probes with growing times to live. ``size_bytes`` None is the tool's own choice."""

    source: str
    target: str
    icmp: bool = False
    max_hops: int = 30
    queries: int = 3
    wait_ns: int = 5_000_000_000
    size_bytes: int | None = None

    @property
    def title(self) -> str:
        return f"traceroute {self.source} → {self.target}"


@dataclass(frozen=True, slots=True)
class TracepathStep(Step):
    """Large datagrams with growing times to live."""

    source: str
    target: str
    max_hops: int = 30
    size_bytes: int | None = None

    @property
    def title(self) -> str:
        return f"tracepath {self.source} → {self.target}"


@dataclass(frozen=True, slots=True)
class PingAllStep(Step):
    """A ping for each pair of ``among``: all, between ``classes``, or a random ``sample``; or one
    of each of them to ``target``."""

    among: tuple[str, ...]
    classes: bool = False
    sample: int | None = None
    target: str | None = None

    @property
    def title(self) -> str:
        if self.target is not None:
            return f"pingall of {len(self.among)} → {self.target}"
        way = "classes" if self.classes else "" if self.sample is None else f"sample {self.sample}"
        return f"pingall of {len(self.among)} {way}".rstrip()


@dataclass(frozen=True, slots=True)
class SendStep(Step):
    """Puts the packet of a Scapy expression on a vNIC, ``count`` times."""

    source: str
    device: str
    packet: str
    count: int = 1
    interval_ns: int = 1_000_000_000
    packet_place: tuple[int, int] = field(default=(1, 1), compare=False)
    """Line and column of ``packet`` in the file."""

    @property
    def title(self) -> str:
        return f"send {self.source}:{self.device} ×{self.count}"


@dataclass(frozen=True, slots=True)
class LinkStep(Step):
    """``change`` has the settings that become other than they were; before that, the end that is
    not ``end`` is plugged in at ``to``, if that is said."""

    end: Endpoint
    change: LinkChange
    to: Endpoint | None = None

    @property
    def title(self) -> str:
        goes = "" if self.to is None else f"→ {self.to} "
        return f"link {self.end} {goes}{words_of(self.change)}".rstrip()


@dataclass(frozen=True, slots=True)
class MoveStep(Step):
    """``vm`` goes to ``host``; ``switch`` None is the one of the same name there, or the only."""

    vm: str
    host: str
    switch: str | None = None
    announce: bool = True

    @property
    def title(self) -> str:
        switch = "" if self.switch is None else f":{self.switch}"
        return f"move {self.vm} → {self.host}{switch}"


@dataclass(frozen=True, slots=True)
class WaitStep(Step):
    """Lets time pass."""

    duration_ns: int

    @property
    def title(self) -> str:
        return f"wait {duration_text(self.duration_ns)}"


@dataclass(frozen=True, slots=True)
class FdbStep(Step):
    """``bridge`` None is the switch ``node`` itself, else one of the host ``node``."""

    node: str
    bridge: str | None = None
    mac: Mac | None = None

    @property
    def title(self) -> str:
        switch = self.node if self.bridge is None else f"{self.node}:{self.bridge}"
        return f"fdb {switch}" if self.mac is None else f"fdb {switch} {mac_text(self.mac)}"


@dataclass(frozen=True, slots=True)
class CountersStep(Step):
    """Reads the counters of ``device``."""

    device: Endpoint

    @property
    def title(self) -> str:
        return f"counters {self.device}"


@dataclass(frozen=True, slots=True)
class TcStep(Step):
    """Does a ``command`` of tc(8) at ``device``, and reads the qdisc ``handle``; 0 is the root."""

    device: Endpoint
    command: str | None = None
    handle: int = 0

    @property
    def title(self) -> str:
        return f"tc {self.device} {self.command or ''}".rstrip()


@dataclass(frozen=True, slots=True)
class CheckStep(Step):
    """Nothing but expectations, judged over the whole run so far."""

    @property
    def title(self) -> str:
        return "expect"


@dataclass(frozen=True, slots=True)
class RepeatStep(Step):
    """``steps`` in order, ``count`` times, with ``interval_ns`` between two rounds. None goes on
    until the lab ends, and nobody waits for that."""

    count: int | None
    interval_ns: int
    steps: tuple[Step, ...]

    @property
    def title(self) -> str:
        return "repeat forever" if self.count is None else f"repeat ×{self.count}"


@dataclass(frozen=True, slots=True)
class ParallelStep(Step):
    """``steps`` all begun at once; ended when the last of them has."""

    steps: tuple[Step, ...]

    @property
    def title(self) -> str:
        return "parallel"


def all_steps(steps: Iterable[Step]) -> Iterator[Step]:
    """Every step, each followed by those inside it."""
    for step in steps:
        yield step
        if isinstance(step, RepeatStep | ParallelStep):
            yield from all_steps(step.steps)


def expected_end_ns(steps: Iterable[Step]) -> int:
    """When a scenario should be over, as far as its own figures tell."""
    end_ns = latest_ns = 0
    for step in steps:
        start_ns = end_ns if step.at_ns is None else step.at_ns
        end_ns = start_ns + _length_ns(step)
        latest_ns = max(latest_ns, end_ns)
    return latest_ns


def _length_ns(step: Step) -> int:
    if isinstance(step, WaitStep):
        return step.duration_ns
    if isinstance(step, PingStep | ArpingStep | UdpStep | SendStep):
        return step.count * step.interval_ns
    if isinstance(step, RepeatStep):
        return (step.count or 0) * (expected_end_ns(step.steps) + step.interval_ns)
    if isinstance(step, ParallelStep):
        return max(_length_ns(inner) for inner in step.steps)
    return 0
