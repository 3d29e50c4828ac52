"""A daemon that advertises its machine as a router (RFC 4861 section 6.2), as dnsmasq does it.

Who asks is answered by unicast at once. Besides, everybody is told now and then: often in the
first minute, for the first advertisement may be lost, and then at random moments in the last
quarter of ``interval_s``. The daemon's clock counts whole seconds from when it was started.

Hosts believe only what comes from a link-local address. dnsmasq does not see to that: while
the kernel still checks that address it speaks from another one, in vain. This daemon keeps
silent, as radvd does, and tells everybody once the address is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vnet.base.ids import IPV6_ANY, is_link_local_ip6
from vnet.linux.netns.changes import AddressChange, Change
from vnet.linux.netns.icmpv6_socket import Icmp6Socket
from vnet.linux.netns.mld import ALL_NODES
from vnet.linux.services.advertising import RouterAdvertising
from vnet.sim.frame import Meta
from vnet.sim.scheduler import Timer
from vnet.wire import icmpv6, ipv6, mld, nd, ra

if TYPE_CHECKING:
    from vnet.linux.netns.address import InterfaceAddress
    from vnet.linux.netns.interface import Interface

_NS_PER_S = 1_000_000_000
_NETWORK_CONTROL = 0xC0
_HASTY_NS = 60 * _NS_PER_S
_DICE = 1 << 16
_DNS_PORT = 53


class RouterAdvertiser:
    """The daemon on one interface. It advertises the networks of the interface's addresses."""

    def __init__(self, interface: Interface, settings: RouterAdvertising) -> None:
        namespace = interface.namespace
        self._interface = interface
        self._settings = settings
        self._scheduler = namespace.scheduler
        self._chance = namespace.chance.stream(
            f"{namespace.name}:{interface.device.name} router advertisements"
        )
        interface.mld.join(mld.ALL_ROUTERS)
        self._socket = Icmp6Socket(namespace, (icmpv6.ROUTER_SOLICITATION,), self._asked)
        self._timer = Timer(self._scheduler, self._tell_all)
        self._owes_answer = False
        namespace.listeners.append(self._heard_of)
        self._hasty_until_ns = self._scheduler.now_ns + _HASTY_NS
        # 0 to 5 seconds: routers that were switched on together should not speak together.
        self._timer.arm(self._chance.randrange(_DICE) // 13_000 * _NS_PER_S)

    def stop(self) -> None:
        """Say no more."""
        self._timer.cancel()
        self._owes_answer = False
        self._socket.close()
        self._interface.namespace.listeners.remove(self._heard_of)
        self._interface.mld.leave(mld.ALL_ROUTERS)

    def _asked(
        self, interface: Interface, header: ipv6.Ipv6, message: icmpv6.Icmpv6, meta: Meta | None
    ) -> None:
        if interface is self._interface and ra.parse_solicitation(message.body) is not None:
            self._send(ALL_NODES if header.source == IPV6_ANY else header.source, meta)

    def _heard_of(self, change: Change) -> None:
        """An address may have passed its check: tell what could not be said without it."""
        if isinstance(change, AddressChange) and change.device is self._interface.device:
            self._scheduler.after(0, self._settle)

    def _settle(self) -> None:
        if self._owes_answer:
            self._send(ALL_NODES, None)

    def _tell_all(self) -> None:
        dice = self._chance.randrange(_DICE)
        if self._scheduler.now_ns < self._hasty_until_ns:
            pause_s = 5 + dice // 4_400
        else:
            interval_s = self._settings.interval_s
            pause_s = 3 * interval_s // 4 + (interval_s * dice >> 18)
        self._timer.arm(pause_s * _NS_PER_S)
        self._send(ALL_NODES, None)

    def _send(self, target: bytes, meta: Meta | None) -> None:
        prefixes = self._prefixes()
        if not self._interface.ready:
            return
        # Without a network there is nothing whose router this could be.
        self._owes_answer = not prefixes or not self._has_link_local()
        if self._owes_answer:
            return
        settings, device = self._settings, self._interface.device
        flags = settings.preference
        flags |= ra.MANAGED * settings.managed
        flags |= ra.OTHER_CONFIGURATION * settings.other_configuration
        advertisement = ra.RouterAdvertisement(
            self._interface.conf6.hop_limit,
            flags,
            settings.router_lifetime_s,
            reachable_ms=0,
            retrans_ms=0,
            prefixes=prefixes,
            mtu_bytes=settings.mtu_bytes or self._interface.conf6.mtu,
            source_mac=device.mac,
            names=self._names(prefixes),
        )
        message = icmpv6.Icmpv6(icmpv6.ROUTER_ADVERTISEMENT, 0, ra.emit(advertisement))
        self._socket.send(
            self._interface,
            target,
            message,
            hop_limit=nd.HOP_LIMIT,
            traffic_class=_NETWORK_CONTROL,
            meta=meta,
        )

    def _names(self, prefixes: Sequence[ra.Prefix]) -> ra.NameServers | None:
        """Whom hosts shall ask for names, for as long as new connections may use the networks."""
        settings, servers = self._settings, self._settings.name_servers
        if servers is None:
            own = [a.ip for a in self._interface.addresses if is_link_local_ip6(a.ip) and a.usable]
            listens = self._interface.namespace.sockets.udp.at
            servers = tuple(ip for ip in own[:1] if listens(ip, _DNS_PORT) is not None)
        if not servers and not settings.search:
            return None
        lifetime_s = min(prefix.preferred_s for prefix in prefixes)
        return ra.NameServers(lifetime_s, servers, settings.search)

    def _has_link_local(self) -> bool:
        return any(is_link_local_ip6(a.ip) and a.usable for a in self._interface.addresses)

    def _prefixes(self) -> tuple[ra.Prefix, ...]:
        """One for each network of the interface, in the order of the addresses."""
        found: dict[tuple[bytes, int], ra.Prefix] = {}
        for address in self._interface.addresses:
            if len(address.ip) == 16 and address.usable and not is_link_local_ip6(address.ip):
                key = (address.network, address.prefix_length)
                found.setdefault(key, self._prefix(address))
        return tuple(found.values())

    def _prefix(self, address: InterfaceAddress) -> ra.Prefix:
        valid_s, preferred_s = address.lifetimes_s(self._scheduler.now_ns)
        return ra.Prefix(
            address.prefix_length,
            on_link=True,
            autonomous=self._settings.autonomous,
            valid_s=min(valid_s, self._settings.valid_s),
            preferred_s=min(preferred_s, self._settings.preferred_s),
            prefix=address.network,
        )
