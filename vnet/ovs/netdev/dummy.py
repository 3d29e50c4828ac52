"""Dummy devices, for tests: frames come from and go to wherever a test wants.

Open vSwitch's ``netdev-dummy``: types ``dummy``, ``dummy-internal`` and ``dummy-pmd``. What
reads and writes files and sockets for their options is in :mod:`vnet.live.devices`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from vnet.base.ids import IpAddress, Mac
from vnet.netdev.device import NetDevice
from vnet.netdev.route_source import HostAddress
from vnet.sim.frame import Frame
from vnet.sim.scheduler import Scheduler
from vnet.wire import arp, ether

FrameSink = Callable[[bytes], None]

_SHOWN_OPTIONS = ("ifindex", "pstream")

_IPV4_BYTES = 4
_IPV6_BYTES = 16
_TAG_BYTES = 4


class DummyDevice(NetDevice):
    """A device without a wire. As with Open vSwitch's, frames pass whether or not it is up.

    ``netdev_type`` is the type of the device. Each of ``outlets`` takes what is sent, and
    ``heard`` what is received, before anybody else. ``n_rx_queues`` and ``n_tx_queues`` are those
    of ``dummy-pmd``; the others have one of each. ``connection_state`` is that of the stream behind
    it, ``connected`` or ``disconnected``, None where there is none (``netdev-dummy/conn-state``);
    ``options`` are the interface's.
    """

    kind = "dummy"

    __slots__ = (
        "_ipv4",
        "_ipv6",
        "_later_queues",
        "connection_state",
        "heard",
        "n_rx_queues",
        "n_tx_queues",
        "netdev_type",
        "options",
        "outlets",
    )

    def __init__(
        self,
        scheduler: Scheduler,
        name: str,
        mac: Mac,
        mtu_bytes: int = 1500,
        owner: str = "",
        netdev_type: str = "dummy",
    ) -> None:
        super().__init__(scheduler, name, mac, mtu_bytes, owner)
        self.netdev_type = netdev_type
        self.outlets: tuple[FrameSink, ...] = ()
        self.heard: FrameSink | None = None
        self.n_rx_queues = 1
        self.n_tx_queues = 1
        self.connection_state: str | None = None
        self.options: Mapping[str, str] = {}
        self._later_queues: dict[int, tuple[int, int]] = {}
        self._ipv4: HostAddress | None = None
        self._ipv6: HostAddress | None = None
        self.set_admin(True)

    # -- frames

    def deliver(self, data: bytes, queue: int = 0) -> None:
        """Have the device receive a frame by one of its queues (``netdev-dummy/receive``)."""
        if self.heard is not None:
            self.heard(data)
        if queue:
            packets, size = self._later_queues.get(queue, (0, 0))
            self._later_queues[queue] = packets + 1, size + len(data)
        self.receive(Frame(data))

    def receive(self, frame: Frame) -> None:
        if self.running:
            return super().receive(frame)
        self.rx_packets += 1
        self.rx_bytes += len(frame.data)
        return self.rx_handler(frame)

    def transmit(self, frame: Frame, queue: int = 0) -> None:
        if self.running:
            return super().transmit(frame, queue)
        self.tx_packets += 1
        self.tx_bytes += len(frame.data)
        return self._xmit(frame)

    def _xmit(self, frame: Frame) -> None:
        data = frame.data
        for outlet in self.outlets:
            outlet(data)
        if self._ipv4 is not None:
            self._answer(data, self._ipv4.ip)

    # -- addresses

    @property
    def addresses(self) -> tuple[HostAddress, ...]:
        """At most one of IPv4 and one of IPv6."""
        return tuple(each for each in (self._ipv4, self._ipv6) if each is not None)

    def set_address(self, address: HostAddress) -> None:
        """Give it an address, in place of the one of that kind that it had
        (``netdev-dummy/ip4addr``, ``ip6addr``); all zeros take it away."""
        given = address if any(address.ip) else None
        if len(address.ip) == _IPV4_BYTES:
            self._ipv4 = given
        else:
            assert len(address.ip) == _IPV6_BYTES, address
            self._ipv6 = given

    def _answer(self, data: bytes, own: IpAddress) -> None:
        """Who asks for its IPv4 address is answered, as if somebody stood behind it."""
        offset = ether.HEADER_BYTES
        ether_type = ether.type_of(data)
        if ether_type in (ether.TYPE_VLAN, ether.TYPE_QINQ):
            offset += _TAG_BYTES
            ether_type = ether.type_of(data[_TAG_BYTES:])
        asked = arp.parse(data, offset) if ether_type == ether.TYPE_ARP else None
        if asked is None or asked.operation != arp.REQUEST or asked.target_ip != own:
            return
        sender = data[6:12]
        reply = arp.emit(arp.Arp(arp.REPLY, self.mac, own, sender, asked.sender_ip))
        frame = ether.frame(sender, self.mac, ether.TYPE_ARP, reply)
        self.scheduler.at(self.scheduler.now_ns, self.deliver, frame)

    @property
    def settings(self) -> Mapping[str, str]:
        shown = {name: self.options[name] for name in _SHOWN_OPTIONS if name in self.options}
        if self.netdev_type == "dummy-pmd":
            for verb in ("configured", "requested"):
                shown[f"{verb}_rx_queues"] = str(self.n_rx_queues)
                shown[f"{verb}_tx_queues"] = str(self.n_tx_queues)
        return shown

    # -- queues and counters

    def set_queues(self, n_rx: int, n_tx: int) -> None:
        """Give it other queues; all counters start anew if they differ."""
        if (n_rx, n_tx) == (self.n_rx_queues, self.n_tx_queues):
            return
        self.n_rx_queues, self.n_tx_queues = n_rx, n_tx
        self._later_queues.clear()
        self.rx_packets = self.rx_bytes = self.tx_packets = self.tx_bytes = 0

    def custom_statistics(self) -> dict[str, int]:
        """The counters that other devices lack, by the names in ``Interface:statistics``."""
        later = self._later_queues
        first_packets = self.rx_packets - sum(packets for packets, _ in later.values())
        first_bytes = self.rx_bytes - sum(size for _, size in later.values())
        counters = {
            "rx_custom_packets_1": self.rx_packets,
            "rx_custom_packets_2": self.rx_packets,
        }
        for queue in range(self.n_rx_queues):
            packets, size = later.get(queue, (0, 0)) if queue else (first_packets, first_bytes)
            counters[f"rx_q{queue}_bytes"], counters[f"rx_q{queue}_packets"] = size, packets
        for queue in range(self.n_tx_queues):
            packets, size = (0, 0) if queue else (self.tx_packets, self.tx_bytes)
            counters[f"tx_q{queue}_bytes"], counters[f"tx_q{queue}_packets"] = size, packets
        return counters
