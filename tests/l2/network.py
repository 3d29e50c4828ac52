"""Bridges joined by LANs, in a time of their own: what one sends, the others on the LAN hear."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from hypothesis import strategies as st

from vnet.base.units import NS_PER_S
from vnet.l2.rstp.bridge import Rstp
from vnet.l2.stp.bridge import Stp
from vnet.l2.stp.offer import StpTimes
from vnet.l2.stp.port import StpState
from vnet.wire import bpdu
from vnet.wire.bpdu import Bpdu

MAX_BPDUS_AT_ONCE = 10_000


class Socket(NamedTuple):
    """A port of a bridge, both by number."""

    bridge: int
    port: int


class Network(ABC):
    """Bridges ``0`` to ``n - 1``, and LANs that their ports are on."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.lans: list[list[Socket]] = []
        self.heard: list[tuple[Socket, Bpdu]] = []
        """Every BPDU that was sent, with its sender."""

    def connect(self, *bridges: int) -> list[Socket]:
        """A LAN with a new port of each of these bridges."""
        lan = [self.add_port(bridge) for bridge in bridges]
        self.lans.append(lan)
        for socket in lan:
            self.set_link(socket, up=True)
        self.settle()
        return lan

    def cut(self, lan: Sequence[Socket]) -> None:
        """A LAN goes dark for all on it."""
        for socket in lan:
            self.set_link(socket, up=False)
        self.settle()

    def settle(self) -> None:
        """Deliver what is sent, and what is sent for it, until nobody has anything to say."""
        n_heard = len(self.heard)
        while sent := self.take():
            self.heard += sent
            assert len(self.heard) - n_heard < MAX_BPDUS_AT_ONCE, "they never fall silent"
            for socket, said in sent:
                data = bpdu.emit(said)
                for other in self._others(socket):
                    read = bpdu.parse(data)
                    assert read is not None
                    self.hear(other, read)

    def _others(self, socket: Socket) -> Iterable[Socket]:
        for lan in self.lans:
            if socket in lan:
                yield from (other for other in lan if other != socket)

    def forwarding_graph(self) -> dict[str, set[str]]:
        """Bridges and LANs, and which of them frames pass between."""
        graph: dict[str, set[str]] = {f"bridge {n}": set() for n in range(self.n_bridges)}
        for number, lan in enumerate(self.lans):
            for socket in lan:
                if self.forwards(socket):
                    graph[f"bridge {socket.bridge}"].add(f"lan {number}")
                    graph.setdefault(f"lan {number}", set()).add(f"bridge {socket.bridge}")
        return graph

    @property
    @abstractmethod
    def n_bridges(self) -> int: ...

    @abstractmethod
    def add_port(self, bridge: int) -> Socket: ...

    @abstractmethod
    def set_link(self, socket: Socket, *, up: bool) -> None: ...

    @abstractmethod
    def hear(self, socket: Socket, said: Bpdu) -> None: ...

    @abstractmethod
    def take(self) -> list[tuple[Socket, Bpdu]]: ...

    @abstractmethod
    def forwards(self, socket: Socket) -> bool: ...

    @abstractmethod
    def run(self, seconds: int) -> None: ...


class StpNetwork(Network):
    """Bridges of 802.1D-1998; the first has the least identifier."""

    def __init__(self, n_bridges: int, times: StpTimes | None = None) -> None:
        super().__init__()
        self.bridges = [Stp(0x111 * (n + 1), times or StpTimes(), 0) for n in range(n_bridges)]

    @property
    def n_bridges(self) -> int:
        return len(self.bridges)

    def add_port(self, bridge: int) -> Socket:
        stp = self.bridges[bridge]
        number = len(stp.ports) + 1
        stp.add_port(number, 0x8000 | number, 10)
        return Socket(bridge, number)

    def set_link(self, socket: Socket, *, up: bool) -> None:
        stp = self.bridges[socket.bridge]
        port = stp.ports[socket.port]
        (stp.enable if up else stp.disable)(port)

    def hear(self, socket: Socket, said: Bpdu) -> None:
        stp = self.bridges[socket.bridge]
        stp.receive(stp.ports[socket.port], said)

    def take(self) -> list[tuple[Socket, Bpdu]]:
        return [
            (Socket(n, port.number), said)
            for n, stp in enumerate(self.bridges)
            for port, said, _ in stp.take().sent
        ]

    def forwards(self, socket: Socket) -> bool:
        return self.state(socket) is StpState.FORWARDING

    def state(self, socket: Socket) -> StpState:
        return self.bridges[socket.bridge].ports[socket.port].state

    def run(self, seconds: int) -> None:
        self.run_until(self.now_ns + seconds * NS_PER_S)

    def run_until(self, until_ns: int) -> None:
        while True:
            due = [stp.next_due_ns for stp in self.bridges if stp.next_due_ns is not None]
            if not due or min(due) > until_ns:
                break
            self.now_ns = max(self.now_ns, min(due))
            for stp in self.bridges:
                stp.run(self.now_ns)
            self.settle()
        self.now_ns = until_ns


class RstpNetwork(Network):
    """Bridges of 802.1D-2004; the first has the least identifier."""

    def __init__(self, n_bridges: int) -> None:
        super().__init__()
        self.bridges = [Rstp(0x111 * (n + 1)) for n in range(n_bridges)]
        self.flushed: list[Socket] = []
        """Ports whose stations were to be forgotten."""

    @property
    def n_bridges(self) -> int:
        return len(self.bridges)

    def add_port(self, bridge: int) -> Socket:
        return Socket(bridge, self.bridges[bridge].add_port().number)

    def set_link(self, socket: Socket, *, up: bool) -> None:
        rstp = self.bridges[socket.bridge]
        port = rstp.port(socket.port)
        assert port is not None
        rstp.set_operational(port, up)

    def hear(self, socket: Socket, said: Bpdu) -> None:
        rstp = self.bridges[socket.bridge]
        port = rstp.port(socket.port)
        assert port is not None
        rstp.receive(port, said)

    def take(self) -> list[tuple[Socket, Bpdu]]:
        sent = []
        for n, rstp in enumerate(self.bridges):
            effects = rstp.take()
            sent += [(Socket(n, port.number), said) for port, said in effects.sent]
            self.flushed += [Socket(n, port.number) for port in effects.flushed]
        return sent

    def forwards(self, socket: Socket) -> bool:
        port = self.bridges[socket.bridge].port(socket.port)
        assert port is not None
        return port.state.forwards

    def run(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now_ns += NS_PER_S
            for rstp in self.bridges:
                rstp.tick()
            self.settle()


def is_connected(graph: dict[str, set[str]]) -> bool:
    """Whether everything in a graph is reached from any of it."""
    reached: set[str] = set()
    waiting = list(graph)[:1]
    while waiting:
        place = waiting.pop()
        if place not in reached:
            reached.add(place)
            waiting += graph[place]
    return reached == set(graph)


def has_loop(graph: dict[str, set[str]]) -> bool:
    """Whether a connected graph has more edges than a tree."""
    return sum(map(len, graph.values())) // 2 >= len(graph)


@st.composite
def wirings(draw: st.DrawFn, max_bridges: int = 6) -> tuple[int, list[tuple[int, ...]]]:
    """How many bridges there are, and which of them are on each LAN; all hang together."""
    n_bridges = draw(st.integers(2, max_bridges))
    order = draw(st.permutations(range(n_bridges)))
    more = st.lists(
        st.lists(st.integers(0, n_bridges - 1), min_size=2, max_size=3).map(tuple), max_size=6
    )
    return n_bridges, [*pairwise(order), *draw(more)]
