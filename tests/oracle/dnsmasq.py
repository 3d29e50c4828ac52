"""The gateway of ``linux/c_nat`` as the recorder set it up: dnsmasq, and dhclient on the guests."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from tests.oracle.linux_kit import Stage
from tests.oracle.programs import wait_for
from tests.oracle.recording import MS
from vnet.base.ids import ip_from_text, ip_text, mac_from_text
from vnet.guest.apps.dns.dig import Dig
from vnet.linux.services.dhcp_client.client import Reason
from vnet.linux.services.dhcp_client.daemon import DhcpClientDaemon
from vnet.linux.services.dhcp_client.lease import ClientLease
from vnet.linux.services.dhcp_client.settings import ClientSettings
from vnet.linux.services.dhcp_server.daemon import DhcpServer
from vnet.linux.services.dhcp_server.leases import LeaseNames
from vnet.linux.services.dhcp_server.settings import DhcpRange, DhcpServing, Reservation
from vnet.linux.services.dns_server.server import DnsServer
from vnet.linux.services.dns_server.settings import DnsServing

_OWN_NAME = "vm"
"""The recorder's machine: dhclient tells its name."""

_STARTS_MS = 28
"""How long dhclient takes to begin, with its script."""
_ENDS_MS = 300
"""How long the recorder waits after it has ended one."""
_RELEASES_MS = 1_010
"""How long dhclient takes to end the one that runs, and to begin."""

_SERVING = DhcpServing(
    ranges=(DhcpRange(ip_from_text("192.168.122.2"), ip_from_text("192.168.122.254")),),
    reservations=(
        Reservation(
            mac_from_text("02:00:00:00:00:03"), ip=ip_from_text("192.168.122.50"), name="guest3"
        ),
    ),
    domain="test",
    authoritative=True,
    most_leases=253,
    overload=False,
)
_NAMES = DnsServing(
    domain="test",
    local=False,
    lab=False,
    addresses=(("www.example.test", ip_from_text("203.0.113.100")),),
)


class Client(DhcpClientDaemon):
    """dhclient with the recorder's script, which keeps an address that was given back."""

    def configure(self, reason: Reason, old: ClientLease | None, new: ClientLease | None) -> bool:
        return reason is Reason.RELEASE or super().configure(reason, old, new)


class Gateway:
    """dnsmasq on gw, once it is started. ``wall_ns`` is the time of day when the stage's is 0."""

    def __init__(self, stage: Stage, wall_ns: int) -> None:
        self._stage = stage
        self._wall_ns = wall_ns
        self._clients: dict[str, Client] = {}

    def start(self) -> None:
        gw = self._stage.nodes["gw"]
        interface = gw.interface("virbr0")
        self.dhcp = DhcpServer(interface, _SERVING, self._wall_ns)
        self.dns = DnsServer(interface, _NAMES, (LeaseNames(lambda: (self.dhcp.leases,)),))

    # -- leases

    def lease(self, guest: str) -> None:
        """``dhclient -1`` comes back when it has an address."""
        self._stage.wait(_STARTS_MS * MS)
        client = self._clients.get(guest)
        if client is None:
            interface = self._stage.nodes[guest].interface("eth0")
            settings = ClientSettings(hostname=_OWN_NAME)
            client = self._clients[guest] = Client(interface, settings, self._wall_ns)
        client.start()
        wait_for(self._stage, lambda: client.is_bound, 30_000)

    def reboot(self, guest: str, address: str | None = None) -> None:
        """End the client and start it again; its file of leases may name another ``address``."""
        daemon = self._clients[guest]
        daemon.stop()
        self._stage.wait(_ENDS_MS * MS)
        if address is not None:
            assert daemon.lease is not None
            daemon.client.active = replace(daemon.lease, ip=ip_from_text(address))
        self.lease(guest)

    def release(self, guest: str) -> None:
        self._stage.wait(_RELEASES_MS * MS)
        self._clients[guest].release()

    def address(self, guest: str) -> str:
        lease = self._clients[guest].lease
        assert lease is not None
        return ip_text(lease.ip)

    def lease_file(self) -> str:
        return self.dhcp.leases.text()

    # -- names

    def look_up(self, guest: str, name: str, starts_ms: int, kind: int = 1) -> str:
        """``dig +time=2 +tries=1``, which takes some milliseconds to begin."""
        self._stage.wait(starts_ms * MS)
        server = ip_from_text("192.168.122.1")
        look_up = partial(Dig, self._stage.nodes[guest], name, kind=kind, servers=(server,))
        dig = look_up(tries=1, timeout_ns=2_000 * MS)
        dig.start()
        wait_for(self._stage, lambda: dig.done, 2_000)
        return dig.result.status
