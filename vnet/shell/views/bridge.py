"""``bridge fdb`` and ``bridge link``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter

from vnet.base.ids import mac_text
from vnet.base.units import NS_PER_S
from vnet.linux.bridge.bridge import Bridge
from vnet.linux.bridge.port import BridgePort
from vnet.linux.netns.interface import Interface
from vnet.shell.views.link import flags_of, name_of
from vnet.tables.fdb import FdbEntry, FdbKind

_BEFORE, _OF_BRIDGE, _BEHIND = range(3)
_KINDS = {FdbKind.LOCAL: "permanent", FdbKind.STATIC: "static", FdbKind.DYNAMIC: ""}


def fdb_text(
    bridges: Iterable[Bridge],
    *,
    interfaces: Iterable[Interface] = (),
    device: str | None = None,
    vid: int | None = None,
    kind: FdbKind | None = None,
    statistics: bool = False,
) -> str:
    """``bridge fdb``: by device, the newest entry first; with ``device``, without its name.

    Behind the entries of a port go those of the device itself, if it is among ``interfaces``; of
    a bridge they go in front.
    ``statistics`` adds the seconds since an entry was used and since it was refreshed.
    """
    with_device = device is None
    lines = [
        (
            index_of(entry.port),
            _OF_BRIDGE,
            entry_text(entry, with_device=with_device, statistics=statistics),
        )
        for bridge in bridges
        for entry in reversed(list(bridge.fdb))
        if device in (None, entry.port.device.name)
        and vid in (None, entry.vid)
        and kind in (None, entry.kind)
    ]
    for interface in interfaces:
        own = interface.device
        if vid is None and kind in (None, FdbKind.LOCAL) and device in (None, own.name):
            place = _BEFORE if own.kind == "bridge" else _BEHIND
            texts = _own_lines(interface, with_device=with_device)
            lines += [(own.ifindex, place, text) for text in texts]
    return "\n".join(text for _, _, text in sorted(lines, key=itemgetter(0, 1)))


def _own_lines(interface: Interface, *, with_device: bool) -> Iterator[str]:
    """What a device lets in by itself; loopback, which is no Ethernet, has no such thing."""
    if interface.device.kind != "loopback":
        where = f"dev {interface.device.name} " if with_device else ""
        for mac in interface.hardware_filter.addresses():
            yield f"{mac_text(mac)} {where}self permanent"


def entry_text(
    entry: FdbEntry[BridgePort], *, with_device: bool = True, statistics: bool = False
) -> str:
    """One entry, as ``bridge fdb get`` prints it, too."""
    bridge = entry.port.bridge
    where = f"dev {entry.port.device.name} " if with_device else ""
    vlan = f"vlan {entry.vid} " if entry.vid else ""
    used = _used(entry, bridge.scheduler.now_ns) if statistics else ""
    sticky = "sticky " if entry.sticky else ""
    master = f"master {bridge.device.name}"
    return f"{mac_text(entry.mac)} {where}{vlan}{used}{sticky}{master} {_KINDS[entry.kind]}"


def _used(entry: FdbEntry[BridgePort], now_ns: int) -> str:
    used = (now_ns - entry.used_ns) // NS_PER_S
    updated = (now_ns - entry.updated_ns) // NS_PER_S
    return f"used {used}/{updated} "


def index_of(port: BridgePort) -> int:
    """The port's device index; a switch on the wire has no namespace to give one, so its
    ports go by their number."""
    return port.device.ifindex or port.number


def ports_text(
    bridges: Iterable[Bridge],
    *,
    interfaces: Mapping[str, Interface] | None = None,
    device: str | None = None,
    details: bool = False,
) -> str:
    """``bridge link``; ``details`` adds the flags of ``bridge -d link``.

    ``interfaces`` are those of the bridges' namespace; a switch on the wire has none.
    """
    ports = sorted((port for bridge in bridges for port in bridge.ports), key=index_of)
    lines = []
    for port in ports:
        if device in (None, port.device.name):
            lines.append(_port_line(port, (interfaces or {}).get(port.device.name)))
            if details:
                lines.append(_flags_line(port))
    return "\n".join(lines)


def _port_line(port: BridgePort, interface: Interface | None) -> str:
    device = port.device
    flags = flags_of(device)
    if interface is not None:
        flags = flags_of(device, arp=interface.arp, multicast=interface.multicast)
    return (
        f"{index_of(port)}: {name_of(device)}: {flags} mtu {device.mtu_bytes} "
        f"master {port.bridge.device.name} state {port.state.name.lower()} "
        f"priority {port.priority} cost {port.path_cost} "
    )


def _flags_line(port: BridgePort) -> str:
    flags: dict[str, bool | int] = {
        "hairpin": port.hairpin,
        "guard": port.bpdu_guard,
        "root_block": port.root_block,
        "fastleave": port.fast_leave,
        "learning": port.learning,
        "flood": port.unicast_flood,
        "mcast_flood": port.multicast_flood,
        "bcast_flood": port.broadcast_flood,
        "mcast_router": port.multicast_router,
        "mcast_to_unicast": port.multicast_to_unicast,
        "neigh_suppress": port.neigh_suppress,
        "vlan_tunnel": False,
        "isolated": port.isolated,
        "locked": port.locked,
    }
    states = {True: "on", False: "off"}
    words = [
        f"{name} {states[state] if isinstance(state, bool) else state}"
        for name, state in flags.items()
    ]
    return f"    {' '.join(words)} "
