"""Scapy's own waiting, done in virtual time.

Scapy measures timeouts with the ``time`` module, waits in ``select`` and sends from helper
threads. None of that may reach a lab: its time is virtual, and two threads would make it a
matter of luck. So, once, when the first vNIC is made, some seams of Scapy are wrapped:

* What sends, waits or loops (``AsyncSniffer._run``, ``Automaton._do_control``, the loops of
  ``sendp`` and ``srploop``) runs under the lab's clock when its socket or interface is a
  vNIC's; ``time`` in those modules is then the lab's.
* ``SndRcvHandler`` sends from the calling thread, and completes packets from the guest.
* ``AsyncSniffer.start`` on a vNIC subscribes to its frames instead of starting a thread.
* What asks this computer's routing table asks the guest's (:mod:`~vnet.guest.scapy_routes`).

Sockets that are not vNICs take Scapy's own road, untouched.
"""

from __future__ import annotations

import functools
import select
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import scapy.automaton
import scapy.sendrecv
from scapy.base_classes import SetGen
from scapy.error import Scapy_Exception
from scapy.layers.inet6 import IPv6
from scapy.packet import Packet

from vnet.base.errors import UsageError
from vnet.guest import scapy_routes
from vnet.guest.background import BackgroundSniffer
from vnet.guest.scapy_time import LabTime, clock_of, current_clock, ns_of

if TYPE_CHECKING:
    from vnet.guest.socket import VnicSocket

_SR_LOOP = "__sr_loop"
"""Named here because two underscores inside a class would be mangled."""


def _vnics_among(opened: Any) -> list[VnicSocket]:
    from vnet.guest.socket import VnicSocket

    candidates = opened if isinstance(opened, (list, tuple, dict)) else [opened]
    return [socket for socket in candidates if isinstance(socket, VnicSocket)]


def _labelled(opened: Any, iface: Any) -> dict[VnicSocket, Any]:
    """The vNICs that a sniffer is asked to listen on, with the labels Scapy gives them."""
    from vnet.guest.socket import VnicSocket
    from vnet.guest.vnic import VnicInterface

    labels: dict[Any, Any] = {}
    if isinstance(opened, dict):
        labels.update(opened)
    elif isinstance(opened, (list, tuple)):
        labels.update({socket: f"socket{number}" for number, socket in enumerate(opened)})
    elif opened is not None:
        labels[opened] = "socket0"
    named = iface if isinstance(iface, dict) else {}
    if isinstance(iface, (list, tuple)):
        named = {one: one for one in iface}
    elif iface is not None and not isinstance(iface, dict):
        named = {iface: iface}
    labels.update(
        (one.vnic if isinstance(one, VnicInterface) else one, label) for one, label in named.items()
    )
    vnics = {socket: label for socket, label in labels.items() if isinstance(socket, VnicSocket)}
    if vnics and len(vnics) < len(labels):
        raise UsageError(
            "a sniffer listens on vNICs or on this computer's interfaces, not on both",
            "start two sniffers",
        )
    return vnics


def in_charge(socket: VnicSocket) -> bool:
    """Whether this thread is inside one of Scapy's functions in the time of ``socket``'s lab."""
    clock = current_clock()
    if clock is None:
        return False
    theirs = _vnics_among(clock)
    return bool(theirs) and theirs[0].scheduler is socket.scheduler


def readable_pipes(objects: list[Any]) -> list[Any]:
    """Those of Scapy's control pipes that have something to read, without waiting."""
    return select.select(objects, [], [], 0)[0] if objects else []


def _wrap_run(original: Any) -> Any:
    @functools.wraps(original)
    def _run(self: Any, *args: Any, **kwargs: Any) -> Any:
        labels = _labelled(kwargs.get("opened_socket"), kwargs.get("iface"))
        if not labels:
            return original(self, *args, **kwargs)
        kwargs |= {"opened_socket": labels, "iface": None}
        with ExitStack() as stack:
            for vnic in labels:
                vnic.skip_to_now()
                stack.enter_context(vnic.log.kept_whole())
            stack.enter_context(clock_of(next(iter(labels))))
            return original(self, *args, **kwargs)

    return _run


def _wrap_sndrcv(original: Any) -> Any:
    @functools.wraps(original)
    def __init__(self: Any, pks: Any, pkt: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        vnics = _vnics_among(pks) or _vnics_among(kwargs.get("rcv_pks"))
        if not vnics:
            original(self, pks, pkt, *args, **kwargs)
            return
        if kwargs.get("_flood") is not None:
            raise UsageError("srflood needs real time and does not work on a vNIC")
        packets = [vnics[0].complete(one) for one in SetGen(pkt)]
        # Without chainEX Scapy would log what goes wrong in the lab, and go on.
        kwargs = {"chainEX": True} | kwargs | {"threaded": False}
        with clock_of(vnics[0]):
            original(self, _facing(pks, packets), packets, *args, **kwargs)
        for packet in packets:
            vnics[0].settle(packet)
        if isinstance(pkt, Packet) and packets:
            pkt.sent_time = packets[-1].sent_time

    return __init__


def _facing(socket: Any, packets: list[Any]) -> Any:
    """The side of a vNIC that sees answers as the packets are: with Ethernet or without."""
    return socket.face_for(packets) if _vnics_among(socket) else socket


def _wrap_start(original: Any) -> Any:
    @functools.wraps(original)
    def start(self: Any) -> None:
        self.vnet_background = None
        labels = _labelled(self.kwargs.get("opened_socket"), self.kwargs.get("iface"))
        if not labels:
            original(self)
            return
        self.running, self.count = True, 0
        self.vnet_background = BackgroundSniffer(self, labels, self.kwargs)

    return start


def _wrap_stop(original: Any) -> Any:
    @functools.wraps(original)
    def stop(self: Any, join: bool = True) -> Any:
        background = getattr(self, "vnet_background", None)
        if background is None:
            return original(self, join)
        if not self.running:
            raise Scapy_Exception("Not running ! (check .running attr)")
        background.end()
        return self.results if join else None

    return stop


def _wrap_join(original: Any) -> Any:
    @functools.wraps(original)
    def join(self: Any, timeout: float | None = None) -> Any:
        background = getattr(self, "vnet_background", None)
        if background is None:
            return original(self, timeout)
        return background.join(timeout)

    return join


def _wrap_loop(original: Any) -> Any:
    @functools.wraps(original)
    def loop(*args: Any, **kwargs: Any) -> Any:
        vnics = _vnics_in(kwargs)
        if not vnics:
            return original(*args, **kwargs)
        with clock_of(vnics[0]):
            return original(*args, **kwargs)

    return loop


def _vnics_in(options: Any) -> list[VnicSocket]:
    from vnet.guest.vnic import VnicInterface

    iface = options.get("iface")
    named = [iface.vnic] if isinstance(iface, VnicInterface) else []
    return _vnics_among(options.get("socket")) or named


def _wrap_gen_send(original: Any) -> Any:
    @functools.wraps(original)
    def _send(x: Any, _func: Any, *args: Any, **kwargs: Any) -> Any:
        vnics = _vnics_in(kwargs)
        if not vnics:
            return original(x, _func, *args, **kwargs)
        # A socket was given, and Scapy would still look for this computer's interface.
        kwargs.setdefault("iface", vnics[0].iface)
        with clock_of(vnics[0]):
            return original(x, _func, *args, **kwargs)

    return _send


def _wrap_interface_selection(original: Any) -> Any:
    @functools.wraps(original)
    def _interface_selection(packet: Any, iface: Any = None) -> Any:
        from vnet.guest.vnic import VnicInterface

        if not isinstance(iface, VnicInterface):
            return original(packet, iface)
        return iface, isinstance(packet, IPv6)

    return _interface_selection


def _wrap_control(original: Any) -> Any:
    @functools.wraps(original)
    def _do_control(self: Any, *args: Any, **kwargs: Any) -> Any:
        vnics = _vnics_among(self.sock)
        if not vnics:
            return original(self, *args, **kwargs)
        vnics[0].skip_to_now()
        with clock_of(vnics[0]), vnics[0].log.kept_whole():
            return original(self, *args, **kwargs)

    return _do_control


def _wrap_automaton_run(original: Any) -> Any:
    @functools.wraps(original)
    def run(self: Any, resume: Any = None, wait: Any = True) -> Any:
        if not wait and _vnics_among(self.sock):
            raise UsageError(
                "an automaton on a vNIC cannot run in the background: two threads would run "
                "the lab at once",
                "call run(), or answer from an AnsweringMachine's bg()",
            )
        return original(self, resume, wait)

    return run


def _wrap_select_objects(original: Any) -> Any:
    @functools.wraps(original)
    def select_objects(inputs: Any, remain: float | None) -> Any:
        clock = current_clock()
        if clock is None or remain is None or remain == 0:
            # With nothing but commands to wait for, the wait is for a person: real time.
            return original(inputs, remain)
        ready = readable_pipes(list(inputs))
        if not ready:
            clock.run_for(ns_of(remain))
        return ready

    return select_objects


@functools.cache
def install() -> None:
    """Wrap Scapy's seams. Done once for the process, whoever asks first."""
    scapy_routes.install()
    lab_time = LabTime()
    sendrecv, automata = scapy.sendrecv, scapy.automaton
    sendrecv.time = lab_time
    automata.time = lab_time
    automata.select_objects = _wrap_select_objects(automata.select_objects)
    sniffer = sendrecv.AsyncSniffer
    sniffer._run = _wrap_run(sniffer._run)
    sniffer.start = _wrap_start(sniffer.start)
    sniffer.stop = _wrap_stop(sniffer.stop)
    sniffer.join = _wrap_join(sniffer.join)
    handler = sendrecv.SndRcvHandler
    handler.__init__ = _wrap_sndrcv(handler.__init__)
    sendrecv._send = _wrap_gen_send(sendrecv._send)
    sendrecv._interface_selection = _wrap_interface_selection(sendrecv._interface_selection)
    setattr(sendrecv, _SR_LOOP, _wrap_loop(getattr(sendrecv, _SR_LOOP)))
    automaton = automata.Automaton
    automaton._do_control = _wrap_control(automaton._do_control)
    automaton.run = _wrap_automaton_run(automaton.run)
