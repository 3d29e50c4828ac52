"""``bridge mdb``: who listens to what group, and where multicast routers are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vnet.base.ids import IpAddress, ip_text, mac_text
from vnet.linux.bridge.bridge import Bridge
from vnet.linux.bridge.multicast.mdb import Group, Member
from vnet.linux.bridge.multicast.settings import ROUTER_PERMANENT
from vnet.linux.bridge.port import BridgePort

_NS_PER_CENTISECOND = 10_000_000
_MAC_BYTES = 6
_IPV4_BYTES = 4


def groups_text(
    bridges: Iterable[Bridge], *, details: bool = False, statistics: bool = False
) -> str:
    """``bridge mdb show``: of each bridge its groups, the newest first.

    ``details`` adds whose entry it is, and the router ports; ``statistics`` adds how long that is
    still true.
    """
    chosen = list(bridges)
    lines = [
        line
        for bridge in chosen
        for group in reversed(list(bridge.multicast.database))
        for line in _group_lines(bridge, group, details, statistics)
    ]
    if details:
        for bridge in chosen:
            lines += _router_lines(bridge, statistics)
    return "\n".join(lines)


def _group_lines(bridge: Bridge, group: Group, details: bool, statistics: bool) -> Iterator[str]:
    name = bridge.device.name
    address, source = group.key.address, group.key.source
    text = _address_text(address) + (f" src {_address_text(source)}" if source else "")
    if group.key.vid:
        text_after = f" vid {group.key.vid}"
    else:
        text_after = ""
    if group.host_joined:
        left = f" {_timer_text(group.timer.left_ns)}" if statistics else ""
        yield f"dev {name} port {name} grp {text} temp{text_after}{left}"
    for member in group.members:
        line = f"dev {name} port {member.port.device.name} grp {text} "
        line += "permanent" if member.is_permanent else "temp"
        if details:
            line += _details(bridge, group, member)
        line += text_after
        yield line + (f" {_timer_text(member.timer.left_ns)}" if statistics else "")


def _details(bridge: Bridge, group: Group, member: Member) -> str:
    """A version that knows sources has a mode; who made the entry is told in any case."""
    mode = ""
    n_bytes = len(group.key.address)
    if n_bytes != _MAC_BYTES:
        family = 4 if n_bytes == _IPV4_BYTES else 6
        if bridge.multicast.settings.version(family) == 3:
            mode = f" filter_mode {'exclude' if member.excludes else 'include'}"
            mode += _sources_text(member)
    flags = " added_by_star_ex" * member.is_implied + " blocked" * member.is_blocked
    return f"{mode} proto {'static' if member.by_user else 'kernel'} {flags}"


def _sources_text(member: Member) -> str:
    """The sources that somebody has named, the newest first, and how long each is wanted."""
    shown = [
        f"{_address_text(source.address)}/{_timer_text(source.timer.left_ns).strip()}"
        for source in reversed(member.sources.values())
    ]
    return f" source_list {','.join(shown)}" if shown else ""


def _router_lines(bridge: Bridge, statistics: bool) -> list[str]:
    ports = [port for port in reversed(bridge.ports) if _is_router(bridge, port)]
    if not ports:
        return []
    head = f"router ports on {bridge.device.name}: "
    if not statistics:
        return [head + "".join(f"{port.device.name} " for port in ports)]
    return [
        f"{head}{port.device.name} {_timer_text(_router_left_ns(bridge, port))} "
        f"{'permanent' if port.multicast_router == ROUTER_PERMANENT else 'temp'}"
        for port in ports
    ]


def _is_router(bridge: Bridge, port: BridgePort) -> bool:
    return any(port in querier.routers() for querier in bridge.multicast.queriers.values())


def _router_left_ns(bridge: Bridge, port: BridgePort) -> int:
    queriers = bridge.multicast.queriers.values()
    return max(querier.router_left_ns(port) for querier in queriers)


def _address_text(address: bytes) -> str:
    return mac_text(address) if len(address) == _MAC_BYTES else ip_text(IpAddress(address))


def _timer_text(left_ns: int) -> str:
    seconds, hundredths = divmod(left_ns // _NS_PER_CENTISECOND, 100)
    return f"{seconds:4}.{hundredths:02}"
