"""The line that says what a device is: ``2: eth0: <BROADCAST,...> mtu 1500 ... state UP``.

``ip link``, ``ip addr`` and ``bridge link`` all begin their entries with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from vnet.base.errors import UsageError
from vnet.base.ids import mac_text
from vnet.linux.netns.interface import Interface
from vnet.linux.netns.namespace import Namespace
from vnet.linux.tc.show import root_kind
from vnet.netdev.device import NetDevice
from vnet.netdev.pair import PairDevice
from vnet.netdev.vlan_device import VlanDevice

_WITHOUT_CARRIER = ("loopback", "openvswitch")
_BROADCAST = "ff:ff:ff:ff:ff:ff"


def state_of(device: NetDevice) -> str:
    """The operational state (RFC 2863), as ``ip link`` words it.

    Loopback has no carrier to speak of and stays UNKNOWN, and so has a bridge of Open vSwitch. Of
    a veth without a carrier it is known what lies below: its peer is down; of a VLAN, too.
    """
    if not device.admin_up:
        return "DOWN"
    if device.kind in _WITHOUT_CARRIER:
        return "UNKNOWN"
    if device.carrier:
        return "UP"
    stands_on_another = peer_of(device) is not None or isinstance(device, VlanDevice)
    return "LOWERLAYERDOWN" if stands_on_another else "DOWN"


def peer_of(device: NetDevice) -> PairDevice | None:
    """The other end of a veth pair. A guest's card and its back end are a pair for vnet
    only; on a real host neither knows the other."""
    return device.peer if isinstance(device, PairDevice) and device.kind == "veth" else None


def name_of(device: NetDevice) -> str:
    """``eth0``, or ``veth0@veth1``; ``veth0@if3`` where the peer lives elsewhere; ``eth0.10@eth0``
    where it is a VLAN of another."""
    if isinstance(device, VlanDevice):
        return f"{device.name}@{device.lower.name}"
    peer = peer_of(device)
    if peer is None:
        return device.name
    if peer.owner == device.owner:
        return f"{device.name}@{peer.name}"
    return f"{device.name}@if{peer.ifindex}"


def flags_of(device: NetDevice, *, arp: bool = True, multicast: bool = True) -> str:
    """``<BROADCAST,MULTICAST,UP,LOWER_UP>``."""
    loopback = device.kind == "loopback"
    peer = peer_of(device)
    below = device.lower if isinstance(device, VlanDevice) else peer
    below_is_down = below is not None and below.owner == device.owner and not below.admin_up
    flags = {
        "NO-CARRIER": device.admin_up and not device.carrier,
        "LOOPBACK": loopback,
        "BROADCAST": not loopback,
        "MULTICAST": multicast and not loopback,
        "NOARP": not arp,
        "UP": device.admin_up,
        "LOWER_UP": device.running,
        "M-DOWN": below_is_down,
    }
    return f"<{','.join(name for name, is_set in flags.items() if is_set)}>"


def headline(interface: Interface, *, mode: bool, plain: bool = False) -> str:
    """The first line. ``mode`` adds what only ``ip link`` says; ``plain`` is the short form
    of ``ip -6 addr``, which learns less from the kernel."""
    device = interface.device
    flags = flags_of(device, arp=interface.arp, multicast=interface.multicast)
    start = f"{device.ifindex}: {name_of(device)}: {flags} mtu {device.mtu_bytes} "
    if plain:
        return f"{start}state {state_of(device)} qlen 1000"
    bridge = interface.namespace.master_of(device.name)
    master = f"master {bridge.device.name} " if bridge else ""
    mode_text = "mode DEFAULT " if mode else ""
    return (
        f"{start}qdisc {root_kind(device)} {master}state {state_of(device)} "
        f"{mode_text}group default qlen 1000"
    )


def hardware_line(device: NetDevice) -> str:
    """The second line, with the MAC."""
    mac = mac_text(device.mac)
    if device.kind == "loopback":
        return f"    link/loopback {mac} brd {mac}"
    peer = peer_of(device)
    elsewhere = f" link-netns {peer.owner}" if peer and peer.owner != device.owner else ""
    return f"    link/ether {mac} brd {_BROADCAST}{elsewhere}"


def kind_of(interface: Interface) -> str | None:
    """What ``ip link show type`` calls a device; a card has no kind."""
    if interface.device.name in interface.namespace.bridges:
        return "bridge"
    if isinstance(interface.device, VlanDevice):
        return "vlan"
    return None if peer_of(interface.device) is None else "veth"


def interfaces_of(
    namespace: Namespace,
    *,
    device: str | None = None,
    master: str | None = None,
    only_up: bool = False,
    kind: str | None = None,
) -> list[Interface]:
    """The interfaces that a ``show`` command lists, by index. Raises :class:`UsageError`."""
    if device is not None:
        return [namespace.interface(device)]
    if master is not None and master not in namespace.bridges:
        known = ", ".join(namespace.bridges) or "none"
        raise UsageError(f"{namespace.name} has no bridge {master}", f"it has {known}")
    found: Iterable[Interface] = namespace.interfaces.values()
    if master is not None:
        bridge = namespace.bridges[master]
        found = [i for i in found if bridge.port_of(i.device) is not None]
    if kind is not None:
        found = [i for i in found if kind_of(i) == kind]
    if only_up:
        found = [i for i in found if i.device.admin_up]
    return sorted(found, key=lambda interface: interface.device.ifindex)


def links_text(
    interfaces: Iterable[Interface], *, details: Callable[[Interface], list[str]] | None = None
) -> str:
    """``ip link``; ``details`` says what goes behind the MAC and below it."""
    lines = []
    for interface in interfaces:
        behind, *below = [""] if details is None else details(interface)
        lines += [headline(interface, mode=True), hardware_line(interface.device) + behind, *below]
    return "\n".join(lines)


def brief_links_text(interfaces: Iterable[Interface]) -> str:
    """``ip -br link``."""
    return "\n".join(
        f"{brief_start(interface.device)}{mac_text(interface.device.mac)} "
        f"{flags_of(interface.device, arp=interface.arp, multicast=interface.multicast)} "
        for interface in interfaces
    )


def brief_start(device: NetDevice) -> str:
    """Name and state, in the columns of ``ip -br``."""
    return f"{name_of(device):<16} {state_of(device):<14} "
