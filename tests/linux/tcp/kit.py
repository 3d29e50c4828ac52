"""Two machines on a wire in the hands of the test, and what passed on it as lines of text.

The lines are those of ``record.py``, which has the real kernel say the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from vnet.base.chance import Chance
from vnet.base.ids import ip_from_text, mac_from_text, prefix_from_text
from vnet.linux.netns.namespace import Namespace
from vnet.linux.netns.sockets.tcp import TcpListener, TcpSocket
from vnet.linux.tcp.outcome import Failure
from vnet.netdev.device import NetDevice
from vnet.sim.frame import Frame
from vnet.sim.scheduler import Scheduler
from vnet.wire import ipv4, ipv6, tcp, tcp_options
from vnet.wire.tcp import Tcp

MS = 1_000_000
S = 1_000 * MS
FLAGS = ((tcp.FIN, "F"), (tcp.SYN, "S"), (tcp.RST, "R"), (tcp.PSH, "P"), (tcp.ACK, "."))


class Passed(NamedTuple):
    """A segment that one end sent: 0 is who connects."""

    time_ns: int
    end: int
    segment: Tcp
    ident: int
    lost: bool


Lose = Callable[[int, Tcp, "Wire"], bool]
Fates = Callable[[int, Tcp], list[int]]
"""By how much each copy of a segment that arrives is later than the wire's delay, in ns."""


class _End(NetDevice):
    """A device whose frames the wire carries."""

    __slots__ = ("carry",)

    carry: Callable[[Frame], None]

    def _xmit(self, frame: Frame) -> None:
        self.carry(frame)


class Wire:
    """``a`` at 10.9.0.1 and fd09::1, ``b`` at 10.9.0.2 and fd09::2, ``delay_ns`` apart."""

    def __init__(
        self,
        delay_ns: int = 10 * MS,
        lose: Lose | None = None,
        *,
        mtu_bytes: int = 1500,
        seed: int = 1,
        ns_per_byte: int = 0,
        fates: Fates | None = None,
    ) -> None:
        self.scheduler = Scheduler()
        self.delay_ns = delay_ns
        self.lose = lose
        self.fates = fates
        self.ns_per_byte = ns_per_byte
        self.log: list[Passed] = []
        self.machines: list[Namespace] = []
        self._ends: list[_End] = []
        self._busy_ns = [0, 0]
        self.counted_from_ns = 0
        """When the first segment with data was sent; before that, the SYN."""
        self._data_seen = False
        chance = Chance(seed)
        for number, name in enumerate("ab", 1):
            machine = Namespace(self.scheduler, name, chance)
            mac = mac_from_text(f"02:00:00:00:00:{number:02x}")
            end = _End(self.scheduler, "eth0", mac, mtu_bytes)
            self._carry_from(end, number - 1)
            machine.add_device(end, ipv6=True)
            machine.set_up("eth0")
            machine.add_address("eth0", *prefix_from_text(f"10.9.0.{number}/24"))
            machine.add_address("eth0", *prefix_from_text(f"fd09::{number}/64"))
            self.machines.append(machine)
            self._ends.append(end)
        self.a, self.b = self.machines
        self._know_each_other()

    def _know_each_other(self) -> None:
        """Past duplicate detection, and with both neighbours known, so that TCP is all there is."""
        self.run(3 * S)
        for machine, other in ((self.a, self.b), (self.b, self.a)):
            interface = machine.interface("eth0")
            mac = other.interface("eth0").device.mac
            for cache in (interface.arp_cache, interface.nd_cache):
                for address in other.interface("eth0").addresses:
                    if len(address.ip) == (4 if cache is interface.arp_cache else 16):
                        cache.heard(address.ip, mac, solicited=True)
        self.log.clear()

    def _carry_from(self, end: _End, number: int) -> None:
        def carry(frame: Frame) -> None:
            packet = frame.data[14:]
            segment, ident = segment_in(packet)
            if segment is None:
                self._deliver_later(1 - number, frame, self.delay_ns)
                return
            now_ns = self.scheduler.now_ns
            if not self.log or (segment.payload and not self._data_seen):
                self.counted_from_ns = now_ns
                self._data_seen = bool(segment.payload)
            lost = bool(self.lose and self.lose(number, segment, self))
            self.log.append(Passed(now_ns, number, segment, ident, lost))
            if not lost:
                leaves_ns = max(now_ns, self._busy_ns[number])
                leaves_ns += len(frame.data) * self.ns_per_byte
                self._busy_ns[number] = leaves_ns
                delay_ns = leaves_ns - now_ns + self.delay_ns
                for late_ns in self.fates(number, segment) if self.fates else [0]:
                    self._deliver_later(1 - number, frame, delay_ns + late_ns)

        end.carry = carry

    def _deliver_later(self, number: int, frame: Frame, delay_ns: int) -> None:
        self.scheduler.after(delay_ns, lambda: self._ends[number].receive(frame))

    def run(self, duration_ns: int) -> None:
        self.scheduler.run(self.scheduler.now_ns + duration_ns)

    def connect(self, port: int = 80, *, family: int = 4) -> tuple[TcpSocket, TcpSocket]:
        """A connection from ``a`` to ``b``, once the handshake is over."""
        target = ip_from_text("10.9.0.2" if family == 4 else "fd09::2")
        accepted: list[TcpSocket] = []

        def accept(listener: TcpListener) -> None:
            socket = listener.accept()
            assert socket is not None
            accepted.append(socket)

        listener = self.b.sockets.tcp.listen(port, accept)
        client = self.a.sockets.tcp.connect(target, port)
        self.run(3 * self.delay_ns + MS)
        listener.close()
        return client, accepted[0]

    # -- as text

    def lines(self) -> list[str]:
        """What was sent, a line each: time in ms, who, flags, numbers, window, options."""
        return [line for _time_ns, line in self.timed_lines()]

    def timed_lines(self) -> list[tuple[float, str]]:
        first: list[int | None] = [None, None]
        start_ns = self.log[0].time_ns if self.log else 0
        made = []
        for passed in self.log:
            segment, end = passed.segment, passed.end
            if segment.flags & tcp.SYN or first[end] is None:
                first[end] = segment.sequence
            bases = (first[end] or 0, first[1 - end] or 0)
            text = describe(segment, bases)
            made.append(
                (
                    (passed.time_ns - start_ns) / MS,
                    f"{'><'[end]}{'x' if passed.lost else ' '} {text}",
                )
            )
        return made


def describe(segment: Tcp, bases: tuple[int, int]) -> str:
    """A segment as a line: sequence numbers count from each side's first."""
    flags = "".join(letter for bit, letter in FLAGS if segment.flags & bit)
    start = segment.sequence - bases[0] & 0xFFFFFFFF
    size = len(segment.payload)
    ack = segment.acknowledgement - bases[1] & 0xFFFFFFFF if segment.flags & tcp.ACK else 0
    return (
        f"{flags} {start}:{start + size}({size}) ack {ack} win {segment.window}"
        f" <{_options(segment, bases[1])}>"
    )


def _options(segment: Tcp, base: int) -> str:
    options = tcp_options.parse(segment.options)
    assert options is not None
    words = []
    if options.mss is not None:
        words.append(f"mss {options.mss}")
    if options.sack_permitted:
        words.append("sackOK")
    if options.timestamps is not None:
        words.append("TS")
    if options.window_scale is not None:
        words.append(f"wscale {options.window_scale}")
    if options.sack:
        blocks = " ".join(
            f"{start - base & 0xFFFFFFFF}:{end - base & 0xFFFFFFFF}" for start, end in options.sack
        )
        words.append(f"sack {blocks}")
    return ",".join(words)


def segment_in(packet: bytes) -> tuple[Tcp | None, int]:
    """The TCP segment in an IP packet, and the packet's identification."""
    header = ipv4.parse(packet)
    if header is not None:
        return (
            tcp.parse(header.payload) if header.protocol == tcp.PROTOCOL else None
        ), header.ident
    header6 = ipv6.parse(packet)
    upper = None if header6 is None else ipv6.upper_layer(header6)
    if upper is None or upper.protocol != tcp.PROTOCOL:
        return None, 0
    return tcp.parse(upper.payload), 0


def lose_data(*numbers: int) -> Lose:
    """Lose the n-th segments with data from who connects, counted from 1."""
    seen = 0

    def lose(end: int, segment: Tcp, _wire: Wire) -> bool:
        nonlocal seen
        if end or not segment.payload:
            return False
        seen += 1
        return seen in numbers

    return lose


class Pump:
    """A program that writes ``data`` as fast as it can, then closes if it shall."""

    def __init__(self, socket: TcpSocket, data: bytes, *, close: bool = False) -> None:
        self.socket = socket
        self.left = memoryview(data)
        self.close = close
        socket.on_writable = self._write
        self._write(socket)

    def _write(self, socket: TcpSocket) -> None:
        while self.left:
            accepted = socket.send(bytes(self.left[:65_536]))
            self.left = self.left[accepted:]
            if not accepted:
                return
        if self.close:
            self.close = False
            socket.shutdown()


class Sink:
    """A program that reads what comes and keeps it; it closes when the peer has."""

    def __init__(self, socket: TcpSocket, *, close: bool = False) -> None:
        self.data = bytearray()
        self.ended = False
        self.close = close
        self.failure: Failure | None = None
        socket.on_readable = self._read
        socket.on_closed = self._closed

    def _read(self, socket: TcpSocket) -> None:
        self.data += socket.receive()
        if socket.at_end and not self.ended:
            self.ended = True
            if self.close:
                socket.close()

    def _closed(self, _socket: TcpSocket, failure: Failure | None) -> None:
        self.failure = failure
