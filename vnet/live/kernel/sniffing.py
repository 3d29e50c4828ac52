"""Packet sockets (packet(7)) as sniffers: every frame of a device, both ways, with its time.

The kernel says when each frame passed and which way it went; what it took off a frame, its VLAN
tag, is put back. A socket whose device is down listens on, and hears it once it is up.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from vnet.live.clock import WallClock
from vnet.live.kernel import namespaces
from vnet.live.kernel.errors import KernelError
from vnet.netdev.device import Sniffer
from vnet.topology.model import Endpoint

_ETH_P_ALL = 3
_SOL_PACKET = 263
_PACKET_STATISTICS = 6
_PACKET_AUXDATA = 8
_SO_TIMESTAMPNS = 35
_SO_RCVBUFFORCE = 33
_PACKET_OUTGOING = 4
_TIMESPEC = struct.Struct("@qq")
_AUXDATA = struct.Struct("=IIIHHHH")
_STATISTICS = struct.Struct("=II")
_VLAN_VALID = 1 << 4
_VLAN_TPID_VALID = 1 << 6
_MOST_FRAME_BYTES = 1 << 17
_ROOM_BYTES = 64 << 20
_ANCILLARY_BYTES = 256


@dataclass
class Tap:
    """A socket at one device, and who listens."""

    point: Endpoint
    socket: socket.socket
    sniffers: list[Sniffer] = field(default_factory=list)


class Taps:
    """The taps of a lab, by device. ``names`` are the namespaces of its nodes.

    Frames are told in the order of their times, as far as they have come by then.
    """

    def __init__(self, clock: WallClock, names: dict[str, str]) -> None:
        self._clock = clock
        self._names = names
        self._taps: dict[Endpoint, Tap] = {}

    def add(self, point: Endpoint, sniffer: Sniffer) -> None:
        """Have ``sniffer`` hear a device from now on."""
        tap = self._taps.get(point)
        if tap is None:
            tap = self._taps[point] = Tap(point, self._open(point))
            self._clock.watch(tap.socket, self.drain)
        tap.sniffers.append(sniffer)

    def remove(self, point: Endpoint, sniffer: Sniffer) -> None:
        """Have ``sniffer`` hear it no more; the last one that listens takes the socket along."""
        tap = self._taps[point]
        tap.sniffers.remove(sniffer)
        if not tap.sniffers:
            self._close(self._taps.pop(point))

    def drain(self) -> None:
        """Tell of all that has been heard."""
        heard = [
            (time_ns, number, data, outbound, tap)
            for number, tap in enumerate(self._taps.values())
            for time_ns, data, outbound in _waiting(tap.socket)
        ]
        for time_ns, _, data, outbound, tap in sorted(heard, key=lambda frame: frame[:2]):
            for sniffer in tuple(tap.sniffers):
                sniffer.capture(time_ns, data, outbound)

    def lost(self) -> dict[str, int]:
        """How many frames there was no room for, by device, where there were any."""
        found = {}
        for point, tap in self._taps.items():
            told = tap.socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, _STATISTICS.size)
            _, dropped = _STATISTICS.unpack(told)
            if dropped:
                found[str(point)] = dropped
        return found

    def close(self) -> None:
        """Close every tap."""
        for tap in self._taps.values():
            self._close(tap)
        self._taps.clear()

    def _close(self, tap: Tap) -> None:
        self._clock.forget(tap.socket)
        tap.socket.close()

    def _open(self, point: Endpoint) -> socket.socket:
        try:
            with namespaces.inside(self._names[point.node]):
                made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
                made.setsockopt(_SOL_PACKET, _PACKET_AUXDATA, 1)
                made.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
                made.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _ROOM_BYTES)
                made.setblocking(False)
                made.bind((point.device, _ETH_P_ALL))
        except OSError as error:
            raise KernelError(f"cannot listen at {point}: {error.strerror}") from None
        return made


def _waiting(tap: socket.socket) -> Iterator[tuple[int, bytes, bool]]:
    """What is in a socket's queue: time (ns since 1970), frame, and whether it was going out."""
    while True:
        try:
            data, extra, _flags, address = tap.recvmsg(_MOST_FRAME_BYTES, _ANCILLARY_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno == errno.ENETDOWN:
                continue  # Told once, when the device goes down; it may come up again.
            raise
        time_ns = 0
        for level, kind, content in extra:
            if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
                seconds, rest_ns = _TIMESPEC.unpack(content)
                time_ns = seconds * 1_000_000_000 + rest_ns
            elif (level, kind) == (_SOL_PACKET, _PACKET_AUXDATA):
                data = _with_tag(data, content)
        yield time_ns, data, address[2] == _PACKET_OUTGOING


def _with_tag(data: bytes, content: bytes) -> bytes:
    status, _, _, _, _, tci, tpid = _AUXDATA.unpack(content)
    if not status & _VLAN_VALID:
        return data
    tpid = tpid if status & _VLAN_TPID_VALID else 0x8100
    return data[:12] + struct.pack("!HH", tpid, tci) + data[12:]
