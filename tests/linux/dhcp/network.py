"""A bridge that serves addresses, and guests that ask for them; what every guest's card saw."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from vnet import Lab
from vnet.base.ids import ip_text
from vnet.linux.services.dhcp_client.daemon import DhcpClientDaemon
from vnet.linux.services.dhcp_server.daemon import DhcpServer
from vnet.linux.services.dhcp_server.leases import LeaseTable
from vnet.netdev.device import NetDevice
from vnet.wire import arp, dhcp, ipv4, udp
from vnet.wire.dhcp import Dhcp

MS = 1_000_000
S = 1_000_000_000

FILE = """
version: 1
name: lab
epoch: 2026-01-01T00:00:00Z
hosts:
  h1:
    switches:
      virbr0: {{uplink: none, ip: 192.168.122.1/24, dhcp: {serving}}}
vms:
{guests}
"""
GUEST = "  g{n}: {{host: h1, vnics: [{{mac: '02:00:00:00:00:{n:02x}', ip: {ip}}}]}}"


@dataclass
class Seen:
    """A frame at a guest's card."""

    time_ns: int
    data: bytes
    outbound: bool

    @property
    def packet(self) -> ipv4.Ipv4:
        found = ipv4.parse(self.data[14:])
        assert found is not None
        return found


class Message(NamedTuple):
    """A DHCP message at a guest's card, and the packet that carried it."""

    seen: Seen
    message: Dhcp

    @property
    def kind(self) -> str:
        return self.message.type_name.removeprefix("DHCP")


class Sniffer:
    """Keeps the frames of a card."""

    def __init__(self) -> None:
        self.frames: list[Seen] = []

    def capture(self, time_ns: int, data: bytes, outbound: bool) -> None:
        self.frames.append(Seen(time_ns, data, outbound))

    def note_drop(self, *_what: object) -> None:
        """Drops are counted elsewhere."""


class Network:
    """A lab in which the guests' clients are started by hand, unless they ask from the start."""

    def __init__(
        self, folder: Path, serving: str = "true", guests: int = 1, *, ip: str = "[]"
    ) -> None:
        path = folder / "lab.yaml"
        lines = "\n".join(GUEST.format(n=number, ip=ip) for number in range(1, guests + 1))
        path.write_text(FILE.format(serving=serving, guests=lines))
        self.lab = Lab.load(path)
        self.sniffers = {name: Sniffer() for name in self.lab.network.vms}
        for name, sniffer in self.sniffers.items():
            self.card(name).add_sniffer(sniffer)

    def card(self, guest: str) -> NetDevice:
        """The device behind a guest's eth0."""
        return self.lab.network.vms[guest].vnics[0].interface.device

    @property
    def server(self) -> DhcpServer:
        servers = self.lab.network.hosts["h1"].namespace.dhcp_servers
        return next(iter(servers.values()))

    @property
    def leases(self) -> LeaseTable:
        return self.server.leases

    def client(self, guest: str = "g1") -> DhcpClientDaemon:
        return self.lab.network.vms[guest].dhcp_client("eth0")

    def start(self, guest: str = "g1", wait: str = "4s") -> DhcpClientDaemon:
        """Have a guest ask, and wait until it has got something."""
        client = self.client(guest)
        client.start()
        self.lab.advance(wait)
        return client

    def addresses(self, guest: str = "g1") -> list[str]:
        return [ip_text(ip) for ip in self.lab.network.vms[guest].addresses]

    def log(self) -> list[str]:
        return [text for _time, text in self.server.log]

    def messages(self, guest: str = "g1", since_ns: int = 0) -> list[Message]:
        """The DHCP messages that its card saw."""
        return [m for m in self._messages(guest) if m.seen.time_ns >= since_ns]

    def kinds(self, guest: str = "g1", since_ns: int = 0) -> list[str]:
        return [message.kind for message in self.messages(guest, since_ns)]

    def _messages(self, guest: str) -> Iterator[Message]:
        for seen in self.sniffers[guest].frames:
            packet = ipv4.parse(seen.data[14:]) if seen.data[12:14] == b"\x08\0" else None
            if packet is None or packet.protocol != ipv4.UDP:
                continue
            datagram = udp.parse(packet.payload)
            if datagram is None or datagram.target_port not in (67, 68):
                continue
            message = dhcp.parse(datagram.payload)
            if message is not None:
                yield Message(seen, message)

    def requests(self, guest: str = "g1") -> list[tuple[int, str]]:
        """When who was asked for by ARP, as the guest's card saw it: milliseconds and address."""
        found = []
        for seen in self.sniffers[guest].frames:
            if seen.data[12:14] == b"\x08\x06":
                packet = arp.parse(seen.data, 14)
                if packet is not None and packet.operation == arp.REQUEST:
                    found.append((seen.time_ns // MS, ip_text(packet.target_ip)))
        return found
