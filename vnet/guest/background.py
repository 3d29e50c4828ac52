"""Sniffing in the background: ``AsyncSniffer`` on vNICs, without a thread.

It is called for each frame, in an event right after the frame's own, and so hears what the
lab does while it is run by somebody else.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from scapy.plist import PacketList
from scapy.sessions import DefaultSession

from vnet.guest.scapy_time import clock_of, ns_of

if TYPE_CHECKING:
    from vnet.guest.socket import VnicSocket

PATIENCE_NS = 3600 * 1_000_000_000
"""A wait without a timeout ends after this long without a frame: periodic timers never let
a lab fall idle."""


class BackgroundSniffer:
    """What ``AsyncSniffer.start`` leaves behind on vNICs; labels are by socket, as Scapy's."""

    def __init__(self, sniffer: Any, sockets: dict[VnicSocket, Any], options: Any) -> None:
        self._sniffer = sniffer
        self._first = next(iter(sockets))
        self._prn = options.get("prn")
        self._lfilter = options.get("lfilter")
        self._stop_filter = options.get("stop_filter")
        self._store = options.get("store", True)
        self._most = options.get("count", 0)
        session = options.get("session") or DefaultSession
        self._session = session if isinstance(session, DefaultSession) else session()
        self._packets: list[Any] = []
        self._heard_ns = self._first.now_ns
        self._joined = False
        self._ends = [socket.listen(_Ear(self, socket, label)) for socket, label in sockets.items()]
        started = options.get("started_callback")
        if started:
            started()

    def hear(self, socket: VnicSocket, label: Any, packet: Any) -> None:
        """A frame arrived."""
        self._heard_ns = socket.now_ns
        with clock_of(socket):
            for whole in self._session.recv(_Handed(packet)):
                whole.sniffed_on = label
                if not self._lfilter or self._lfilter(whole):
                    self._take(whole)
                if not self._sniffer.running:
                    return

    def _take(self, packet: Any) -> None:
        self._sniffer.count += 1
        if self._store:
            self._packets.append(packet)
        if self._prn:
            shown = self._prn(packet)
            if shown is not None:
                sys.stdout.write(f"{shown}\n")
        full = 0 < self._most <= self._sniffer.count
        if (self._stop_filter and self._stop_filter(packet)) or full:
            self.end()

    def end(self) -> None:
        """Hear no more, and hand over the results; harmless when ended."""
        for end_listening in self._ends:
            end_listening()
        self._ends.clear()
        self._sniffer.running = False
        self._sniffer.results = PacketList(self._packets, "Sniffed")
        if self._joined:
            self._first.scheduler.stop()

    def join(self, timeout: float | None) -> None:
        """Run the lab until the sniffer has ended, or for ``timeout`` seconds."""
        self._joined = True
        scheduler = self._first.scheduler
        try:
            if timeout is not None:
                end_ns = scheduler.now_ns + ns_of(timeout)
                while self._sniffer.running and scheduler.now_ns < end_ns:
                    scheduler.run(end_ns)
                return
            self._heard_ns = scheduler.now_ns
            while self._sniffer.running:
                if scheduler.now_ns >= self._heard_ns + PATIENCE_NS:
                    self.end()
                    return
                scheduler.run(self._heard_ns + PATIENCE_NS)
        finally:
            self._joined = False


class _Ear:
    """The callback of one socket."""

    __slots__ = ("_label", "_sniffer", "_socket")

    def __init__(self, sniffer: BackgroundSniffer, socket: VnicSocket, label: Any) -> None:
        self._sniffer = sniffer
        self._socket = socket
        self._label = label

    def __call__(self, packet: Any) -> None:
        self._sniffer.hear(self._socket, self._label, packet)


class _Handed:
    """A socket with one packet in it, for a session to read from."""

    def __init__(self, packet: Any) -> None:
        self._packet = packet

    def recv(self, *_arguments: Any, **_options: Any) -> Any:
        packet, self._packet = self._packet, None
        return packet
