"""What a Python user holds: machines of a lab, with calls that wait.

A machine's apps never wait; these do, by running the lab until the app is done.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.errors import UsageError
from vnet.base.ids import IpAddress, ip_from_text
from vnet.guest.apps.arping import Arping
from vnet.guest.apps.http import HttpGet, HttpServer
from vnet.guest.apps.iperf.client import IperfClient
from vnet.guest.apps.iperf.server import IperfServer
from vnet.guest.apps.ping import PingResult
from vnet.guest.apps.tcp import TcpClient, TcpServer
from vnet.guest.apps.tracepath import TracepathResult
from vnet.guest.apps.traceroute import (
    DEFAULT_AT_ONCE,
    DEFAULT_HOPS,
    DEFAULT_QUERIES,
    MOST_BYTES,
    MOST_HOPS,
    MOST_PROBES,
    MOST_QUERIES,
    TracerouteResult,
)
from vnet.guest.apps.udp import UdpServer, UdpStream
from vnet.guest.groups import group_from_text
from vnet.guest.machine import Guest, Machine
from vnet.guest.vnic import Vnic
from vnet.lab.arguments import duration_ns, spelt, within
from vnet.lab.names_handle import NamesHandle
from vnet.lab.netfilter_handle import NetfilterHandle
from vnet.linux.netns.namespace import Namespace
from vnet.topology.schema.stream_step import MOST_BYTES as MOST_BYTES_SENT
from vnet.topology.schema.stream_step import MOST_STREAMS

if TYPE_CHECKING:
    from vnet.lab.lab import Lab
    from vnet.linux.services.dhcp_client.daemon import DhcpClientDaemon
    from vnet.linux.services.dhcp_client.lease import ClientLease
    from vnet.linux.services.dhcp_server.leases import Lease

_MAX_DATA_BYTES = 65_507
"""What fits in an IPv4 packet behind its header and eight bytes of ICMP or UDP."""
_MOST_PACKETS = 1_000_000_000


class MachineHandle(NetfilterHandle, NamesHandle):
    """A VM, host or router. Times are written as in topology files: ``"200ms"``."""

    def __init__(self, lab: Lab, machine: Machine) -> None:
        self._lab = lab
        self._machine = machine

    @property
    def name(self) -> str:
        return self._machine.name

    @property
    def namespace(self) -> Namespace:
        """The machine's network namespace, for everything that has no call of its own."""
        return self._machine.namespace

    def vnic(self, name: int | str = 0) -> Vnic:
        """One of its cards by name, or by number, with a Scapy face: a ``SuperSocket``."""
        return self._machine.vnic(name)

    def ping(
        self,
        target: str,
        *,
        count: int = 4,
        interval: str = "1s",
        size: int = 56,
        ttl: int | None = None,
        df: bool | None = None,
        tos: int = 0,
        timeout: str = "10s",
        deadline: str | None = None,
        source: str | None = None,
        family: int | None = None,
    ) -> PingResult:
        """ping(8) to an address or a machine's name; waits until it is done.

        ``tos`` is the type of service, or of IPv6 the traffic class (-Q); ``timeout`` is -W and
        ``deadline`` -w; ``source`` is an address or a device to send from (-I).
        """
        address, out = self._bound(source)
        if family is None and address is not None:
            family = 4 if len(address) == 4 else 6
        ip, zone = self._resolve(target, family)
        if family is not None and len(ip) != {4: 4, 6: 16}.get(family):
            raise UsageError(f"ping: {target}: Address family for hostname not supported")
        app = self._machine.make_ping(
            ip,
            count=within("count", count, 1, _MOST_PACKETS),
            interval_ns=duration_ns(interval),
            size_bytes=within("size", size, 0, _MAX_DATA_BYTES),
            ttl=None if ttl is None else within("ttl", ttl, 1, 255),
            dont_fragment=df,
            tos=within("tos", tos, 0, 255),
            timeout_ns=duration_ns(timeout),
            deadline_ns=None if deadline is None else duration_ns(deadline),
            source=address,
            device=out or zone,
        )
        self._lab.wait_for(app)
        return app.result

    def arping(
        self, target: str, *, count: int = 1, mode: str = "request", device: str | None = None
    ) -> Arping:
        """arping(8): ``request``, ``announce`` (-U) or ``duplicate`` (-D); ``device`` is -I."""
        ip, zone = self._resolve(target)
        device = zone if device is None else spelt("device", device)
        app = self._machine.make_arping(
            ip, count=within("count", count, 1, _MOST_PACKETS), mode=mode, device=device
        )
        self._lab.wait_for(app)
        return app

    def join(self, group: str, *, device: str | None = None) -> str:
        """Join a multicast group, as a program's socket would; returns the device.

        ``device`` None is where the route to the group leads, or else the first with an address.
        """
        return self._machine.groups.join(group_from_text(spelt("group", group)), device).device.name

    def leave(self, group: str, *, device: str | None = None) -> str:
        """Leave a multicast group that :meth:`join` joined; returns the device."""
        return self._machine.groups.leave(
            group_from_text(spelt("group", group)), device
        ).device.name

    @property
    def groups(self) -> list[str]:
        """The multicast groups that it joined."""
        return self._machine.groups.all()

    def tc(self, command: str) -> str:
        """tc(8) on the machine, as typed: ``qdisc add dev eth0 root netem delay 10ms``.

        Returns what it prints; raises :class:`UsageError` in its words.
        """
        from vnet.linux.tc.command import Tc  # As in Builder: only where tc is spoken.

        interfaces = self.namespace.interfaces
        devices = {name: interface.device for name, interface in interfaces.items()}
        return Tc(self.namespace.traffic_control, devices).run(spelt("command", command).split())

    def traceroute(
        self,
        target: str,
        *,
        icmp: bool = False,
        hops: int = DEFAULT_HOPS,
        first: int = 1,
        queries: int = DEFAULT_QUERIES,
        at_once: int = DEFAULT_AT_ONCE,
        wait: str = "5s",
        port: int | None = None,
        size: int | None = None,
        df: bool = False,
        here: float = 3,
        near: float = 10,
        family: int | None = None,
    ) -> TracerouteResult:
        """traceroute(8): by UDP, or with ``icmp`` by echo requests (-I); waits until it is done.

        ``hops`` is its -m, ``first`` -f, ``queries`` -q, ``at_once`` -N, ``df`` -F; ``wait``,
        ``here`` and ``near`` are those of -w, and ``family`` 4 or 6 its -4 or -6.
        """
        ip, _device = self._resolve(target, family)
        most = within("hops", hops, 1, MOST_HOPS)
        app = self._machine.make_traceroute(
            ip,
            target,
            icmp=icmp,
            max_hops=most,
            first_hop=within("first", first, 1, most),
            queries=within("queries", queries, 1, MOST_QUERIES),
            at_once=within("at_once", at_once, 1, MOST_PROBES),
            wait_ns=duration_ns(wait),
            port=None if port is None else within("port", port, 1, 65_535),
            size_bytes=None if size is None else within("size", size, 0, MOST_BYTES),
            dont_fragment=df,
            here_factor=here,
            near_factor=near,
        )
        self._lab.wait_for(app)
        return app.result

    def tracepath(
        self,
        target: str,
        *,
        hops: int = DEFAULT_HOPS,
        size: int | None = None,
        port: int = 44_444,
        family: int | None = None,
    ) -> TracepathResult:
        """tracepath(8): the way, and the largest packet that it takes; waits until it is done."""
        ip, _device = self._resolve(target, family)
        app = self._machine.make_tracepath(
            ip,
            max_hops=within("hops", hops, 1, MOST_HOPS),
            size_bytes=None if size is None else within("size", size, 1, 128_000),
            port=within("port", port, 1, 65_535),
        )
        self._lab.wait_for(app)
        return app.result

    def udp(
        self,
        target: str,
        *,
        port: int = 7,
        count: int = 1,
        interval: str = "1s",
        size: int = 64,
        echo: bool = True,
    ) -> UdpStream:
        """Datagrams to a port, which :meth:`serve_echo` may have opened there.

        Without ``echo``, ``received`` is what the server of a machine given by name got.
        """
        ip, _device = self._resolve(target)
        far_end = self._lab.network.machine(target)
        server = None if far_end is None else far_end.udp_server(port)
        app = self._machine.make_udp(
            ip,
            port=within("port", port, 1, 65_535),
            count=within("count", count, 1, _MOST_PACKETS),
            interval_ns=duration_ns(interval),
            size_bytes=within("size", size, 0, _MAX_DATA_BYTES),
            echo=echo,
            servers=() if server is None else (server,),
        )
        self._lab.wait_for(app)
        return app

    def dhcp(self, action: str = "start", *, device: str | None = None) -> ClientLease | None:
        """dhclient(8): ``start``, ``renew``, ``release`` or ``reboot`` the DHCP client of a device,
        and wait until that is done. Returns what the machine has been lent, if it has anything.
        """
        app = self._machine.make_dhcp(spelt("action", action), device)
        self._lab.wait_for(app)
        return app.client.lease if app.client.is_bound else None

    def dhcp_client(self, device: str | None = None) -> DhcpClientDaemon:
        """The DHCP client of a device, with its lease, its log and its counts of messages."""
        return self._machine.dhcp_client(device)

    @property
    def dhcp_leases(self) -> list[Lease]:
        """The leases of the DHCP servers on this machine, the newest first."""
        servers = self.namespace.dhcp_servers.values()
        return [lease for server in servers for lease in server.leases]

    def tcp(self, target: str, *, port: int = 7, size: int = 64, timeout: str = "60s") -> TcpClient:
        """Bytes over TCP to an echo server, which :meth:`serve_tcp` may have started there."""
        ip, _device = self._resolve(target)
        app = self._machine.make_tcp(
            ip,
            port=within("port", port, 1, 65_535),
            size_bytes=within("size", size, 0, MOST_BYTES_SENT),
            timeout_ns=duration_ns(timeout),
        )
        self._lab.wait_for(app)
        return app

    def iperf3(
        self,
        target: str,
        *,
        port: int = 5201,
        time: str = "10s",
        size: int | None = None,
        interval: str = "1s",
        reverse: bool = False,
        parallel: int = 1,
    ) -> IperfClient:
        """``iperf3 -c``: -t is ``time``, -n ``size``, -i ``interval``, -R ``reverse``, and -P
        ``parallel``. The server is :meth:`serve_iperf`'s."""
        ip, _device = self._resolve(target)
        app = self._machine.make_iperf(
            ip,
            port=within("port", port, 1, 65_535),
            duration_ns=duration_ns(time),
            size_bytes=None if size is None else within("size", size, 1, MOST_BYTES_SENT),
            interval_ns=duration_ns(interval),
            reverse=reverse,
            parallel=within("parallel", parallel, 1, MOST_STREAMS),
        )
        self._lab.wait_for(app)
        return app

    def http_get(
        self, target: str, path: str = "/", *, port: int = 80, timeout: str = "60s"
    ) -> HttpGet:
        """``curl http://TARGET:PORT/PATH``; the server is :meth:`serve_http`'s."""
        ip, _device = self._resolve(target)
        app = self._machine.make_http_get(
            ip,
            port=within("port", port, 1, 65_535),
            path=spelt("path", path),
            timeout_ns=duration_ns(timeout),
        )
        self._lab.wait_for(app)
        return app

    def serve_tcp(self, port: int = 7) -> TcpServer:
        """Run a TCP echo server until the lab ends."""
        self._lab.check_open()
        return self._machine.serve_tcp(within("port", port, 1, 65_535))

    def serve_iperf(self, port: int = 5201) -> IperfServer:
        """Run ``iperf3 -s`` until the lab ends."""
        self._lab.check_open()
        return self._machine.serve_iperf(within("port", port, 1, 65_535))

    def serve_http(self, port: int = 80) -> HttpServer:
        """Run an HTTP server until the lab ends; its ``files`` are bytes by path."""
        self._lab.check_open()
        return self._machine.serve_http(within("port", port, 1, 65_535))

    def serve_echo(self, port: int = 7) -> UdpServer:
        """Run a UDP echo server until the lab ends."""
        self._lab.check_open()
        return self._machine.serve_echo(within("port", port, 1, 65_535))

    def _bound(self, source: str | None) -> tuple[IpAddress | None, str | None]:
        """What ``source`` names: an address, or else a device."""
        if source is None:
            return None, None
        try:
            return ip_from_text(spelt("source", source)), None
        except ValueError:
            pass
        if source not in self.namespace.interfaces:
            raise UsageError(f"ping: SO_BINDTODEVICE {source}: No such device")
        return None, source

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


class VmHandle(MachineHandle):
    """A virtual machine."""

    def __init__(self, lab: Lab, guest: Guest) -> None:
        super().__init__(lab, guest)
        self._guest = guest

    def vnic(self, index: int | str = 0) -> Vnic:
        """A card by number or name: a Scapy ``SuperSocket``."""
        return self._guest.vnic(index)

    @property
    def vnics(self) -> list[Vnic]:
        """All cards."""
        return list(self._guest.vnics)
