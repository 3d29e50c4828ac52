"""The DHCP client as a program of a machine: its sockets, its alarm, its log.

As long as it has no address it speaks past the IP stack, by a packet socket: its frames have a TTL
of 128 and a type of service of their own, and the stack does not see the answers. Leases are
renewed by a UDP socket.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from vnet.base.ids import IPV4_BROADCAST, MAC_BROADCAST, IpAddress
from vnet.linux.netns.changes import Change, LinkChange
from vnet.linux.services.daemon_log import DaemonLog
from vnet.linux.services.dhcp_client.client import DhcpClient, Reason, State
from vnet.linux.services.dhcp_client.lease import ClientLease
from vnet.linux.services.dhcp_client.script import LeaseScript
from vnet.linux.services.dhcp_client.settings import ClientSettings
from vnet.linux.services.dhcp_server import drops
from vnet.sim.frame import Frame
from vnet.sim.scheduler import Timer
from vnet.wire import dhcp, ipv4, udp
from vnet.wire.dhcp import Dhcp
from vnet.wire.ether import HEADER_BYTES, TYPE_IPV4
from vnet.wire.ether import frame as ether_frame

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.sockets.udp import UdpSocket

_IPV4 = TYPE_IPV4.to_bytes(2, "big")
_PLAIN = b"\x45"
_PORT_AT = HEADER_BYTES + ipv4.HEADER_BYTES + 2
_PORT = dhcp.CLIENT_PORT.to_bytes(2, "big")
_TTL = 128
_LOW_DELAY = 0x10
_SCRIPT_STARTS_NS = 10_000_000
_LISTENING = frozenset((State.REBOOTING, State.SELECTING, State.REQUESTING, State.RENEWING))


class DhcpClientDaemon:
    """The client of one interface, with whose device it ends. ``listeners`` are told whenever its
    state has changed.

    ``sent`` and ``heard`` count messages by their names.
    """

    def __init__(self, interface: Interface, settings: ClientSettings, epoch_ns: int) -> None:
        namespace = interface.namespace
        self.interface = interface
        self.listeners: list[Callable[[], None]] = []
        self.sent: Counter[str] = Counter()
        self.heard: Counter[str] = Counter()
        self.log_lines = DaemonLog(namespace.scheduler)
        self._epoch_ns = epoch_ns
        self._scheduler = namespace.scheduler
        self._script = LeaseScript(interface)
        self._socket: UdpSocket | None = None
        name = interface.device.name
        chance = namespace.chance.stream(f"{namespace.name}:{name} dhcp client")
        self.client = DhcpClient(self, name, interface.device.mac, settings, chance)
        self.client.state_changed = self._state_changed
        self._timer = Timer(self._scheduler, self.client.woken)
        namespace.listeners.append(self._heard_of)

    @property
    def lease(self) -> ClientLease | None:
        """What the machine has been lent, or remembers."""
        return self.client.active

    @property
    def is_bound(self) -> bool:
        return self.client.state in (State.BOUND, State.RENEWING)

    @property
    def is_running(self) -> bool:
        return self.client.state is not State.STOPPED

    def start(self) -> None:
        """Begin, or begin anew with the lease that is remembered; who sleeps is woken."""
        if self.client.state in (State.STOPPED, State.INIT):
            self.client.start()

    def renew(self) -> None:
        """Ask for more time now."""
        self.client.renew()

    def release(self) -> None:
        """Give the address back, and stop."""
        self._open()
        self.client.release()

    def stop(self) -> None:
        """End without a word."""
        self.client.stop()

    # -- what the client wants of its machine

    def now_ns(self) -> int:
        return self._epoch_ns + self._scheduler.now_ns

    def wake_at(self, time_ns: int | None) -> None:
        if time_ns is None:
            self._timer.cancel()
        else:
            self._timer.arm(max(0, time_ns - self.now_ns()))

    def log(self, text: str) -> None:
        self.log_lines.write(text)

    def configure(self, reason: Reason, old: ClientLease | None, new: ClientLease | None) -> bool:
        if reason is Reason.RELEASE:
            # A shell has to be started first, and the message may wait for an answer to ARP.
            self._scheduler.after(_SCRIPT_STARTS_NS, self._script.run, reason, old, new)
        else:
            self._script.run(reason, old, new)
        return True

    def send(self, message: Dhcp, source: IpAddress, target: IpAddress) -> None:
        self.sent[message.type_name] += 1
        data = dhcp.emit(message)
        if target == IPV4_BROADCAST:
            return self._send_past_the_stack(data, source)
        return self._open().send_to(target, dhcp.SERVER_PORT, data, source)

    def _send_past_the_stack(self, data: bytes, source: IpAddress) -> None:
        ports = dhcp.CLIENT_PORT, dhcp.SERVER_PORT
        segment = udp.emit(source, IPV4_BROADCAST, *ports, data)
        packet = ipv4.emit(source, IPV4_BROADCAST, ipv4.UDP, segment, ttl=_TTL, tos=_LOW_DELAY)
        device = self.interface.device
        device.transmit(Frame(ether_frame(MAC_BROADCAST, device.mac, TYPE_IPV4, packet)))

    def _open(self) -> UdpSocket:
        """The UDP socket; what comes in by it is not looked at, for the packet socket has it."""
        if self._socket is None:
            self._socket = self.interface.namespace.sockets.open_udp(
                lambda _socket, _datagram: None, dhcp.CLIENT_PORT, device=self.interface
            )
        return self._socket

    # -- what comes in

    def _heard_of(self, change: Change) -> None:
        device = self.interface.device
        is_gone = isinstance(change, LinkChange) and change.deleted and change.device is device
        if is_gone and self.is_running:
            self.log(f"receive_packet failed on {device.name}: Network is down")
            self.stop()

    def _state_changed(self) -> None:
        state = self.client.state
        self.interface.tap = self._take if state in _LISTENING else None
        if state is State.STOPPED:
            if self._socket is not None:
                self._socket.close()
                self._socket = None
        else:
            self._open()
        for listener in tuple(self.listeners):
            listener()

    def _take(self, frame: Frame) -> bool:
        """Whether a frame is for a DHCP client, and so for nobody else here."""
        data = frame.data
        device = self.interface.device
        if (
            data[HEADER_BYTES : HEADER_BYTES + 1] == _PLAIN
            and data[_PORT_AT : _PORT_AT + 2] != _PORT
        ):
            return False  # As nearly every frame, where many ask at a time.
        if data[12:14] != _IPV4 or not (data[0] & 1 or data[0:6] == device.mac):
            return False
        header = ipv4.parse(data[HEADER_BYTES:])
        if header is None or header.protocol != ipv4.UDP or header.is_fragment:
            return False
        datagram = udp.parse(header.payload)
        if datagram is None or datagram.target_port != dhcp.CLIENT_PORT:
            return False
        if not udp.checksum_holds(header.source, header.target, header.payload):
            return False
        message = dhcp.parse(datagram.payload)
        if message is None or not message.whole:
            device.drop(frame, drops.MALFORMED)
            return True
        self.heard[message.type_name] += 1
        # Not within the event that brought it: the client is another program.
        self._scheduler.after(0, self.client.heard, message, IpAddress(header.source))
        return True
