"""In-band control: a bridge's host reaches its controllers through the bridge, whatever they say.

Those who decide what flows there are may be at the other side of the bridge, and could cut
themselves off; so could a bridge that has no flows yet. Hidden flows, above all that OpenFlow can
make, let through what the way there takes: DHCP for the host's own address, ARP for and about the
next hop and the remotes, and TCP with them. All are forwarded as a learning switch does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from vnet.base.ids import MAC_ZERO, IpAddress, Mac, ip_text, mac_text
from vnet.base.units import NS_PER_S
from vnet.netdev.route_source import HostRoute
from vnet.ovs.flow.match import Match
from vnet.ovs.flow.match_parse import parse_match
from vnet.ovs.flow.ports import OFPP_LOCAL, OFPP_NORMAL
from vnet.ovs.ofproto.backer import Backer
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.openflow.messages import FlowMod, FlowModCommand
from vnet.ovs.openflow.ofpacts import Ofpacts, Output, SetQueue
from vnet.ovs.vlog.level import Level
from vnet.ovs.vlog.vlog import LogModule
from vnet.ovs.vswitchd.config import BridgeConfig
from vnet.ovs.vswitchd.remote_address import RemoteAddress
from vnet.sim.scheduler import Timer

PRIORITY = 180_000
"""That of the first kind of flow; each kind has one of its own, for whoever looks at them."""

_SOON_NS = NS_PER_S
"""How long until a next hop that has not answered is looked for again."""
_LATER_NS = 10 * NS_PER_S
_NO_HOST = "Operation not supported"
_NO_ROUTE = "No such device or address"


class InBand:
    """One bridge's. It does nothing as long as there are no remotes."""

    def __init__(self, backer: Backer, ofproto: Ofproto, log: LogModule) -> None:
        self._underlay = backer.underlay
        self._ofproto = ofproto
        self._log = log
        self._limit = log.limit(60, 60)
        self._remotes: tuple[RemoteAddress, ...] = ()
        self._next_hops: dict[RemoteAddress, Mac] = {}
        self._actions: Ofpacts = ()
        self._has_host = False
        self._flows: dict[Match, int] = {}
        """The flows that there are, with their priorities."""
        self._flows_mac = MAC_ZERO
        """The address of the local port that they have."""
        self._timer = Timer(backer.scheduler, self._look)
        ofproto.port_changed.append(self._port_changed)

    def configure(
        self, config: BridgeConfig, managers: Iterable[RemoteAddress], *, has_host: bool
    ) -> None:
        """Keep the ways to a bridge's controllers and to the database's managers open.

        ``has_host`` is whether the bridge's local port belongs to a host with routes.
        """
        remotes: list[RemoteAddress] = []
        if config.has_in_band:
            controllers = (one.address for one in config.controller if one.is_in_band)
            remotes = [*filter(None, controllers), *managers]
        if not remotes and not self._remotes:
            return
        queue = (SetQueue(config.in_band_queue),) if config.in_band_queue >= 0 else ()
        wanted = tuple(remotes), (*queue, Output(OFPP_NORMAL)), has_host
        if wanted != (self._remotes, self._actions, self._has_host):
            self._remotes, self._actions, self._has_host = wanted
            self._ofproto.has_in_band = bool(remotes)
            self._look()
        elif self._local_mac != self._flows_mac:
            self._update_flows()

    def close(self) -> None:
        """The bridge goes."""
        self._timer.cancel()
        self._ofproto.port_changed.remove(self._port_changed)

    def _port_changed(self, port: OfPort) -> None:
        if port.number == OFPP_LOCAL and self._remotes and self._local_mac != self._flows_mac:
            self._update_flows()

    # -- the way there

    def _look(self) -> None:
        """Find the next hops, and have the flows that they ask for."""
        routes = {remote: self._route(remote) for remote in self._remotes}
        for remote in self._remotes:
            if routes[remote] is None:
                problem = _NO_ROUTE if self._has_host else _NO_HOST
                self._log.warn(
                    f"{self._ofproto.name}: cannot find route for controller "
                    f"({ip_text(remote.ip)}): {problem}",
                    self._limit,
                )
        was = self._next_hops
        found = {remote: self._next_hop(remote.ip, route) for remote, route in routes.items()}
        self._next_hops = {remote: mac for remote, mac in found.items() if mac is not None}
        for remote, mac in self._next_hops.items():
            if was.get(remote, MAC_ZERO) != mac:
                self._log.dbg(
                    f"{self._ofproto.name}: remote MAC address changed from "
                    f"{mac_text(was.get(remote, MAC_ZERO))} to {mac_text(mac)}"
                )
        self._update_flows()
        self._timer.cancel()
        # Where nobody listens and nobody knows a way, nothing new is to be expected.
        if any(routes.values()) or (self._remotes and self._log.is_enabled(Level.WARN)):
            is_complete = len(self._next_hops) == len(routes)
            self._timer.arm(_LATER_NS if is_complete else _SOON_NS)

    def _route(self, remote: RemoteAddress) -> HostRoute | None:
        if not self._has_host:
            return None
        route = self._underlay.router.host.route(remote.ip)
        return None if route is None or route.is_local else route

    def _next_hop(self, ip: IpAddress, route: HostRoute | None) -> Mac | None:
        """Who hands on what the host sends to a remote."""
        if route is None:
            return None
        gateway = route.gateway or ip
        mac = self._underlay.router.host.neighbor(route.device, gateway)
        if mac is None:
            self._log.dbg(
                f"{self._ofproto.name}: cannot look up remote MAC address "
                f"({ip_text(gateway)}): {_NO_ROUTE}",
                self._limit,
            )
        return mac

    # -- flows

    @property
    def _local_mac(self) -> Mac:
        local = self._ofproto.ports.get(OFPP_LOCAL)
        return MAC_ZERO if local is None else local.mac

    def _update_flows(self) -> None:
        self._flows_mac = self._local_mac
        wanted: dict[Match, int] = {}
        for kind, text in _flows(self._remotes, self._flows_mac, self._next_hops.values()):
            wanted.setdefault(parse_match(text), PRIORITY + kind)
        mods = [
            FlowMod(FlowModCommand.DELETE_STRICT, match, priority=priority, table_id=0)
            for match, priority in self._flows.items()
            if match not in wanted
        ]
        mods += [
            FlowMod(FlowModCommand.ADD, match, priority=priority, table_id=0, actions=self._actions)
            for match, priority in wanted.items()
            if not self._is_there(match, priority)
        ]
        self._flows = wanted
        if mods:
            self._ofproto.bundle(mods)

    def _is_there(self, match: Match, priority: int) -> bool:
        rule = self._ofproto.find(0, match, priority)
        return rule is not None and rule.actions == self._actions


def _flows(
    remotes: Sequence[RemoteAddress], local_mac: Mac, next_hops: Iterable[Mac]
) -> Iterator[tuple[int, str]]:
    """What is to be let through, each with the number of its kind."""
    if remotes and local_mac != MAC_ZERO:
        mac = mac_text(local_mac)
        yield 0, f"udp,in_port=LOCAL,dl_src={mac},tp_src=68,tp_dst=67"
        yield 1, f"arp,dl_dst={mac},arp_op=2"
        yield 2, f"arp,dl_src={mac},arp_op=1"
    for next_hop in next_hops:
        mac = mac_text(next_hop)
        yield 3, f"arp,dl_dst={mac},arp_op=2"
        yield 4, f"arp,dl_src={mac},arp_op=1"
    for remote in remotes:
        ip, port = ip_text(remote.ip), remote.port
        yield 5, f"arp,arp_tpa={ip},arp_op=2"
        yield 6, f"arp,arp_spa={ip},arp_op=1"
        yield 7, f"tcp,nw_dst={ip},tp_dst={port}"
        yield 8, f"tcp,nw_src={ip},tp_src={port}"
