"""Frames by hand, over packet sockets: arping, and what a scenario sends."""

from __future__ import annotations

import socket
from typing import Any

from vnet.base.errors import VnetError
from vnet.base.ids import IPV4_ANY, MAC_BROADCAST, Mac, mac_text
from vnet.guest.apps.app import App, Pacer
from vnet.live.kernel.machine import LiveMachine
from vnet.topology.steps import ArpingStep, SendStep
from vnet.wire import arp
from vnet.wire.arp import Arp
from vnet.wire.ether import HEADER_BYTES, TYPE_ARP
from vnet.wire.ether import frame as ether_frame

_ETH_P_ARP = 0x0806
_REQUEST, _REPLY = 1, 2
_ROOM_BYTES = 1 << 12
_OUTGOING = 4
_ARRIVAL_NS = 20_000_000


class LiveSend(App):
    """Sends ``data`` as ``step`` says: a frame by the step's own device, or with a ``target`` an
    IP packet, whose way and neighbour the kernel knows or finds out."""

    def __init__(self, machine: LiveMachine, data: bytes, step: SendStep, target: str = "") -> None:
        super().__init__(machine.clock)
        self.sent = 0
        self._data = data
        self._target = target
        if target:
            family = socket.AF_INET6 if data[0] >> 4 == 6 else socket.AF_INET
            self._socket = machine.open_socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
        else:
            self._socket = _packet_socket(machine, step.device)
        self._pacer = Pacer(
            self.scheduler, step.count, step.interval_ns, self._send, self._last_sent
        )

    def start(self) -> None:
        self._pacer.tick()

    def seen(self) -> dict[str, Any]:
        return {"sent": self.sent}

    def close(self) -> None:
        self._pacer.stopped = True
        self._socket.close()

    def _send(self, _number: int) -> None:
        if self._target:
            self._socket.sendto(self._data, (self._target, 0))
        else:
            self._socket.send(self._data)
        self.sent += 1

    def _last_sent(self) -> None:
        # A moment for the frame to get to wherever it is waited for.
        self.scheduler.after(_ARRIVAL_NS, self.finish)


def _packet_socket(machine: LiveMachine, device: str) -> socket.socket:
    made = machine.open_socket(socket.AF_PACKET, socket.SOCK_RAW)
    try:
        made.bind((device, 0))
    except OSError as error:
        made.close()
        raise VnetError(f"{machine.node}:{device}: {error.strerror}") from None
    return made


class LiveArping(App):
    """Asks for ``target`` as ``step`` says; see :class:`~vnet.guest.apps.arping.Arping`."""

    def __init__(self, machine: LiveMachine, target: bytes, step: ArpingStep) -> None:
        super().__init__(machine.clock)
        self.sent = 0
        self.received = 0
        self.mac: Mac | None = None
        self._clock = machine.clock
        self._target = target
        self._step = step
        self._device, source = machine.way_to(target)
        self._own_mac = machine.mac_of(self._device)
        self._source = {"duplicate": IPV4_ANY, "announce": target}.get(step.mode, source)
        self._ask_mac: bytes = MAC_BROADCAST
        self._socket = machine.open_socket(socket.AF_PACKET, socket.SOCK_RAW)
        self._pacer = Pacer(
            self.scheduler, step.count, step.interval_ns, self._ask, self._last_sent
        )

    def start(self) -> None:
        self._socket.bind((self._device, _ETH_P_ARP))
        self._clock.watch(self._socket, self._readable)
        self._pacer.tick()

    def seen(self) -> dict[str, Any]:
        return {
            "sent": self.sent,
            "received": self.received,
            "mac": "" if self.mac is None else mac_text(self.mac),
            "duplicate": self._step.mode == "duplicate" and self.received > 0,
        }

    def close(self) -> None:
        self._pacer.stopped = True
        self._clock.forget(self._socket)
        self._socket.close()

    def _ask(self, _number: int) -> None:
        packet = Arp(_REQUEST, self._own_mac, self._source, self._ask_mac, self._target)
        self._socket.send(ether_frame(self._ask_mac, self._own_mac, TYPE_ARP, arp.emit(packet)))
        self.sent += 1

    def _last_sent(self) -> None:
        self.scheduler.after(self._step.interval_ns, self.finish)

    def _readable(self) -> None:
        while not self.done:
            try:
                data, address = self._socket.recvfrom(_ROOM_BYTES)
            except BlockingIOError:
                return
            packet = None if address[2] == _OUTGOING else arp.parse(data[HEADER_BYTES:])
            if packet is not None and packet.sender_ip == self._target:
                self._heard(packet)

    def _heard(self, packet: Arp) -> None:
        if packet.operation != _REPLY and self._step.mode != "duplicate":
            return
        self.received += 1
        self.mac = Mac(packet.sender_mac)
        if self._step.mode == "duplicate":
            self.scheduler.after(0, self.finish)
        elif self._step.mode == "request":
            self._ask_mac = packet.sender_mac
