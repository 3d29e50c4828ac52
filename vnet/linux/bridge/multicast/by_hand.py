"""Groups that the user adds and deletes (``bridge mdb``), with the kernel's answers."""

from __future__ import annotations

from vnet.base.errors import UsageError
from vnet.linux.bridge.bridge import Bridge
from vnet.linux.bridge.multicast.mdb import ANY_MEMBER, GroupKey, Member
from vnet.linux.bridge.multicast.reading import ALL_NODES, is_local_ipv4
from vnet.linux.bridge.port import BridgePort
from vnet.linux.bridge.state import PortState

_MAC_BYTES = 6
_IPV4_BYTES = 4


def add_member(bridge: Bridge, port: BridgePort, key: GroupKey, *, permanent: bool) -> None:
    """Have ``port`` listen to a group; the bridge's own port is the host.

    One that is not permanent ages like one that was learned. Raises
    :class:`~vnet.base.errors.UsageError`.
    """
    multicast = bridge.multicast
    _check_group(key.address)
    _check_bridge(bridge)
    if len(key.address) == _MAC_BYTES and not permanent:
        raise UsageError("Error: bridge: Only permanent L2 entries allowed.")
    if port is bridge.own_port:
        return _join_host(bridge, key, permanent=permanent)
    if port.state is PortState.DISABLED and not permanent:
        raise UsageError("Error: bridge: Port is in disabled state and entry is not permanent.")
    group = multicast.group(key)
    if group is None:
        raise UsageError("RTNETLINK answers: Argument list too long", "mcast_hash_max is reached")
    if group.member(port, ANY_MEMBER) is not None:
        kind = "(S, G)" if key.source else "(*, G)"
        raise UsageError(f"Error: bridge: {kind} group is already joined by port.")
    member = multicast.database.add_member(group, port, ANY_MEMBER, excludes=not key.source)
    member.by_user, member.is_permanent = True, permanent
    if not permanent:
        member.timer.arm(multicast.settings.membership_interval_ns)
    return None


def _join_host(bridge: Bridge, key: GroupKey, *, permanent: bool) -> None:
    if permanent and len(key.address) != _MAC_BYTES:
        raise UsageError("Error: bridge: Flags are not allowed for host groups.")
    group = bridge.multicast.group(key)
    if group is None:
        raise UsageError("RTNETLINK answers: Argument list too long", "mcast_hash_max is reached")
    if group.host_joined:
        raise UsageError("Error: bridge: Group is already joined by host.")
    group.host_joined = True
    if len(key.address) != _MAC_BYTES:
        group.timer.arm(bridge.multicast.settings.membership_interval_ns)


def delete_member(bridge: Bridge, port: BridgePort, key: GroupKey) -> None:
    """Have ``port`` listen to a group no more."""
    _check_group(key.address)
    _check_bridge(bridge)
    database = bridge.multicast.database
    group = database.get(key)
    member: Member | None = None
    if group is not None and port is bridge.own_port and group.host_joined:
        group.host_joined = False
        if not group.members:
            group.timer.arm(0)
        return
    if group is not None:
        member = group.member(port, ANY_MEMBER)
    if group is None or member is None:
        raise UsageError("RTNETLINK answers: Invalid argument", "the port is no member of it")
    database.remove_member(group, member)


def _check_group(address: bytes) -> None:
    if len(address) == _MAC_BYTES:
        if not address[0] & 1:
            raise UsageError("Error: L2 entry group address is not multicast.")
    elif len(address) == _IPV4_BYTES:
        if address[0] >> 4 != 0xE:
            raise UsageError("Error: IPv4 entry group address is not multicast or 0.0.0.0.")
        if is_local_ipv4(address):
            raise UsageError("Error: IPv4 entry group address is local multicast.")
    elif address[0] != 0xFF:
        raise UsageError("Error: IPv6 entry group address is not multicast or ::.")
    elif address == ALL_NODES:
        raise UsageError("Error: IPv6 entry group address is link-local all nodes.")


def _check_bridge(bridge: Bridge) -> None:
    if not bridge.device.admin_up:
        raise UsageError("Error: bridge: Bridge device is not running.")
    if not bridge.multicast.is_on:
        raise UsageError("Error: bridge: Bridge's multicast processing is disabled.")
