"""A machine: a namespace with programs in it. Guests, hosts and routers are machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Unpack

from vnet.base.errors import UsageError, VnetError
from vnet.base.ids import IPV4_ANY, IPV6_ANY, IpAddress, ip_from_text, ip_text, is_link_local_ip6
from vnet.base.text import one_of
from vnet.base.units import NS_PER_S
from vnet.guest.apps.arping import Arping
from vnet.guest.apps.http import PORT as HTTP_PORT
from vnet.guest.apps.http import HttpGet, HttpOptions, HttpServer
from vnet.guest.apps.iperf.client import IperfClient, IperfOptions
from vnet.guest.apps.iperf.messages import PORT as IPERF_PORT
from vnet.guest.apps.iperf.server import IperfServer
from vnet.guest.apps.ping import Ping, PingOptions
from vnet.guest.apps.tcp import TcpClient, TcpOptions, TcpServer
from vnet.guest.apps.tracepath import Tracepath, TracepathOptions
from vnet.guest.apps.traceroute import Traceroute, TracerouteOptions
from vnet.guest.apps.udp import UdpOptions, UdpServer, UdpStream
from vnet.guest.groups import Memberships
from vnet.guest.services import Client, TcpServices
from vnet.guest.vnic import Vnic
from vnet.linux.netns.interface import Interface
from vnet.linux.netns.namespace import Namespace

if TYPE_CHECKING:
    from vnet.guest.apps.dhcp import DhcpRun
    from vnet.guest.apps.dns.dig import Dig, DigOptions
    from vnet.guest.apps.dns.resolve import Resolve
    from vnet.linux.services.dhcp_client.daemon import DhcpClientDaemon

_ITSELF: dict[bytes, bytes] = {IPV4_ANY: b"\x7f\0\0\1", IPV6_ANY: bytes(15) + b"\1"}


class Machine:
    """A node that can run apps. Apps are returned ready to ``start()``."""

    def __init__(self, namespace: Namespace, epoch_ns: int) -> None:
        self.namespace = namespace
        self.epoch_ns = epoch_ns
        self.groups = Memberships(namespace)
        """The multicast groups that its programs are in."""
        self._servers: dict[int, UdpServer] = {}
        self._services = TcpServices(namespace.name)
        self._faces: dict[Interface, Vnic] = {}
        self.dhcp_clients: dict[Interface, DhcpClientDaemon] = {}
        """Those that run, or that remember a lease."""

    @property
    def name(self) -> str:
        return self.namespace.name

    @property
    def addresses(self) -> list[IpAddress]:
        """Its own addresses in order of interfaces, link-local and loopback ones aside."""
        return [
            address.ip
            for interface in self.namespace.interfaces.values()
            if interface is not self.namespace.loopback
            for address in interface.addresses
            if not is_link_local_ip6(address.ip)
        ]

    def vnic(self, name: int | str = 0) -> Vnic:
        """The Scapy face of one of its devices; the same one each time.

        By name, or by number among those that have an address.
        """
        if isinstance(name, int):
            name = self._device_by_number(name)
        interface = self.namespace.interface(name)
        face = self._faces.get(interface)
        if face is None:
            face = self._faces[interface] = Vnic(interface, self.epoch_ns)
        return face

    def _device_by_number(self, number: int) -> str:
        loopback = self.namespace.loopback
        others = [i for i in self.namespace.interfaces.values() if i is not loopback]
        names = [i.device.name for i in others if i.addresses]
        if not 0 <= number < len(names):
            hint = f"name one: {one_of(i.device.name for i in others)}" if others else ""
            what = f"{self.name} has no device number {number} with an address"
            raise UsageError(what, hint)
        return names[number]

    def make_ping(
        self, target: bytes, *, device: str | None = None, **options: Unpack[PingOptions]
    ) -> Ping:
        """ping(8). The address that stands for any is the machine itself."""
        target = _ITSELF.get(target, target)
        out = self._out_for(target, device)
        source = options.get("source")
        if source is not None and not self.namespace.owns(source):
            raise UsageError("ping: bind: Cannot assign requested address")
        return Ping(self.namespace, target, epoch_ns=self.epoch_ns, out=out, **options)

    def make_arping(
        self,
        target: bytes,
        *,
        count: int = 1,
        interval_ns: int = NS_PER_S,
        mode: str = "request",
        device: str | None = None,
    ) -> Arping:
        """arping(8)."""
        out = None if device is None else self.namespace.interface(device)
        return Arping(
            self.namespace, target, count=count, interval_ns=interval_ns, mode=mode, out=out
        )

    def dhcp_client(self, device: str | None = None) -> DhcpClientDaemon:
        """The DHCP client of a device, running or not; the first one's where none is named."""
        name = self._first_device() if device is None else device
        interface = self.namespace.interface(name)
        if interface not in self.dhcp_clients:
            # Machines whose addresses are set by hand do without all that leases them.
            from vnet.linux.services.dhcp_client.daemon import DhcpClientDaemon
            from vnet.linux.services.dhcp_client.settings import ClientSettings

            settings = ClientSettings(self.name)
            client = DhcpClientDaemon(interface, settings, self.epoch_ns)
            self.dhcp_clients[interface] = client
        return self.dhcp_clients[interface]

    def _first_device(self) -> str:
        """The device that has a DHCP client, or else the first that could."""
        loopback = self.namespace.loopback
        own = [i for i in self.namespace.interfaces.values() if i is not loopback]
        asking = [i for i in self.dhcp_clients if i in own]
        for interface in (*asking, *own):
            return interface.device.name
        raise UsageError(f"{self.name} has no device to get an address for")

    def make_dhcp(self, action: str = "start", device: str | None = None) -> DhcpRun:
        """dhclient(8): ``start``, ``renew``, ``release`` or ``reboot``."""
        from vnet.guest.apps.dhcp import DhcpRun  # As in dhcp_client.

        return DhcpRun(self.dhcp_client(device), action)

    def make_udp(self, target: bytes, **options: Unpack[UdpOptions]) -> UdpStream:
        """A stream of datagrams to a port of another machine, which runs ``server`` there."""
        return UdpStream(self.namespace, target, **options)

    def make_traceroute(
        self, target: bytes, name: str = "", **options: Unpack[TracerouteOptions]
    ) -> Traceroute:
        """traceroute(8) to a target that is called ``name``."""
        return Traceroute(self.namespace, target, name or ip_text(target), **options)

    def make_tracepath(self, target: bytes, **options: Unpack[TracepathOptions]) -> Tracepath:
        """tracepath(8)."""
        return Tracepath(self.namespace, target, **options)

    def make_tcp(self, target: bytes, **options: Unpack[TcpOptions]) -> TcpClient:
        """A connection to a server that echoes."""
        return TcpClient(self.namespace, target, **options)

    def make_iperf(self, target: bytes, **options: Unpack[IperfOptions]) -> IperfClient:
        """iperf3 -c."""
        return IperfClient(self.namespace, target, **options)

    def make_http_get(self, target: bytes, **options: Unpack[HttpOptions]) -> HttpGet:
        """curl(1)."""
        return HttpGet(self.namespace, target, **options)

    def make_dig(self, name: str, **options: Unpack[DigOptions]) -> Dig:
        """dig(1). Raises :class:`UsageError` for a name that cannot be."""
        # Labs without DNS do without all that it is made of.
        from vnet.guest.apps.dns.dig import Dig

        return Dig(self.namespace, name, **options)

    def make_resolve(self, name: str, family: int | None = None) -> Resolve:
        """What programs do with a name (getaddrinfo): ask the servers of ``resolv_conf``."""
        from vnet.guest.apps.dns.resolve import Resolve

        return Resolve(self.namespace, name, family)

    def serve_tcp(self, port: int = 7, client: Client | None = None) -> TcpServer:
        """Run a TCP echo server on ``port``; one that runs already is returned.

        For good, unless it is for a ``client``: see :class:`~vnet.guest.services.TcpServices`.
        """
        return self._services.serve(
            TcpServer, port, lambda: TcpServer(self.namespace, port), client
        )

    def serve_iperf(self, port: int = IPERF_PORT, client: Client | None = None) -> IperfServer:
        """Run iperf3 -s on ``port``; one that runs already is returned."""
        return self._services.serve(
            IperfServer, port, lambda: IperfServer(self.namespace, port), client
        )

    def can_serve_iperf(self, port: int) -> bool:
        """Whether nothing runs on ``port``, or an iperf3 server without a test."""
        running = self._services.running(port)
        return running is None or (isinstance(running, IperfServer) and not running.busy)

    def serve_http(self, port: int = HTTP_PORT, client: Client | None = None) -> HttpServer:
        """Run an HTTP server without files on ``port``; one that runs already is returned."""
        return self._services.serve(
            HttpServer, port, lambda: HttpServer(self.namespace, self.epoch_ns, port), client
        )

    def serve_echo(self, port: int = 7) -> UdpServer:
        """Run a UDP echo server on ``port``; one that runs already is returned."""
        return self.serve_udp(port, echo=True)

    def serve_udp(self, port: int = 7, *, echo: bool = True) -> UdpServer:
        """Run a UDP server on ``port``; one that runs already echoes from now on as is said."""
        server = self._servers.get(port)
        if server is None or server.done:
            server = UdpServer(self.namespace, port, echo=echo)
            server.start()
            self._servers[port] = server
        server.echo = echo
        return server

    def udp_server(self, port: int) -> UdpServer | None:
        """The server on ``port``, if one runs."""
        server = self._servers.get(port)
        return None if server is None or server.done else server

    def _out_for(self, target: bytes, device: str | None) -> Interface | None:
        if device is not None:
            return self.namespace.interface(device)
        if is_link_local_ip6(target):
            for interface in self.namespace.interfaces.values():
                if interface.addrconf is not None:
                    return interface
        return None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


class Guest(Machine):
    """A virtual machine: a machine whose cards are vNICs."""

    def __init__(self, namespace: Namespace, epoch_ns: int, vnics: list[Vnic]) -> None:
        super().__init__(namespace, epoch_ns)
        self.vnics = vnics

    def vnic(self, name: int | str = 0) -> Vnic:
        """A card by number, or by name (``eth0``)."""
        for number, vnic in enumerate(self.vnics):
            if name in (number, vnic.interface.device.name):
                return vnic
        names = ", ".join(vnic.interface.device.name for vnic in self.vnics)
        raise UsageError(f"{self.name} has no vNIC {name}", f"it has {names}")


def reachable_address(
    machine: Machine,
    source: Machine,
    family: int | None = None,
    among: Sequence[bytes] | None = None,
) -> bytes:
    """The address of ``machine`` that ``source`` would use: of a family both have, or of IP
    version ``family``; ``among`` some of them, if only those will do."""
    families = {len(ip) for ip in source.addresses}
    wanted = {None: (4, 16), 4: (4,), 6: (16,)}[family]
    addresses = [ip for ip in among or machine.addresses if len(ip) in wanted]
    addresses.sort(key=lambda ip: (len(ip) not in families, len(ip)))
    if not addresses:
        kind = "" if family is None else f"IPv{family} "
        raise VnetError(f"{machine.name} has no {kind}address to send to")
    return addresses[0]


def address_in(text: str) -> tuple[IpAddress, str | None]:
    """Parse ``10.0.0.1``, ``fe80::1`` or ``fe80::1%eth0``. Raises :class:`UsageError`."""
    ip, _, device = text.partition("%")
    try:
        return ip_from_text(ip), device or None
    except ValueError:
        raise UsageError(f"{text!r} is neither a machine of the lab nor an IP address") from None
