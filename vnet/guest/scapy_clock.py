"""Scapy's own waiting, done in virtual time.

Scapy measures timeouts with the ``time`` module, waits in ``select`` and sends from helper
threads. None of that may reach a lab: its time is virtual, and two threads would make it a
matter of luck. So, once, when the first vNIC is made, four seams of Scapy are wrapped:

* ``AsyncSniffer._run`` and ``Automaton._do_control`` run under the lab's clock when their
  socket is a vNIC; ``time`` in their modules is then the lab's.
* ``SndRcvHandler`` sends from the calling thread, and completes packets from the guest.
* ``AsyncSniffer.start`` on a vNIC subscribes to its frames instead of starting a thread.

Sockets that are not vNICs take Scapy's own road, untouched.
"""

from __future__ import annotations

import functools
import select
import threading
import time as wall_time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import scapy.automaton
import scapy.sendrecv
from scapy.base_classes import SetGen
from scapy.sessions import DefaultSession

from vnet.base.errors import UsageError

if TYPE_CHECKING:
    from vnet.guest.vnic import VnicSocket

_NS_PER_S = 1_000_000_000


class _CurrentSocket(threading.local):
    """The vNIC whose lab gives this thread its time; None outside the wrapped calls."""

    value: VnicSocket | None = None


_current = _CurrentSocket()


@contextmanager
def _clock_of(socket: VnicSocket) -> Iterator[None]:
    before, _current.value = _current.value, socket
    try:
        yield
    finally:
        _current.value = before


class _LabTime:
    """Stands in for the module ``time`` in Scapy's modules; real where no lab is in charge."""

    @staticmethod
    def time() -> float:
        socket = _current.value
        return wall_time.time() if socket is None else socket.time_s

    @staticmethod
    def monotonic() -> float:
        socket = _current.value
        return wall_time.monotonic() if socket is None else socket.time_s

    @staticmethod
    def sleep(seconds: float) -> None:
        socket = _current.value
        if socket is None:
            wall_time.sleep(seconds)
        elif seconds > 0:
            socket.run_for(round(seconds * _NS_PER_S))

    def __getattr__(self, name: str) -> Any:
        return getattr(wall_time, name)


def _vnics_among(opened: Any) -> list[VnicSocket]:
    from vnet.guest.vnic import VnicSocket

    candidates = opened if isinstance(opened, (list, tuple, dict)) else [opened]
    return [socket for socket in candidates if isinstance(socket, VnicSocket)]


def in_charge(socket: VnicSocket) -> bool:
    """Whether this thread is inside one of Scapy's functions on ``socket``."""
    return _current.value is socket


def readable_pipes(objects: list[Any]) -> list[Any]:
    """Those of Scapy's control pipes that have something to read, without waiting."""
    return select.select(objects, [], [], 0)[0] if objects else []


def _wrap_run(original: Any) -> Any:
    @functools.wraps(original)
    def _run(self: Any, *args: Any, **kwargs: Any) -> Any:
        vnics = _vnics_among(kwargs.get("opened_socket"))
        if not vnics:
            return original(self, *args, **kwargs)
        for vnic in vnics:
            vnic.skip_to_now()
        with _clock_of(vnics[0]):
            return original(self, *args, **kwargs)

    return _run


def _wrap_sndrcv(original: Any) -> Any:
    @functools.wraps(original)
    def __init__(self: Any, pks: Any, pkt: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        vnics = _vnics_among(pks)
        if not vnics:
            original(self, pks, pkt, *args, **kwargs)
            return
        if kwargs.get("_flood") is not None:
            raise UsageError("srflood needs real time and does not work on a vNIC")
        kwargs["threaded"] = False
        packets = [vnics[0].complete(one) for one in SetGen(pkt)]
        with _clock_of(vnics[0]):
            original(self, pks, packets, *args, **kwargs)

    return __init__


class _Subscription:
    """An AsyncSniffer on vNICs: called for each frame, in the frame's own event."""

    def __init__(self, sniffer: Any, vnics: list[VnicSocket]) -> None:
        self._sniffer = sniffer
        self._vnics = vnics
        options = dict(sniffer.kwargs)
        self._prn = options.get("prn")
        self._lfilter = options.get("lfilter")
        self._stop_filter = options.get("stop_filter")
        self._store = options.get("store", True)
        self._most = options.get("count", 0)
        self._packets: list[Any] = []
        session = options.get("session") or DefaultSession
        self._session = session if isinstance(session, DefaultSession) else session()
        for vnic in vnics:
            vnic.listeners.append(self._hear)

    def _hear(self, vnic: VnicSocket, packet: Any) -> None:
        packet = self._session.process(packet)
        if packet is None or (self._lfilter and not self._lfilter(packet)):
            return
        packet.sniffed_on = vnic
        self._sniffer.count += 1
        if self._store:
            self._packets.append(packet)
        if self._prn:
            with _clock_of(vnic):
                self._prn(packet)
        full = 0 < self._most <= self._sniffer.count
        if full or (self._stop_filter and self._stop_filter(packet)):
            self.end()

    def end(self) -> None:
        for vnic in self._vnics:
            if self._hear in vnic.listeners:
                vnic.listeners.remove(self._hear)
        self._sniffer.running = False
        self._sniffer.results = scapy.sendrecv.PacketList(self._packets, "Sniffed")

    def join(self, timeout: float | None) -> None:
        if timeout is None:
            raise UsageError(
                "join() without a timeout would wait for ever", "say join(timeout=SECONDS)"
            )
        vnic = self._vnics[0]
        end_ns = vnic.now_ns + round(timeout * _NS_PER_S)
        while self._sniffer.running and vnic.now_ns < end_ns:
            vnic.run_for(end_ns - vnic.now_ns)


def _wrap_start(original: Any) -> Any:
    @functools.wraps(original)
    def start(self: Any) -> None:
        vnics = _vnics_among(self.kwargs.get("opened_socket"))
        if not vnics:
            original(self)
            return
        self.running, self.count = True, 0
        self.vnet_subscription = _Subscription(self, vnics)

    return start


def _wrap_stop(original: Any) -> Any:
    @functools.wraps(original)
    def stop(self: Any, join: bool = True) -> Any:
        subscription = getattr(self, "vnet_subscription", None)
        if subscription is None:
            return original(self, join)
        subscription.end()
        return self.results

    return stop


def _wrap_join(original: Any) -> Any:
    @functools.wraps(original)
    def join(self: Any, timeout: float | None = None) -> Any:
        subscription = getattr(self, "vnet_subscription", None)
        if subscription is None:
            return original(self, timeout)
        return subscription.join(timeout)

    return join


def _wrap_control(original: Any) -> Any:
    @functools.wraps(original)
    def _do_control(self: Any, *args: Any, **kwargs: Any) -> Any:
        vnics = _vnics_among(self.sock)
        if not vnics:
            return original(self, *args, **kwargs)
        vnics[0].skip_to_now()
        with _clock_of(vnics[0]):
            return original(self, *args, **kwargs)

    return _do_control


def _wrap_select_objects(original: Any) -> Any:
    @functools.wraps(original)
    def select_objects(inputs: Any, remain: float | None) -> Any:
        socket = _current.value
        if socket is None or remain == 0:
            return original(inputs, remain)
        ready = readable_pipes(list(inputs))
        if not ready and remain is not None:
            socket.run_for(round(remain * _NS_PER_S))
        # With nothing but commands to wait for, the wait is for a person: real time.
        return ready if remain is not None or ready else original(inputs, remain)

    return select_objects


@functools.cache
def install() -> None:
    """Wrap Scapy's seams. Done once for the process, whoever asks first."""
    lab_time = _LabTime()
    scapy.sendrecv.time = lab_time
    scapy.automaton.time = lab_time
    scapy.automaton.select_objects = _wrap_select_objects(scapy.automaton.select_objects)
    sniffer = scapy.sendrecv.AsyncSniffer
    sniffer._run = _wrap_run(sniffer._run)
    sniffer.start = _wrap_start(sniffer.start)
    sniffer.stop = _wrap_stop(sniffer.stop)
    sniffer.join = _wrap_join(sniffer.join)
    handler = scapy.sendrecv.SndRcvHandler
    handler.__init__ = _wrap_sndrcv(handler.__init__)
    automaton = scapy.automaton.Automaton
    automaton._do_control = _wrap_control(automaton._do_control)
